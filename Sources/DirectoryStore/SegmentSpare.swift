import Synchronization

/// Keeps one new segment ready, so that no write waits until a file is filled with zeros.
final class SegmentSpare: Sendable {
    private struct State {
        var ready: Segment?
        var lastNumber: UInt64
        var isClosed = false
    }

    private let directory: OpenFile
    private let size: Int64
    private let temporaries: TemporaryFiles
    private let threads: IOThreads
    /// Locked while a segment is made: whoever needs it then waits for it.
    private let state: Mutex<State>

    /// - Parameters:
    ///   - size: The size of every segment made.
    ///   - number: The highest number of a segment so far.
    init(
        in directory: OpenFile, size: Int64, after number: UInt64, temporaries: TemporaryFiles, threads: IOThreads
    ) {
        (self.directory, self.size, self.temporaries, self.threads) = (directory, size, temporaries, threads)
        state = Mutex(State(lastNumber: number))
    }

    /// Has the next segment made by another thread, where none is ready.
    func prepare() {
        // Where the queue is full, the next taker makes its own.
        threads.submit { [self] in
            state.withLock { state in
                guard state.ready == nil, !state.isClosed else { return }
                do throws(SystemError) {
                    state.ready = try make(&state)
                } catch {
                    // The next taker tries again, and tells its caller.
                }
            }
        }
    }

    /// A new segment, and has the one after it made.
    func take() throws(SystemError) -> Segment {
        let segment = try state.withLock { (state) throws(SystemError) in
            guard let ready = state.ready.take() else { return try make(&state) }
            return ready
        }
        prepare()
        return segment
    }

    /// Makes nothing more, and returns once nothing is being made.
    func close() {
        state.withLock { $0.isClosed = true }
    }

    private func make(_ state: inout State) throws(SystemError) -> Segment {
        state.lastNumber += 1
        return try Segment.make(state.lastNumber, size: size, in: directory, from: temporaries)
    }
}
