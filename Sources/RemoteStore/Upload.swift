import NIOCore
import Primitives
import Storage

/// A multipart upload to the backend: a part that is sent is in memory, so that it can be sent again, and so is what
/// has come of the next one.
struct Upload {
    /// The most parts that S3 takes.
    static let partLimit: Int64 = 10_000

    let store: RemoteStore
    let key: String
    let partBytes: Int
    private var id = ""
    private var eTags: [String] = []

    init(store: RemoteStore, key: String, partBytes: Int) {
        (self.store, self.key, self.partBytes) = (store, key, partBytes)
    }

    /// Begins the upload and sends every part. Where that fails, the upload is aborted.
    ///
    /// - Parameter first: What was taken from the body already.
    mutating func run(_ first: [ByteBuffer], _ pieces: inout BodyPieces) async throws(StorageError) {
        do throws(RemoteFault) {
            id = try await begin()
        } catch {
            throw store.fault(error)
        }
        do throws(StorageError) {
            try await sendParts(first, &pieces)
        } catch {
            await abort()
            throw error
        }
    }

    /// Sends each part while the next one is taken from the body, so that neither waits for the other.
    private mutating func sendParts(_ first: [ByteBuffer], _ pieces: inout BodyPieces) async throws(StorageError) {
        let begun = first.reduce(0) { $0 + $1.readableBytes }
        var (part, isLast) = try await pieces.next(partBytes - begun)
        part = first + part
        while true {
            guard eTags.count < Self.partLimit else {
                throw .source(BodyError(.tooLarge, "The body has more bytes than the store takes."))
            }
            let (upload, bytes, number) = (self, part, eTags.count + 1)
            async let sent = upload.outcome(of: bytes, number: number)
            let wasLast = isLast
            if !isLast { (part, isLast) = try await pieces.next(partBytes) }
            switch await sent {
            case .success(let eTag): eTags.append(eTag)
            case .failure(let fault): throw store.fault(fault)
            }
            if wasLast { return }
        }
    }

    /// What became of a part, for a task that cannot throw what it means.
    private func outcome(of part: [ByteBuffer], number: Int) async -> Result<String, RemoteFault> {
        do throws(RemoteFault) {
            return .success(try await send(part, number: number))
        } catch {
            return .failure(error)
        }
    }

    private func begin() async throws(RemoteFault) -> String {
        var call = RemoteCall.createUpload(key)
        // Whoever does not wait for the answer does not learn what is to be aborted.
        call.isShielded = true
        let answer = try await store.client.perform(call, body: [], limit: MultipartAnswers.byteLimit)
        guard let id = MultipartAnswers.uploadID(answer.body) else {
            throw RemoteFault(call.operation, .wrong("it began an upload without an id"))
        }
        return id
    }

    private func send(_ part: [ByteBuffer], number: Int) async throws(RemoteFault) -> String {
        let call = call("UploadPart", "PUT", [("partNumber", String(number)), ("uploadId", id)])
        let answer = try await store.client.perform(call, body: part, limit: ErrorAnswer.byteLimit)
        guard let eTag = MultipartAnswers.eTag(answer.head) else {
            throw RemoteFault(call.operation, .wrong("it took a part without an ETag"))
        }
        return eTag
    }

    /// Publishes the blob. Nil where that succeeded.
    func complete() async -> RemoteFault? {
        var call = call("CompleteMultipartUpload", "POST", [("uploadId", id)])
        call.fields["content-type"] = "application/xml"
        let document = MultipartAnswers.completion(of: eTags)
        do throws(RemoteFault) {
            _ = try await store.client.perform(call, body: [document], limit: MultipartAnswers.byteLimit) {
                (answer) throws(RemoteFault) in
                guard let failure = MultipartAnswers.failure(answer.head, answer.body) else { return }
                throw RemoteFault(call.operation, failure)
            }
            return nil
        } catch {
            return error
        }
    }

    /// Frees what the backend keeps of it, also for a task that was cancelled. What cannot be aborted is kept in the
    /// store's list.
    func abort() async {
        var call = RemoteCall.abort(key, id)
        call.isShielded = true
        do throws(RemoteFault) {
            _ = try await store.client.perform(call, limit: ErrorAnswer.byteLimit)
        } catch {
            guard !error.hasCode("NoSuchUpload") else { return }
            store.leaveBehind(RemoteStore.UploadLeftBehind(key: key, id: id))
        }
    }

    private func call(_ operation: String, _ method: String, _ query: [(name: String, value: String)]) -> RemoteCall {
        RemoteCall(operation: operation, method: method, key: key, query: query)
    }
}
