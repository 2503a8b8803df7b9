import Testing

@testable import Pools

private let millisecond: UInt64 = 1_000_000
private let second: UInt64 = 1_000_000_000

@Suite("How fast a store answers")
struct AnswerTimeTests {
    @Test("is a moving mean with its deviation, as in RFC 6298")
    func mean() {
        var time = AnswerTime()
        #expect(time.expected(now: 0) == nil && time.patience(now: 0) == nil && time.likely(now: 0) == 0...0)
        time.answered(after: 8 * millisecond, now: 0)
        #expect(time.mean == 8 * millisecond && time.deviation == 4 * millisecond)
        #expect(time.likely(now: 0) == 6 * millisecond...10 * millisecond)
        #expect(time.patience(now: 0) == 24 * millisecond)
        time.answered(after: 16 * millisecond, now: second)
        #expect(time.mean == 9 * millisecond && time.deviation == 5 * millisecond)
        #expect(time.patience(now: second) == 29 * millisecond)
        for number in 2..<40 { time.answered(after: 16 * millisecond, now: UInt64(number) * second) }
        #expect((15 * millisecond...16 * millisecond).contains(time.mean) && time.deviation < millisecond)
    }

    @Test("takes what is late for twice as long, at once")
    func late() {
        var time = AnswerTime()
        time.late(after: 250 * millisecond, now: second)
        #expect(time.expected(now: second) == 500 * millisecond)
        time.late(after: 500 * millisecond, now: 2 * second)
        #expect(time.mean == 500 * millisecond * 7 / 8 + 125 * millisecond)
    }

    @Test("learns of an answer that is not waited for only that it takes longer")
    func unheard() {
        var time = AnswerTime()
        time.unheard(after: second, now: 0)
        #expect(time.expected(now: 0) == nil)
        time.answered(after: 10 * millisecond, now: 0)
        time.unheard(after: 2 * millisecond, now: second)
        #expect(time.mean == 10 * millisecond)
        time.unheard(after: 18 * millisecond, now: second)
        #expect(time.mean == 11 * millisecond)
    }

    @Test("is forgotten, and counts for nothing beside a newer answer, after a while")
    func forgotten() {
        var time = AnswerTime()
        time.answered(after: second, now: second)
        let end = second + AnswerTime.forgottenAfter
        #expect(time.expected(now: end) == second && time.expected(now: end + 1) == nil)
        #expect(time.likely(now: end + 1) == 0...0)
        // To be seen as slow as ever keeps it.
        time.unheard(after: millisecond, now: end)
        #expect(time.expected(now: end + second) == second)
        time.answered(after: millisecond, now: end + second)
        #expect(time.expected(now: end + second) == millisecond)
    }

    @Test("is tried again by one read in so many, and not sooner than after a while")
    func tried() {
        var time = AnswerTime()
        time.answered(after: second, now: second)
        let soon = (0..<100).filter { _ in time.passedOver(now: second + AnswerTime.triedAfter - 1) }
        #expect(soon.isEmpty)
        let due = second + AnswerTime.triedAfter
        let tries = (0..<100).filter { _ in time.passedOver(now: due) }
        #expect(tries == [0])
        time.answered(after: second, now: due)
        let later = (1...100).filter { _ in time.passedOver(now: due + AnswerTime.triedAfter) }
        #expect(later == [AnswerTime.triedOnceIn])
    }
}

@Suite("The budget of reads beside slow ones")
struct HedgeBudgetTests {
    @Test("holds a few at first, gains a share of what is read anyway, and never holds more")
    func budget() {
        var budget = HedgeBudget(percent: 5)
        #expect(budget.left == 10 && budget.take(7) == 7 && budget.take(7) == 3 && budget.take(1) == 0)
        budget.begun(19)
        #expect(budget.take(1) == 0)
        budget.begun(1)
        #expect(budget.take(2) == 1 && budget.left == 0)
        budget.begun(1_000_000)
        #expect(budget.left == 10)
    }

    @Test("of nothing holds nothing")
    func nothing() {
        var budget = HedgeBudget(percent: 0)
        budget.begun(1000)
        #expect(budget.take(1) == 0 && budget.left == 0)
    }
}

