import NIOCore
import Primitives

/// Uploads in parts, by which every long blob of unknown length goes out.
extension Probing {
    private static let smallPartBytes = 1024

    mutating func multipart() async throws(ProbeStop) -> ProbeOutcome {
        abilities.multipart = false
        try await checkWhole()
        abilities.multipart = true
        abilities.leastPartBytes = try await takesSmallParts() ? Self.smallPartBytes : probe.sizes.part
        let isGone = try await checkAborted()
        let parts =
            "An upload of parts of \(probe.sizes.part) and \(Self.smallPartBytes) bytes was published whole, and not "
            + "before its end"
        guard abilities.listsUploads == true else {
            return .limited(
                "\(parts); an upload that was aborted left nothing under its key. It does not list uploads that are "
                    + "under way, so that those which a crash leaves behind have to be removed by a rule of its own "
                    + "(AbortIncompleteMultipartUpload).")
        }
        return isGone
            ? .good("\(parts); one that was aborted left nothing.")
            : .limited(
                "\(parts); one that was aborted left nothing under its key, but is still listed, so that its parts may "
                    + "stay and be paid for.")
    }

    /// Publishes an upload, and looks for it before and after.
    private mutating func checkWhole() async throws(ProbeStop) {
        let key = key("multipart/whole")
        let (first, last) = (bytes(probe.sizes.part), bytes(Self.smallPartBytes))
        var whole = first
        whole.writeImmutableBuffer(last)
        let id = try await begin(key)
        let eTags = [try await part(1, first, key, id), try await part(2, last, key, id)]
        try await calls.expectNothing(key, limit: whole.readableBytes, "An upload that was not completed")
        if let failure = try await complete(key, id, eTags) { throw .fault(failure) }
        leftovers.uploads.removeAll { $0.id == id }
        try await calls.expect(key, whole, "An object that was put together from parts")
        let border = Int64(probe.sizes.part)
        try await expect(border - 1..<border + 1, of: whole, under: key)
    }

    private mutating func takesSmallParts() async throws(ProbeStop) -> Bool {
        let key = key("multipart/small")
        let bytes = bytes(Self.smallPartBytes)
        let id = try await begin(key)
        var eTags: [String] = []
        for number in 1...2 {
            switch try await calls.result(of: .part(number, key, id), body: bytes) {
            case .success(let answer): eTags += MultipartAnswers.eTag(answer.head).map { [$0] } ?? []
            case .failure: return false
            }
        }
        guard eTags.count == 2, try await complete(key, id, eTags) == nil else { return false }
        leftovers.uploads.removeAll { $0.id == id }
        var whole = bytes
        whole.writeImmutableBuffer(bytes)
        try await calls.expect(key, whole, "An object that was put together from small parts")
        return true
    }

    /// Aborts an upload, and looks for what is left of it.
    ///
    /// - Returns: Whether it is listed no more.
    private mutating func checkAborted() async throws(ProbeStop) -> Bool {
        let key = key("multipart/aborted")
        let id = try await begin(key)
        _ = try await part(1, bytes(Self.smallPartBytes), key, id)
        let list = RemoteCall(operation: "ListParts", method: "GET", key: key, query: [("uploadId", id)])
        if case .success(let answer) = try await calls.result(of: list) {
            abilities.partPageLimit = BucketAnswers.partPageLimit(answer.body)
        }
        let isListed = try await lists(id, key)
        abilities.listsUploads = isListed
        try await calls.perform(.abort(key, id))
        leftovers.uploads.removeAll { $0.id == id }
        try await calls.expectNothing(key, limit: Self.smallPartBytes, "An upload that was aborted")
        return try await !lists(id, key)
    }

    private mutating func begin(_ key: String) async throws(ProbeStop) -> String {
        var call = RemoteCall.createUpload(key)
        // Whoever does not wait for the answer does not learn what is to be aborted.
        call.isShielded = true
        let answer = try await calls.perform(call, body: ByteBuffer(), limit: MultipartAnswers.byteLimit)
        guard let id = MultipartAnswers.uploadID(answer.body) else {
            throw .refused("It began an upload without an id.")
        }
        leftovers.uploads.append((key, id))
        return id
    }

    private func part(
        _ number: Int, _ bytes: ByteBuffer, _ key: String, _ id: String
    ) async throws(ProbeStop) -> String {
        let answer = try await calls.perform(.part(number, key, id), body: bytes)
        guard let eTag = MultipartAnswers.eTag(answer.head) else { throw .refused("It took a part without an ETag.") }
        return eTag
    }

    /// - Returns: Nil where the upload was published.
    private func complete(_ key: String, _ id: String, _ eTags: [String]) async throws(ProbeStop) -> RemoteFault? {
        var call = RemoteCall(
            operation: "CompleteMultipartUpload", method: "POST", key: key, query: [("uploadId", id)],
            fields: ["content-type": "application/xml"])
        call.isRepeatable = false
        let document = MultipartAnswers.completion(of: eTags)
        switch try await calls.result(of: call, body: document, limit: MultipartAnswers.byteLimit) {
        case .success(let answer):
            return MultipartAnswers.failure(answer.head, answer.body).map { RemoteFault(call.operation, $0) }
        case .failure(let fault): return fault
        }
    }

    private func lists(_ id: String, _ key: String) async throws(ProbeStop) -> Bool {
        let call = RemoteCall.uploads(prefix: key, behind: nil)
        guard case .success(let answer) = try await calls.result(of: call, limit: UploadPage.byteLimit) else {
            return false
        }
        return UploadPage(answer.body)?.entries.contains { $0.id == id } == true
    }
}

extension RemoteCall {
    fileprivate static func part(_ number: Int, _ key: String, _ id: String) -> RemoteCall {
        RemoteCall(
            operation: "UploadPart", method: "PUT", key: key,
            query: [("partNumber", String(number)), ("uploadId", id)])
    }
}
