import NIOCore
import Primitives
import Testing

@testable import RemoteStore

/// What a task and the thread share, without either: every wait is a continuation that the test holds.
@Suite struct TransferStateTests {
    private let piece = ByteBuffer(repeating: 7, count: TransferState.bound / 2)

    /// Runs the actions that end waits, and tells whether the thread is to go on.
    private func perform(_ actions: [TransferState.Action]) -> Bool {
        var resumes = false
        for action in actions {
            switch action {
            case .none: break
            case .resumeTransfer: resumes = true
            case .resumeSender(let waiter, let isWanted): waiter.resume(returning: isWanted)
            case .resumeHead(let waiter, let result): waiter.resume(returning: result)
            case .resumeReceiver(let waiter, let result): waiter.resume(returning: result)
            case .resumeEnd(let waiter): waiter.resume()
            }
        }
        return resumes
    }

    @Test func aSenderWaitsForRoom() async {
        var state = TransferState(sendsNothing: false)
        _ = await withCheckedContinuation { _ = perform(state.send(piece, $0)) }
        let isWanted = await withCheckedContinuation { continuation in
            // The second piece fills it, so that nobody is woken until one is taken.
            #expect(state.send(piece, continuation).allSatisfy { if case .none = $0 { true } else { false } })
            guard case (.bytes, let action) = state.takeOutgoing(pauses: true) else { return }
            _ = perform([action])
        }
        #expect(isWanted)
        #expect(!state.hasSentAll)
        _ = perform([state.finishSending()])
        guard case (.bytes, _) = state.takeOutgoing(pauses: true), case (.end, _) = state.takeOutgoing(pauses: true)
        else {
            Issue.record("The rest is missing.")
            return
        }
        #expect(state.hasSentAll)
    }

    @Test func aThreadWithoutBytesPausesUntilSomeCome() async {
        var state = TransferState(sendsNothing: false)
        for pauses in [false, true] {
            let (outgoing, _) = state.takeOutgoing(pauses: pauses)
            guard case .wait = outgoing else {
                Issue.record("There is nothing to send.")
                return
            }
            #expect(state.isSendingPaused == pauses)
        }
        var resumes = false
        _ = await withCheckedContinuation { resumes = perform(state.send(piece, $0)) }
        #expect(resumes && !state.isSendingPaused)
    }

    @Test func aThreadWaitsForAReceiver() async throws {
        var state = TransferState(sendsNothing: true)
        for _ in 0..<2 {
            let hasRoom = state.hasRoom()
            #expect(hasRoom)
            _ = perform([state.receive(piece)])
        }
        let hasRoom = state.hasRoom()
        #expect(!hasRoom && state.isReceivingPaused)
        // It goes on once half of the room is free.
        var resumes: [Bool] = []
        for _ in 0..<2 {
            let taken: Result<ByteBuffer?, TransferError> = await withCheckedContinuation {
                resumes.append(perform(state.awaitBytes($0)))
            }
            #expect(try taken.get()?.readableBytes == piece.readableBytes)
        }
        #expect(resumes == [false, true])
        #expect(!state.isReceivingPaused)
    }

    @Test func whatCameBeforeAFailureIsStillTaken() async throws {
        var state = TransferState(sendsNothing: true)
        _ = perform([state.receive(ResponseHead(status: 200))])
        _ = perform([state.receive(piece)])
        _ = perform(state.end(.failure(.broken("a"))))
        // Only the first end counts.
        _ = perform(state.end(.success(())))
        let head: Result<ResponseHead, TransferError> = await withCheckedContinuation {
            _ = perform([state.awaitHead($0)])
        }
        #expect(try head.get().status == 200)
        let first: Result<ByteBuffer?, TransferError> = await withCheckedContinuation {
            _ = perform(state.awaitBytes($0))
        }
        #expect(try first.get()?.readableBytes == piece.readableBytes)
        let second: Result<ByteBuffer?, TransferError> = await withCheckedContinuation {
            _ = perform(state.awaitBytes($0))
        }
        #expect(throws: TransferError.broken("a")) { try second.get() }
        let isWanted = await withCheckedContinuation { _ = perform(state.send(piece, $0)) }
        #expect(!isWanted)
    }

    @Test func anEndWithoutAHeadIsAFailure() async {
        var state = TransferState(sendsNothing: true)
        let head: Result<ResponseHead, TransferError> = await withCheckedContinuation {
            _ = perform([state.awaitHead($0)])
            _ = perform(state.end(.success(())))
        }
        #expect(throws: TransferError.broken("there was no answer")) { try head.get() }
    }
}
