import Testing

@testable import Simulation

/// Histories made by hand: the checker must take the right ones and no other.
@Suite("Linearizability checker")
struct CheckerTests {
    private let bytes = ContentCache()

    /// One operation; `to` nil for one that stays open.
    private func operation(_ call: Call, _ answer: Answer?, _ from: Int, _ to: Int?) -> Operation {
        Operation(client: 1, call: call, invoked: from, returned: to, answer: answer)
    }

    private func put(_ number: Int, _ from: Int, _ to: Int?, _ condition: Call.Condition? = nil) -> Operation {
        let content = Content(number: number, size: 10)
        return operation(
            .put(key: "k", tag: number, content, condition),
            to.map { _ in .done(etag: bytes.etag(content), version: nil) }, from, to)
    }

    private func get(_ number: Int?, _ from: Int, _ to: Int) -> Operation {
        guard let number else {
            return operation(.get(key: "k", version: nil, bytes: nil), .refused(status: 404), from, to)
        }
        let content = Content(number: number, size: 10)
        let object = Answer.Object(
            tag: number, etag: bytes.etag(content), size: 10, fingerprint: bytes.fingerprint([content], 0..<10))
        return operation(.get(key: "k", version: nil, bytes: nil), .object(object), from, to)
    }

    private func delete(_ from: Int, _ to: Int) -> Operation {
        operation(.delete(key: "k", version: nil), .done(etag: nil, version: nil), from, to)
    }

    private func isRight(_ operations: [Operation]) -> Bool {
        LinearizabilityChecker(operations.flatMap(\.steps), bytes).check() == .linearizable
    }

    @Test func oneAfterTheOther() {
        #expect(isRight([get(nil, 1, 2), put(1, 3, 4), get(1, 5, 6), delete(7, 8), get(nil, 9, 10)]))
        #expect(isRight([]))
    }

    @Test func aStaleReadIsNone() {
        #expect(!isRight([put(1, 1, 2), put(2, 3, 4), get(1, 5, 6)]))
        #expect(isRight([put(1, 1, 2), put(2, 3, 6), get(1, 4, 5)]))
    }

    @Test func whatWasAcknowledgedIsNotLost() {
        #expect(!isRight([put(1, 1, 2), get(nil, 3, 4)]))
        #expect(!isRight([put(1, 1, 2), put(2, 3, nil), get(2, 4, 5), get(1, 6, 7)]))
    }

    @Test func whatWasDeletedDoesNotComeBack() {
        #expect(!isRight([put(1, 1, 2), delete(3, 4), get(1, 5, 6)]))
    }

    @Test func anOpenWriteMayComeAtAnyTimeOrNever() {
        #expect(isRight([put(1, 1, nil), get(nil, 2, 3), get(nil, 4, 5)]))
        #expect(isRight([put(1, 1, nil), get(nil, 2, 3), get(1, 4, 5)]))
        #expect(!isRight([put(1, 1, nil), get(1, 2, 3), get(nil, 4, 5)]))
        #expect(!isRight([get(1, 1, 2), put(1, 3, nil)]))
    }

    @Test func oneAloneWinsIfNoneMatch() {
        #expect(!isRight([put(1, 1, 4, .ifAbsent), put(2, 2, 5, .ifAbsent)]))
        let refused = operation(
            .put(key: "k", tag: 2, Content(number: 2, size: 10), .ifAbsent), .refused(status: 412), 2, 5)
        #expect(isRight([put(1, 1, 4, .ifAbsent), refused]))
        #expect(!isRight([refused]))
    }

