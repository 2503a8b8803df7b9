import NIOCore
package import Primitives
package import Storage

extension RemoteStore {
    package func read(_ name: BlobName, range: Range<Int64>, into sink: inout any BodySink) async throws(StorageError) {
        guard range.lowerBound >= 0 else { throw .invalidRange }
        guard !range.isEmpty else { return try await checkEnd(of: name, atLeast: range.lowerBound) }
        try await read(call(for: name, range), range, into: &sink)
    }

    /// Reads a range, not empty, by a request that may be made again for what is left of it. Where it has the field
    /// `if-match`, the answer must not tell another ETag, also where the backend does not know the condition.
    func read(
        _ call: RemoteCall, _ range: Range<Int64>, into sink: inout any BodySink
    ) async throws(StorageError) {
        var reading = Reading(call: call, range: range, sink: sink)
        let result = await reading.run(self)
        sink = reading.sink
        try result.get()
    }

    /// Checks that a blob is there and has so many bytes, by reading its last byte before that.
    ///
    /// A request for the head alone would not do: its refusal has no document, and so does not tell a missing blob from
    /// a missing bucket.
    private func checkEnd(of name: BlobName, atLeast length: Int64) async throws(StorageError) {
        let probed = max(length - 1, 0)..<max(length, 1)
        let call = call(for: name, probed)
        do throws(RemoteFault) {
            let outcome = try await client.repeating(call) { () throws(RemoteFault) -> RangeAnswer in
                let transfer = try client.begin(call, payload: .empty)
                let head = try await RemoteStore.rangeHead(call, transfer, client)
                await transfer.abandon()
                return RangeAnswer(head, wanted: probed)
            }
            // Of an empty blob there is no byte to read, but it is there.
            if case .wrong(let detail) = outcome { throw RemoteFault(call.operation, .wrong(detail)) }
            guard length > 0, outcome == .outside else { return }
        } catch {
            throw storageError(error)
        }
        throw .invalidRange
    }

    private func call(for name: BlobName, _ range: Range<Int64>) -> RemoteCall {
        .get(names.key(of: name), ["range": "bytes=\(range.lowerBound)-\(range.upperBound - 1)"])
    }

    /// The head of an answer to a request for a range: 200, 206 or 416. For any other the transfer has ended.
    fileprivate static func rangeHead(
        _ call: RemoteCall, _ transfer: Transfer, _ client: RemoteClient
    ) async throws(RemoteFault) -> ResponseHead {
        let head = try await client.awaiting(call, transfer) { () throws(TransferError) in try await transfer.head() }
        guard [200, 206, 416].contains(head.status) else { throw await client.refusal(of: call, on: transfer) }
        return head
    }
}

/// The reading of one range, which goes on where it broke off.
private struct Reading {
    /// What ends a reading for good.
    private enum End: Error {
        case fault(RemoteFault)
        case sink(BodyError)
        case outside
    }

    var call: RemoteCall
    /// What is still to be read.
    var range: Range<Int64>
    var sink: any BodySink

    mutating func run(_ store: RemoteStore) async -> Result<Void, StorageError> {
        var final: End?
        do throws(RemoteFault) {
            try await store.client.repeating(call) { () throws(RemoteFault) in
                do throws(End) {
                    try await readOnce(store.client)
                } catch {
                    // A fault of the backend may pass; the others end it.
                    if case .fault(let fault) = error { throw fault }
                    final = error
                }
            }
        } catch {
            return .failure(store.storageError(error))
        }
        switch final {
        case .sink(let error): return .failure(.sink(error))
        case .outside: return .failure(.invalidRange)
        case .fault, nil: return .success(())
        }
    }

    private mutating func readOnce(_ client: RemoteClient) async throws(End) {
        call.fields["range"] = "bytes=\(range.lowerBound)-\(range.upperBound - 1)"
        let transfer: Transfer
        let head: ResponseHead
        do throws(RemoteFault) {
            transfer = try client.begin(call, payload: .empty)
            head = try await RemoteStore.rangeHead(call, transfer, client)
        } catch {
            throw .fault(error)
        }
        if let wanted = call.fields["if-match"], let etag = head.fields["etag"],
            !RemoteObject.plain(etag).utf8.elementsEqual(RemoteObject.plain(wanted).utf8)
        {
            await transfer.abandon()
            throw .fault(RemoteFault(call.operation, .wrong("the object is another one by now")))
        }
        switch RangeAnswer(head, wanted: range) {
        case .exact: break
        case .outside:
            await transfer.abandon()
            throw .outside
        case .wrong(let detail):
            await transfer.abandon()
            throw .fault(RemoteFault(call.operation, .wrong(detail)))
        }
        while range.lowerBound < range.upperBound {
            guard let bytes = try await next(client, transfer) else {
                throw .fault(RemoteFault(call.operation, .wrong("its answer ended before its range did")))
            }
            guard bytes.readableBytes <= range.upperBound - range.lowerBound else {
                await transfer.abandon()
                throw .fault(RemoteFault(call.operation, .wrong("its answer has more bytes than its range")))
            }
            do throws(BodyError) {
                try await sink.write(bytes)
            } catch {
                await transfer.abandon()
                throw .sink(error)
            }
            range = (range.lowerBound + Int64(bytes.readableBytes))..<range.upperBound
        }
        // The connection is free again once the answer's end was seen.
        guard try await next(client, transfer) == nil else {
            await transfer.abandon()
            throw .fault(RemoteFault(call.operation, .wrong("its answer has more bytes than its range")))
        }
    }

    private func next(_ client: RemoteClient, _ transfer: Transfer) async throws(End) -> ByteBuffer? {
        do throws(RemoteFault) {
            return try await client.awaiting(call, transfer) { () throws(TransferError) in try await transfer.next() }
        } catch {
            throw .fault(error)
        }
    }
}
