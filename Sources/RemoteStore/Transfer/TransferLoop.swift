import CCurl
import NIOCore
import Primitives

/// What the engine's thread does: it takes commands, lets libcurl work, hands over what came, and ends what is over.
final class TransferLoop {
    private static let tick: Int32 = 100

    private struct Waiting {
        let transfer: Transfer
        let since: UInt64
    }

    private let queue: TransferQueue
    private let settings: TransferSettings
    private let environment: any Environment
    private let multi: MultiHandle
    private var running: [ObjectIdentifier: RunningTransfer] = [:]
    private var waiting = CircularBuffer<Waiting>()
    private var isClosed = false

    /// Nil without memory.
    init?(_ queue: TransferQueue, _ settings: TransferSettings, _ environment: any Environment) {
        guard let multi = MultiHandle(connectionLimit: settings.transferLimit) else { return nil }
        (self.queue, self.settings, self.environment, self.multi) = (queue, settings, environment, multi)
    }

    /// Runs until the queue is closed.
    func run() {
        while true {
            for command in queue.take() { obey(command) }
            guard !isClosed else { return endAll(.closed) }
            startWaiting()
            guard multi.perform() else {
                endAll(.broken("libcurl is out of order"))
                continue
            }
            for transfer in running.values { transfer.flush() }
            endEnded()
            endOverdue()
            // What ended made room.
            startWaiting()
            let isIdle = running.isEmpty && waiting.isEmpty
            multi.wait(bell: queue.bell, milliseconds: isIdle ? 60_000 : Self.tick)
        }
    }

    private func obey(_ command: TransferQueue.Command) {
        switch command {
        case .start(let transfer):
            guard waiting.count < settings.waitingLimit else { return transfer.end(.failure(.overloaded)) }
            waiting.append(Waiting(transfer: transfer, since: environment.monotonicNanoseconds()))
        case .resume(let transfer): running[ObjectIdentifier(transfer)]?.resume()
        case .cancel(let transfer):
            if let index = waiting.firstIndex(where: { $0.transfer === transfer }) {
                waiting.remove(at: index)
                transfer.end(.failure(.cancelled))
            } else if let current = running[ObjectIdentifier(transfer)] {
                end(current, .failure(.cancelled))
            }
        case .close: isClosed = true
        }
    }

    private func startWaiting() {
        while running.count < settings.transferLimit, let next = waiting.popFirst() { start(next.transfer) }
    }

    private func start(_ transfer: Transfer) {
        guard let easy = EasyHandle() else { return transfer.end(.failure(.notConnected("there is no memory"))) }
        let current = RunningTransfer(transfer, easy, now: environment.monotonicNanoseconds)
        do throws(TransferError) {
            try easy.prepare(transfer.request, settings, context: current)
        } catch {
            return transfer.end(.failure(error))
        }
        guard multi.add(easy) else { return transfer.end(.failure(.notConnected("libcurl takes no transfer"))) }
        running[ObjectIdentifier(transfer)] = current
    }

    /// Lets go of the handle, and then tells the task: nothing is sent or received after that.
    private func end(_ current: RunningTransfer, _ outcome: Result<Void, TransferError>) {
        current.flush()
        multi.remove(current.easy)
        running[ObjectIdentifier(current.transfer)] = nil
        current.transfer.end(outcome)
    }

    private func endEnded() {
        for (identity, code) in multi.ended() {
            guard let current = running.values.first(where: { $0.easy.identity == identity }) else { continue }
            if let refusal = current.refusal {
                end(current, .failure(refusal))
            } else if code == CURLE_OK {
                end(current, .success(()))
            } else {
                end(current, .failure(Self.error(code, current.easy.describe(code))))
            }
        }
    }

    private func endOverdue() {
        let now = environment.monotonicNanoseconds()
        func isOver(_ start: UInt64, _ limit: Duration) -> Bool {
            now > start && Duration.nanoseconds(now - start) > limit
        }
        if let limit = settings.wholeTimeout {
            for current in Array(running.values) where isOver(current.started, limit) {
                end(current, .failure(.broken("it was not over within \(limit)")))
            }
        }
        for current in Array(running.values) where !current.isHeldUpByUs {
            if !current.hasAnswer, current.transfer.hasSentAll {
                guard isOver(current.lastProgress, settings.firstByteTimeout) else { continue }
                end(current, .failure(.broken("no answer came within \(settings.firstByteTimeout)")))
            } else if isOver(current.lastProgress, settings.stallTimeout) {
                end(current, .failure(.broken("nothing moved for \(settings.stallTimeout)")))
            }
        }
        while let first = waiting.first, isOver(first.since, settings.waitTimeout) {
            waiting.removeFirst()
            first.transfer.end(.failure(.overloaded))
        }
    }

    private func endAll(_ error: TransferError) {
        for current in Array(running.values) { end(current, .failure(error)) }
        for waiting in waiting { waiting.transfer.end(.failure(error)) }
        waiting.removeAll()
    }

    /// What a result of libcurl means for whoever asks whether the server may have taken the request.
    private static func error(_ code: CURLcode, _ detail: String) -> TransferError {
        switch code {
        case CURLE_COULDNT_RESOLVE_PROXY, CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_CONNECT, CURLE_SSL_CONNECT_ERROR,
            CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_PINNEDPUBKEYNOTMATCH, CURLE_SSL_CACERT_BADFILE,
            CURLE_SSL_CIPHER, CURLE_SSL_ISSUER_ERROR, CURLE_PROXY, CURLE_UNSUPPORTED_PROTOCOL, CURLE_URL_MALFORMAT,
            // The one timeout that libcurl keeps is that of connecting.
            CURLE_OPERATION_TIMEDOUT:
            .notConnected(detail)
        case CURLE_WEIRD_SERVER_REPLY, CURLE_BAD_CONTENT_ENCODING: .malformed(detail)
        default: .broken(detail)
        }
    }
}
