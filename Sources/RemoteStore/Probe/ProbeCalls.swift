import NIOCore
import Primitives

/// The requests of the probe, until its time is over.
struct ProbeCalls: Sendable {
    let client: RemoteClient
    let environment: any Environment
    /// By the monotonic clock.
    let deadline: UInt64

    var isInTime: Bool { environment.monotonicNanoseconds() < deadline }

    @discardableResult
    func perform(
        _ call: RemoteCall, body: ByteBuffer? = nil, limit: Int = ErrorAnswer.byteLimit
    ) async throws(ProbeStop) -> RemoteAnswer {
        guard isInTime else { throw .outOfTime }
        do throws(RemoteFault) {
            return try await client.perform(call, body: body.map { [$0] }, limit: limit)
        } catch {
            throw .fault(error)
        }
    }

    /// As `perform`; a fault is a result, which may be what was hoped for.
    func result(
        of call: RemoteCall, body: ByteBuffer? = nil, limit: Int = ErrorAnswer.byteLimit
    ) async throws(ProbeStop) -> Result<RemoteAnswer, RemoteFault> {
        do throws(ProbeStop) {
            return .success(try await perform(call, body: body, limit: limit))
        } catch {
            guard case .fault(let fault) = error, !fault.isCancelled else { throw error }
            return .failure(fault)
        }
    }

    @discardableResult
    func put(_ key: String, _ bytes: ByteBuffer, _ fields: HeaderFields = [:]) async throws(ProbeStop) -> RemoteAnswer {
        try await perform(.put(key, fields), body: bytes)
    }

    /// The whole object; nil where there is none.
    ///
    /// - Parameter limit: The most bytes that it has.
    func object(_ key: String, limit: Int) async throws(ProbeStop) -> ByteBuffer? {
        switch try await result(of: .get(key), limit: limit) {
        case .success(let answer): return answer.body
        case .failure(let fault):
            guard fault.isNotFound else { throw .fault(fault) }
            return nil
        }
    }

    /// - Throws: `refused` unless the object has these bytes.
    func expect(_ key: String, _ bytes: ByteBuffer, _ what: String) async throws(ProbeStop) {
        guard let found = try await object(key, limit: bytes.readableBytes) else {
            throw .refused("\(what) is not there.")
        }
        guard found == bytes else { throw .refused("\(what) is read with other bytes.") }
    }

    /// - Throws: `refused` unless there is no object.
    func expectNothing(_ key: String, limit: Int, _ what: String) async throws(ProbeStop) {
        guard try await object(key, limit: limit) == nil else { throw .refused("\(what) can be read.") }
    }

    /// As `RemoteStore.delete`.
    func delete(_ key: String) async throws(ProbeStop) {
        if case .failure(let fault) = try await result(of: .delete(key)), !fault.isNotFound { throw .fault(fault) }
    }
}
