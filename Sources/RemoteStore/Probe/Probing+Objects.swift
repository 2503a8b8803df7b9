import NIOCore
import Primitives

/// Single objects: what is written is there, wholly, and what is not is not.
extension Probing {
    /// Long enough that it does not come in one piece.
    private static let objectBytes = 100_000
    /// Before the keys of the listings.
    var listed: String { folder + "list/" }

    mutating func missingKey() async throws(ProbeStop) -> ProbeOutcome {
        switch try await calls.result(of: .get(folder + "nothing")) {
        case .success: return .refused("It has an object under a key that was drawn by lot.")
        case .failure(let fault):
            if fault.isNotFound { return .good("It says NoSuchKey of a key without an object.") }
            guard case .refused(let answer) = fault.kind, answer.status < 500 else { throw .fault(fault) }
            let advice =
                answer.status == 403 ? " S3 answers so where the credentials lack s3:ListBucket on the bucket." : ""
            return .refused(
                "Of a key without an object it has to say NoSuchKey, since a 404 without that may as well be a bucket "
                    + "that is gone; it says: \(fault).\(advice)")
        }
    }

    mutating func readAfterWrite() async throws(ProbeStop) -> ProbeOutcome {
        for (name, count) in [("long", Self.objectBytes), ("empty", 0), ("byte", 1)] {
            let (key, bytes) = (key(name), bytes(count))
            try await calls.put(key, bytes)
            try await calls.expect(key, bytes, "An object of \(count) bytes that was just written")
            // By its length, a write without an answer is told from one that came to nothing.
            let head = try await calls.perform(.head(key), limit: 0)
            guard RangeAnswer.length(head.head) == Int64(count) else {
                throw .refused("The head of an object of \(count) bytes tells another length.")
            }
        }
        return .good("Objects of \(Self.objectBytes), 1 and 0 bytes were read back as soon as they were written.")
    }

    mutating func wholeOrAbsent() async throws(ProbeStop) -> ProbeOutcome {
        let (torn, announced) = (key("list/torn"), probe.sizes.torn)
        guard calls.isInTime else { throw .outOfTime }
        try await breakOff(torn, announced)
        try await calls.expectNothing(torn, limit: announced, "An object whose request broke off")
        return .good("A request that broke off left nothing under its key.")
    }

    /// Sends most of a request, breaks it off, and waits until nothing more is sent.
    private func breakOff(_ key: String, _ announced: Int) async throws(ProbeStop) {
        let bytes = bytes(announced)
        let transfer: Transfer
        do throws(RemoteFault) {
            transfer = try calls.client.begin(
                .put(key), length: Int64(announced), payload: calls.client.payload(of: [bytes]))
        } catch {
            throw .fault(error)
        }
        var rest = bytes.getSlice(at: 0, length: announced / 8 * 7) ?? ByteBuffer()
        while let piece = rest.readSlice(length: min(rest.readableBytes, 64 << 10)), piece.readableBytes > 0 {
            guard await transfer.send(piece) else { break }
        }
        await transfer.abandon()
        do throws(TransferError) {
            // An answer that came all the same tells nothing: what counts is what lies there.
            _ = try await transfer.head()
        } catch {
            // It is our own breaking off that ended it.
            guard error == .cancelled, !Task.isCancelled else {
                throw .fault(RemoteFault("PutObject", .transfer(error)))
            }
        }
    }

    mutating func rangeReads() async throws(ProbeStop) -> ProbeOutcome {
        abilities.rangeReads = false
        let (key, bytes) = (key("long"), bytes(Self.objectBytes))
        try await calls.put(key, bytes)
        let end = Int64(Self.objectBytes)
        for range in [0..<1, end - 1..<end, 65_535..<65_537, 1000..<60_000, 0..<end] {
            try await expect(range, of: bytes, under: key)
        }
        // What lies behind the end must not look like a part of it.
        for range in [end..<end + 1, end - 10..<end + 10] {
            let (_, answer) = try await read(range, of: key)
            guard answer == .outside else {
                throw .refused("A range that goes beyond the end of its object is answered as if it did not.")
            }
        }
        abilities.rangeReads = true
        return .good("Ranges at the beginning, in the middle and at the end were read bit for bit, none beyond it.")
    }

    /// - Throws: `refused` unless a range is read right.
    func expect(_ range: Range<Int64>, of bytes: ByteBuffer, under key: String) async throws(ProbeStop) {
        let (found, answer) = try await read(range, of: key)
        if case .wrong(let detail) = answer {
            throw .refused("The range \(range) of an object of \(bytes.readableBytes) bytes: \(detail).")
        }
        guard answer == .exact, found == bytes.getSlice(at: Int(range.lowerBound), length: range.count) else {
            throw .refused("The range \(range) of an object of \(bytes.readableBytes) bytes is read with other bytes.")
        }
    }

    private func read(
        _ range: Range<Int64>, of key: String
    ) async throws(ProbeStop) -> (bytes: ByteBuffer, answer: RangeAnswer) {
        let call = RemoteCall.get(key, ["range": "bytes=\(range.lowerBound)-\(range.upperBound - 1)"])
        // A whole object instead of its part is to be seen as such.
        switch try await calls.result(of: call, limit: Self.objectBytes + range.count) {
        case .success(let answer): return (answer.body, RangeAnswer(answer.head, wanted: range))
        case .failure(let fault):
            guard case .refused(let answer) = fault.kind, answer.status == 416 else { throw .fault(fault) }
            return (ByteBuffer(), .outside)
        }
    }

    mutating func overwrite() async throws(ProbeStop) -> ProbeOutcome {
        let key = key("again")
        for count in [1000, 10, 5000, 999] {
            let bytes = bytes(count)
            try await calls.put(key, bytes)
            try await calls.expect(key, bytes, "An object that was just overwritten")
            // As a write that is made again.
            try await calls.put(key, bytes)
        }
        return .good("What was written last was read, four times in a row, and the same bytes were taken again.")
    }
}