@Suite("The shards that a read begins with")
struct FirstReadersTests {
    /// Four data shards and two of parity, each in some milliseconds; nil where its store failed.
    private func readers(
        _ times: [UInt64?], wanted: Set<Int> = [0, 1, 2, 3], stripes: Range<Int64> = 0..<8
    ) -> FirstReaders {
        let shards = times.enumerated().map { index, time in
            let time = (time ?? 0) * millisecond
            return FirstReaders.Shard(
                stripes: wanted.contains(index) ? stripes : nil, isUsable: times[index] != nil, likely: time...time)
        }
        return FirstReaders(dataShards: 4, shards, hedge: 250 * millisecond)
    }

    private func shards(_ readers: FirstReaders) -> [Int] { readers.ranges.keys.sorted() }

    @Test("are the data shards, unless one of them is clearly slower than another shard")
    func dataFirst() {
        #expect(shards(readers([0, 0, 0, 0, 0, 0])) == [0, 1, 2, 3])
        // Not twice as slow; twice, but within some milliseconds; both.
        #expect(shards(readers([20, 20, 38, 20, 20, 20])) == [0, 1, 2, 3])
        #expect(shards(readers([1, 1, 5, 1, 1, 1])) == [0, 1, 2, 3])
        let replaced = readers([10, 10, 21, 10, 30, 10])
        #expect(shards(replaced) == [0, 1, 3, 5] && replaced.slow == [2])
        #expect(replaced.candidates == [0, 1, 3, 5, 2, 4])
        let two = readers([100, 10, 200, 10, 10, 30])
        #expect(shards(two) == [1, 3, 4, 5] && two.slow == [2, 0])
        // For the third there is no other one.
        #expect(shards(readers([100, 90, 200, 10, 10, 30])) == [1, 3, 4, 5])
        #expect(shards(readers([100, 90, 200, 10, 10, 60])) == [0, 1, 3, 4])
    }

    @Test("go round stores that failed, and try those last")
    func failed() {
        let failed = readers([10, nil, 10, 10, 40, 10])
        #expect(shards(failed) == [0, 2, 3, 5] && failed.slow.isEmpty && failed.candidates == [0, 2, 3, 5, 4, 1])
        // What cannot be replaced is left to whoever finds that out.
        #expect(shards(readers([10, nil, nil, nil, 10, 10])) == [0, 4, 5])
        #expect(shards(readers([nil, nil, 900, 10, 10, 10])) == [2, 3, 4, 5])
    }

    @Test("of a part of a stripe are more than it needs only where that saves as much as a hedge would")
    func parts() {
        #expect(shards(readers([200, 1, 1, 1, 1, 1], wanted: [0], stripes: 0..<1)) == [0])
        let slow = readers([300, 1, 1, 1, 1, 1], wanted: [0], stripes: 0..<1)
        #expect(shards(slow) == [1, 2, 3, 4] && slow.slow == [0])
        #expect(shards(readers([200, 1, 1, 1, 1, 1], wanted: [0, 1, 2], stripes: 0..<1)) == [0, 1, 2])
        #expect(shards(readers([nil, 1, 200, 1, 1, 1], wanted: [0, 2], stripes: 0..<1)) == [1, 3, 4, 5])
        // The slowest of those that it takes counts.
        #expect(shards(readers([300, 1, 1, 100, 100, 100], wanted: [0], stripes: 0..<1)) == [0])
    }

    @Test("read every stripe that a left-out shard is wanted in")
    func ranges() {
        // From the middle of stripe 0 to the middle of stripe 8.
        let wanted: [Range<Int64>?] = [1..<9, 1..<9, 0..<9, 0..<8, nil, nil]
        let shards = zip(wanted, [1, 1, 50, 1, 1, 1] as [UInt64]).map { stripes, time in
            FirstReaders.Shard(stripes: stripes, isUsable: true, likely: time * millisecond...time * millisecond)
        }
        var readers = FirstReaders(dataShards: 4, shards, hedge: 250 * millisecond)
        #expect(readers.ranges == [0: 0..<9, 1: 0..<9, 3: 0..<9, 4: 0..<9])
        readers.attempt(2, 0..<9)
        #expect(readers.ranges[2] == 0..<1)
    }

    @Test("of copies are the fastest one")
    func copies() {
        let shards = ([50, 20, 1] as [UInt64]).enumerated().map { index, time in
            FirstReaders.Shard(
                stripes: index == 0 ? 0..<1 : nil, isUsable: true, likely: time * millisecond...time * millisecond)
        }
        let readers = FirstReaders(dataShards: 1, shards, hedge: 250 * millisecond)
        #expect(readers.ranges == [2: 0..<1] && readers.slow == [0])
    }
}