    @Test func aListingIsOfOneMoment() {
        func listing(_ keys: [(String, Int)], _ from: Int, _ to: Int) -> Operation {
            let listed = keys.map { key, number in
                Answer.Listed(
                    key: key, etag: bytes.etag(Content(number: number, size: 10)), size: 10, isLatest: true)
            }
            return operation(.list, .listed(listed), from, to)
        }
        func put(_ key: String, _ number: Int, _ from: Int, _ to: Int) -> Operation {
            let content = Content(number: number, size: 10)
            return operation(
                .put(key: key, tag: number, content, nil), .done(etag: bytes.etag(content), version: nil), from, to)
        }
        let writes = [put("a", 1, 1, 2), put("a", 2, 4, 5), put("b", 3, 6, 7)]
        #expect(isRight(writes + [listing([("a", 2), ("b", 3)], 3, 8)]))
        #expect(isRight(writes + [listing([("a", 1)], 3, 8)]))
        // The old `a` and the new `b` never stood beside each other.
        #expect(!isRight(writes + [listing([("a", 1), ("b", 3)], 3, 8)]))
        #expect(!isRight(writes + [listing([("b", 3)], 3, 8)]))
    }

    @Test func anUploadIsCompletedOrAborted() {
        let part = Content(number: 5, size: 10)
        let etag = bytes.etag(part)
        func history(_ complete: Answer, _ abort: Answer) -> [Operation] {
            [
                operation(.createUpload(key: "k", tag: 4), .upload("u"), 1, 2),
                operation(
                    .putPart(key: "k", upload: "u", number: 1, part), .done(etag: etag, version: nil), 3, 4),
                operation(.complete(key: "k", upload: "u", parts: [1: etag]), complete, 5, 8),
                operation(.abort(key: "k", upload: "u"), abort, 6, 7),
            ]
        }
        let done = Answer.done(etag: bytes.etag(ofParts: [part]), version: nil)
        #expect(isRight(history(done, .refused(status: 404))))
        #expect(isRight(history(.refused(status: 404), .done(etag: nil, version: nil))))
        #expect(!isRight(history(done, .done(etag: nil, version: nil))))
        #expect(!isRight(history(.refused(status: 404), .refused(status: 404))))
    }

    @Test func completingOnceMoreTellsTheSameVersion() {
        let part = Content(number: 5, size: 10)
        let (etag, whole) = (bytes.etag(part), bytes.etag(ofParts: [part]))
        let again = Call.complete(key: "k", upload: "u", parts: [1: etag])
        func object(_ id: String, _ asked: String?, _ from: Int) -> Operation {
            let object = Answer.Object(
                tag: 4, etag: whole, size: 10, version: id, fingerprint: bytes.fingerprint([part], 0..<10))
            return operation(.get(key: "k", version: asked, bytes: nil), .object(object), from, from + 1)
        }
        let start = [
            operation(.setVersioning(.enabled), .done(etag: nil, version: nil), 1, 2),
            operation(.createUpload(key: "k", tag: 4), .upload("u"), 3, 4),
            operation(.putPart(key: "k", upload: "u", number: 1, part), .done(etag: etag, version: nil), 5, 6),
            operation(again, nil, 7, nil),
        ]
        func told(_ id: String?, _ from: Int) -> Operation {
            operation(again, .done(etag: whole, version: id), from, from + 1)
        }
        let later = [operation(.delete(key: "k", version: nil), .done(etag: nil, version: "v2"), 13, 14)]
        #expect(isRight(start + [told("v1", 9)] + later + [object("v1", "v1", 15)]))
        #expect(isRight(start + [object("v1", nil, 9), told("v1", 11)] + later + [object("v1", "v1", 15)]))
        #expect(!isRight(start + [told("v1", 9), told("v3", 11)]))
        #expect(!isRight(start + [object("v1", nil, 9), told("v3", 11)]))
        #expect(!isRight(start + [told("v1", 9), object("v3", nil, 11)]))
        #expect(!isRight(start + [told(nil, 9)]))
    }

    @Test func aCopyIsOfWhatWasThereMeanwhile() {
        func copy(_ number: Int, _ from: Int, _ to: Int) -> Operation {
            operation(
                .copy(from: "k", to: "l", tag: 9),
                .done(etag: bytes.etag(Content(number: number, size: 10)), version: nil), from, to)
        }
        #expect(isRight([put(1, 1, 2), put(2, 4, 5), copy(1, 3, 6)]))
        #expect(isRight([put(1, 1, 2), put(2, 4, 5), copy(2, 3, 6)]))
        #expect(!isRight([put(1, 1, 2), put(2, 3, 4), copy(1, 5, 6)]))
    }

