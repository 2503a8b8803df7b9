import Dispatch
import Glibc

/// What the system asks of the process.
enum ProcessSignal: Sendable {
    /// SIGTERM or SIGINT: stop taking connections, finish what is in flight, and end.
    case drain
    /// SIGHUP: read the TLS files again.
    case reload
}

/// Turns signals into values.
enum ProcessSignals {
    /// The signals from now on; they lose their default effect for the rest of the process's life. A second SIGTERM or
    /// SIGINT comes as a second `drain`, which the caller may take as leave to end at once.
    static func stream() -> AsyncStream<ProcessSignal> {
        // A client that goes away must end in an error of the call, not in the end of the process.
        ignore(SIGPIPE)
        let queue = DispatchQueue(label: "tidegate.signals")
        return AsyncStream { continuation in
            let meanings: [(Int32, ProcessSignal)] = [(SIGTERM, .drain), (SIGINT, .drain), (SIGHUP, .reload)]
            for (number, meaning) in meanings {
                ignore(number)
                let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
                source.setEventHandler {
                    // The handler holds its source, which thereby lives as long as the process.
                    withExtendedLifetime(source) { _ = continuation.yield(meaning) }
                }
                source.activate()
            }
        }
    }

    /// No other code of the process sets a handler.
    private static func ignore(_ number: Int32) {
        _ = signal(number, SIG_IGN)
    }
}
