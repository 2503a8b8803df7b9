import Cryptography
import NIOCore
import Primitives
import Signing
import Synchronization

/// Speaks S3 with one backend: signs, sends, reads answers within bounds, and makes requests again where that is safe.
final class RemoteClient: Sendable {
    /// Bytes whose SHA-256 is signed also where TLS protects them: below this it costs next to nothing.
    private static let cheapBytes = 64 << 10

    let endpoint: RemoteEndpoint
    let engine: TransferEngine
    let clock: RemoteClock
    private let environment: any Environment
    private let policy: RetryPolicy
    private let credentials: Mutex<SigningCredentials>

    init(
        _ endpoint: RemoteEndpoint, _ credentials: SigningCredentials, engine: TransferEngine, policy: RetryPolicy,
        environment: any Environment
    ) {
        (self.endpoint, self.engine, self.policy, self.environment) = (endpoint, engine, policy, environment)
        self.credentials = Mutex(credentials)
        clock = RemoteClock(environment)
    }

    /// Signs with other credentials from the next request on.
    func use(_ credentials: SigningCredentials) {
        self.credentials.withLock { $0 = credentials }
    }

    /// Makes a request whose body, if any, is in memory, again where it fails of what may pass.
    ///
    /// - Parameters:
    ///   - body: Nil for a request without one.
    ///   - limit: The most bytes of an answer.
    ///   - check: Throws where an answer with a status of success tells of none.
    func perform(
        _ call: RemoteCall, body: [ByteBuffer]? = nil, limit: Int,
        check: (RemoteAnswer) throws(RemoteFault) -> Void = { _ in }
    ) async throws(RemoteFault) -> RemoteAnswer {
        let payload = payload(of: body)
        return try await repeating(call) { () throws(RemoteFault) in
            let length = body.map { $0.reduce(0) { $0 + Int64($1.readableBytes) } }
            let transfer = try begin(call, length: length, payload: payload)
            for buffer in body ?? [] {
                guard await transfer.send(buffer) else { break }
            }
            transfer.finishSending()
            let answer = try await answer(to: call, on: transfer, limit: limit)
            try check(answer)
            return answer
        }
    }

    /// Signs a request and starts it. Its owner ends the transfer.
    func begin(_ call: RemoteCall, length: Int64? = nil, payload: PayloadMode) throws(RemoteFault) -> Transfer {
        var fields = call.fields
        fields["host"] = endpoint.host
        if let length {
            fields["content-length"] = String(length)
            fields["content-type"] = fields["content-type"] ?? "application/octet-stream"
        }
        var head = RequestHead(
            method: call.method, target: endpoint.target(key: call.key, query: call.query), fields: fields)
        let signer = Signer(credentials: credentials.withLock { $0 }, region: endpoint.region)
        do throws(SigningError) {
            try signer.sign(&head, payload: payload, at: clock.now())
        } catch {
            throw RemoteFault(call.operation, .wrong("the request cannot be signed: \(error.message)"))
        }
        let request = TransferRequest(origin: endpoint.origin, head: head, contentLength: length)
        return engine.start(request, isShielded: call.isShielded)
    }

    /// Reads the whole answer. The transfer has ended then.
    ///
    /// - Throws: Also for every status but 200, 201, 204 and 206, and for a document where S3 has none.
    func answer(
        to call: RemoteCall, on transfer: Transfer, limit: Int
    ) async throws(RemoteFault) -> RemoteAnswer {
        let head = try await awaiting(call, transfer) { () throws(TransferError) in try await transfer.head() }
        let isSuccess = [200, 201, 204, 206].contains(head.status)
        let limit = isSuccess ? limit : ErrorAnswer.byteLimit
        var body = ByteBuffer()
        while var piece = try await awaiting(call, transfer, { () throws(TransferError) in try await transfer.next() })
        {
            guard body.readableBytes + piece.readableBytes <= limit else {
                await transfer.abandon()
                throw RemoteFault(
                    call.operation,
                    isSuccess
                        ? .wrong("its answer has more than \(limit) bytes") : .refused(ErrorAnswer(head, document: nil))
                )
            }
            body.writeBuffer(&piece)
        }
        guard isSuccess else { throw RemoteFault(call.operation, .refused(ErrorAnswer(head, body))) }
        if call.isAnsweredBare, let failure = BareAnswer.failure(head, body) {
            throw RemoteFault(call.operation, failure)
        }
        return RemoteAnswer(head: head, body: body)
    }

    /// Waits for something of a transfer, which has ended where that fails.
    func awaiting<Value>(
        _ call: RemoteCall, _ transfer: Transfer, _ wait: () async throws(TransferError) -> Value
    ) async throws(RemoteFault) -> Value {
        do throws(TransferError) {
            return try await wait()
        } catch {
            await transfer.abandon()
            throw RemoteFault(call.operation, .transfer(error))
        }
    }

    /// What an answer that is no success says; the transfer has ended then.
    func refusal(of call: RemoteCall, on transfer: Transfer) async -> RemoteFault {
        do throws(RemoteFault) {
            let answer = try await answer(to: call, on: transfer, limit: ErrorAnswer.byteLimit)
            return RemoteFault(call.operation, .wrong("it answered with the status \(answer.head.status)"))
        } catch {
            return error
        }
    }

    /// Does a thing again where it fails of what may pass, with pauses, and with the backend's time where it refuses
    /// ours.
    func repeating<Value>(
        _ call: RemoteCall, _ once: () async throws(RemoteFault) -> Value
    ) async throws(RemoteFault) -> Value {
        var (attempt, hasFollowedClock) = (1, false)
        while true {
            do throws(RemoteFault) {
                return try await once()
            } catch {
                if !hasFollowedClock, followClock(error) {
                    hasFollowedClock = true
                    continue
                }
                attempt += 1
                try await pause(before: attempt, after: error, isRepeatable: call.isRepeatable)
            }
        }
    }

    /// Waits until a request may be made again.
    ///
    /// - Throws: The fault, where it may not.
    private func pause(
        before attempt: Int, after fault: RemoteFault, isRepeatable: Bool
    ) async throws(RemoteFault) {
        guard attempt <= policy.attempts, fault.isPassing, isRepeatable || !fault.mayHaveTakenEffect,
            let pause = policy.pause(before: attempt, after: fault, random: environment.random())
        else { throw fault }
        do throws(CancellationError) {
            try await environment.sleep(for: pause)
        } catch {
            throw RemoteFault(fault.operation, .transfer(.cancelled))
        }
    }

    /// Takes over the backend's time where it refused ours. Whether it did.
    ///
    /// S3 has a code for that; rclone's server says `AccessDenied` to what seems too old. So any refusal counts that
    /// tells a time far from the one that was signed.
    func followClock(_ fault: RemoteFault) -> Bool {
        guard case .refused(let answer) = fault.kind, let time = answer.time else { return false }
        let mayBeForTime = [400, 401, 403].contains(answer.status) && clock.isFar(from: time)
        guard fault.hasCode("RequestTimeTooSkewed") || mayBeForTime else { return false }
        return clock.follow(time)
    }

    /// What is signed of a payload in memory: its SHA-256, unless TLS protects it and it is long.
    func payload(of body: [ByteBuffer]?) -> PayloadMode {
        let body = body ?? []
        let count = body.reduce(0) { $0 + $1.readableBytes }
        guard !endpoint.isEncrypted || count <= Self.cheapBytes else { return .unsigned }
        let digest = Digest(.sha256)
        for buffer in body { digest.update(buffer) }
        return .sha256(digest.finalize())
    }
}
