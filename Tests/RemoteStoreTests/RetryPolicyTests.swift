import Primitives
import Testing

@testable import RemoteStore

@Suite struct RetryPolicyTests {
    private let policy = RetryPolicy()
    private let broken = RemoteFault("A", .transfer(.broken("b")))

    @Test func pausesDoubleAndAreSpread() throws {
        for (attempt, longest) in [(2, 100), (3, 200), (4, 400), (9, 8000), (60, 8000)] {
            let lowest = try #require(policy.pause(before: attempt, after: broken, random: 0))
            let highest = try #require(policy.pause(before: attempt, after: broken, random: 1024))
            #expect(lowest == .milliseconds(longest) / 2)
            #expect(highest == .milliseconds(longest))
        }
    }

    @Test func aBackendThatIsBusyIsLeftAlone() throws {
        let busy = RemoteFault("A", .refused(ErrorAnswer(status: 503, code: "SlowDown")))
        #expect(try #require(policy.pause(before: 2, after: busy, random: 0)) == .milliseconds(500))
        let patient = RemoteFault("A", .refused(ErrorAnswer(status: 503, code: "SlowDown", retryAfter: .seconds(5))))
        #expect(try #require(policy.pause(before: 2, after: patient, random: 0)) == .milliseconds(2500))
        let never = RemoteFault("A", .refused(ErrorAnswer(status: 503, code: "SlowDown", retryAfter: .seconds(3600))))
        #expect(policy.pause(before: 2, after: never, random: 0) == nil)
    }

    @Test func tellsWhatMayHaveTakenEffect() {
        #expect(broken.mayHaveTakenEffect && broken.isPassing)
        let unconnected = RemoteFault("A", .transfer(.notConnected("a")))
        #expect(!unconnected.mayHaveTakenEffect && unconnected.isPassing)
        let denied = RemoteFault("A", .refused(ErrorAnswer(status: 403, code: "AccessDenied")))
        #expect(!denied.mayHaveTakenEffect && !denied.isPassing)
        let failed = RemoteFault("A", .refused(ErrorAnswer(status: 500, code: "InternalError")))
        #expect(failed.mayHaveTakenEffect && failed.isPassing)
        #expect(!RemoteFault("A", .wrong("w")).isPassing)
        #expect(!RemoteFault("A", .transfer(.malformed("m"))).isPassing)
    }
}