    @Test func aVersionOfKnownOriginIsNoTraceOfAnotherWrite() {
        let empty = Content(number: 1, size: 0)
        let etag = bytes.etag(empty)
        let id = "0000000000000007aaaaaaaaaaaaaaaa"
        let original = operation(.put(key: "l", tag: 1, empty, nil), .done(etag: etag, version: nil), 1, 2)
        let copy = operation(.copy(from: "l", to: "k", tag: 2), nil, 3, nil)
        let entry = Answer.Listed(key: "k", version: id, etag: etag, size: 0, isLatest: true)
        let listing = operation(.listVersions, .listed([entry]), 9, 10)
        func commit(with others: Operation...) -> Int? {
            let all = [copy, original, listing] + others
            return Traces(all, bytes).mark(all)[0].commit
        }
        #expect(commit() == 7)
        // Somebody else made it, as an answer says.
        let done = Answer.done(etag: etag, version: id)
        #expect(commit(with: operation(.put(key: "k", tag: 3, empty, nil), done, 4, 5)) == nil)
        #expect(commit(with: operation(.copy(from: "l", to: "k", tag: 3), done, 4, 5)) == nil)
        let read = Answer.object(Answer.Object(tag: 3, etag: etag, size: 0, version: id))
        #expect(commit(with: operation(.get(key: "k", version: id, bytes: nil), read, 11, 12)) == nil)
        // A deletion names a version that it did not make.
        #expect(commit(with: operation(.delete(key: "k", version: id), .done(etag: nil, version: id), 11, 12)) == 7)
    }

    @Test func aRepeatedCompletionIsLookedForWhereTheFirstWas() {
        func complete(_ upload: String, _ answer: Answer?, _ commit: Int?) -> Operation {
            var complete = operation(
                .complete(key: "k", upload: upload, parts: [1: "e"]), answer, 1, answer.map { _ in 9 })
            complete.commit = commit
            return complete
        }
        let done = Answer.done(etag: "e-1", version: nil)
        let all = [
            complete("u", done, nil), complete("u", nil, 7), complete("v", done, nil),
            complete("u", .refused(status: 404), nil),
        ]
        #expect(Traces(all, bytes).mark(all).map(\.commit) == [7, 7, nil, nil])
    }

    @Test func aSearchGoesByThePlacesOfCommits() {
        func placed(_ operation: Operation, _ commit: Int?) -> Operation {
            var operation = operation
            operation.commit = commit
            return operation
        }
        // Deletes without an answer that changed nothing where they were committed, and would later; what tells comes
        // long after.
        let deletes = (1...6).map { placed(operation(.delete(key: "k", version: nil), nil, $0, nil), $0) }
        let others = (2...20).map { number in
            let content = Content(number: number, size: 10)
            let done = Answer.done(etag: bytes.etag(content), version: nil)
            let call = Call.put(key: "l", tag: number, content, nil)
            return placed(operation(call, done, 10 * number, 10 * number + 1), 10 * number)
        }
        let history = deletes + [placed(put(1, 10, 11), 10)] + others + [get(1, 300, 301)]
        // A situation for each that has a place.
        let search = LinearizabilityChecker(history, bytes, mostSituations: deletes.count + others.count + 2)
        #expect(search.check() == .linearizable)
    }

    @Test func versionsAreTold() {
        let content = Content(number: 1, size: 10)
        let versioned = operation(.setVersioning(.enabled), .done(etag: nil, version: nil), 1, 2)
        func put(_ id: String?) -> Operation {
            operation(.put(key: "k", tag: 1, content, nil), .done(etag: bytes.etag(content), version: id), 3, 4)
        }
        func listing(_ id: String) -> Operation {
            operation(
                .listVersions,
                .listed([Answer.Listed(key: "k", version: id, etag: bytes.etag(content), size: 10, isLatest: true)]),
                5, 6)
        }
        #expect(isRight([versioned, put("v1"), listing("v1")]))
        #expect(!isRight([versioned, put("v1"), listing("v2")]))
        #expect(!isRight([versioned, put(nil), listing("v1")]))
        #expect(!isRight([put("v1")]))
    }
}
