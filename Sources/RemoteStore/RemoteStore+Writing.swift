import NIOCore
package import Primitives
import Signing
package import Storage

extension RemoteStore {
    package func write(_ name: BlobName, _ body: consuming Body) async throws(StorageError) -> BlobReceipt {
        let announced = body.length
        var pieces = BodyPieces(body)
        let (first, isLast) = try await pieces.next(settings.bufferedBytes)
        if isLast {
            try await put(name, first)
        } else if let announced, announced <= settings.streamedBytes, client.endpoint.isEncrypted {
            try await stream(name, first, &pieces, length: announced)
        } else {
            var upload = Upload(store: self, key: names.key(of: name), partBytes: partBytes(for: announced))
            try await upload.run(first, &pieces)
            try await complete(upload, name, length: pieces.delivered)
        }
        return BlobReceipt(length: pieces.delivered)
    }

    /// One request with bytes that are in memory, so that it can be made again.
    private func put(_ name: BlobName, _ buffers: [ByteBuffer]) async throws(StorageError) {
        let call = RemoteCall.put(names.key(of: name))
        do throws(RemoteFault) {
            _ = try await client.perform(call, body: buffers, limit: ErrorAnswer.byteLimit)
        } catch {
            let length = buffers.reduce(0) { $0 + Int64($1.readableBytes) }
            try await settle(error, name, length: length, mayBeThere: error.mayHaveTakenEffect)
        }
    }

    /// One request that sends what the body delivers.
    ///
    /// The last buffer is held back until the body has delivered its end: the backend has the announced bytes, and
    /// publishes them, only when the body is right.
    private func stream(
        _ name: BlobName, _ first: [ByteBuffer], _ pieces: inout BodyPieces, length: Int64
    ) async throws(StorageError) {
        let call = RemoteCall.put(names.key(of: name))
        let transfer: Transfer
        do throws(RemoteFault) {
            transfer = try client.begin(call, length: length, payload: .unsigned)
        } catch {
            throw fault(error)
        }
        do throws(StorageError) {
            try await send(first, &pieces, on: transfer)
        } catch {
            await transfer.abandon()
            throw error
        }
        do throws(RemoteFault) {
            _ = try await client.answer(to: call, on: transfer, limit: ErrorAnswer.byteLimit)
        } catch {
            // What came of the body is gone, so that it cannot be sent again; the next call has the right time.
            _ = client.followClock(error)
            let mayBeThere = error.mayHaveTakenEffect && transfer.hasSentAll
            try await settle(error, name, length: length, mayBeThere: mayBeThere)
        }
    }

    /// Returns also where the backend wants no more: its answer says why.
    private func send(
        _ first: [ByteBuffer], _ pieces: inout BodyPieces, on transfer: Transfer
    ) async throws(StorageError) {
        var held: ByteBuffer?
        for buffer in first {
            if let held, await !transfer.send(held) { return }
            held = buffer
        }
        while let buffer = try await pieces.nextBuffer() {
            if let held, await !transfer.send(held) { return }
            held = buffer
        }
        if let held, await !transfer.send(held) { return }
        transfer.finishSending()
    }

    /// Decides what became of a write that failed: where it may have succeeded all the same, the backend is asked.
    /// Names are never used again, so that a blob of the right length under the name is the one that was sent.
    ///
    /// - Throws: The fault, unless the blob is there.
    private func settle(
        _ fault: RemoteFault, _ name: BlobName, length: Int64, mayBeThere: Bool
    ) async throws(StorageError) {
        guard mayBeThere, !fault.isCancelled else { throw self.fault(fault) }
        let call = RemoteCall.head(names.key(of: name))
        do throws(RemoteFault) {
            let answer = try await client.perform(call, limit: 0)
            guard RangeAnswer.length(answer.head) == length else { throw fault }
        } catch {
            throw self.fault(fault)
        }
    }

    private func complete(_ upload: Upload, _ name: BlobName, length: Int64) async throws(StorageError) {
        guard let error = await upload.complete() else { return }
        do throws(StorageError) {
            try await settle(
                error, name, length: length, mayBeThere: error.mayHaveTakenEffect || error.hasCode("NoSuchUpload"))
        } catch {
            await upload.abort()
            throw error
        }
    }

    private func partBytes(for length: Int64?) -> Int {
        // Of a length that is not known, the most parts make the longest blob.
        max(settings.partBytes, Int(clamping: ((length ?? 0) + Upload.partLimit - 1) / Upload.partLimit))
    }

    /// What the caller is told of a fault in a write. A cancelled task is no fault of the backend's.
    func fault(_ fault: RemoteFault) -> StorageError {
        if fault.isCancelled { return .source(BodyError(.cancelled, "The write was cancelled.")) }
        // A key that is not there is no blob's that is being written.
        return fault.isNotFound ? .unavailable("\(self.name): \(fault)") : fault.storageError(of: self.name)
    }
}
