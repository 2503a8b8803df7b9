import Synchronization

/// Keeps one new segment ready, so that no write waits until a file is filled with zeros, and so that there is room to
/// move blobs to on a disk that is full.
///
/// New blobs get a segment only where there is room for the next one too: without it nothing could be moved out of
/// sparse segments, and their room would be lost until each was empty.
final class SegmentSpare: Sendable {
    private struct State {
        var ready: OpenSegment?
        /// A file that has its room, but was not filled yet.
        var allocated: TemporaryFile?
        var lastNumber: UInt64
        var isClosed = false
    }

    private let directory: OpenFile
    private let size: Int64
    private let temporaries: TemporaryFiles
    private let threads: IOThreads
    /// Locked while a segment is made: whoever needs it then waits for it.
    private let state: Mutex<State>
    /// Whether the next segment could not be made, so that the present one is kept for moving.
    private let isShort = Atomic(false)

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
                    isShort.store(true, ordering: .relaxed)  // Whoever writes next tries again, and is told.
                }
            }
        }
    }

    /// Throws what keeps new blobs from being taken: no room for the next segment.
    func admit() throws(SystemError) {
        guard isShort.load(ordering: .relaxed) else { return }
        try state.withLock { (state) throws(SystemError) in
            if state.ready == nil { _ = try allocate(&state) }
        }
        isShort.store(false, ordering: .relaxed)
        prepare()
    }

    /// A new segment, and has the one after it made.
    ///
    /// - Parameter moves: Whether it is to take blobs out of a sparse segment, whose room then comes back.
    func take(toMove moves: Bool) throws(SystemError) -> OpenSegment {
        let segment = try state.withLock { (state) throws(SystemError) in
            let ready: OpenSegment
            if let kept = state.ready { ready = kept } else { ready = try make(&state) }
            state.ready = ready
            do throws(SystemError) {
                _ = try allocate(&state)
            } catch {
                isShort.store(true, ordering: .relaxed)
                guard moves else { throw error }
            }
            state.ready = nil
            return ready
        }
        prepare()
        return segment
    }

    /// Makes nothing more, and returns once nothing is being made.
    func close() {
        state.withLock { state in
            state.isClosed = true
            state.allocated = nil
        }
    }

    private func allocate(_ state: inout State) throws(SystemError) -> TemporaryFile {
        if let file = state.allocated { return file }
        let file = try Segment.allocate(size, from: temporaries)
        state.allocated = file
        return file
    }

    private func make(_ state: inout State) throws(SystemError) -> OpenSegment {
        let file = try allocate(&state)
        state.allocated = nil
        state.lastNumber += 1
        return try Segment.make(state.lastNumber, size: size, of: file, in: directory)
    }
}
