import Metadata

extension MetadataIndexLaws {
    /// What is known of commits that were.
    static let histories: [MetadataIndexLaw] = [
        MetadataIndexLaw("changes come in commit order, with the mutations as they were given") { index in
            let writer = LawWriter(index)
            try expect(try await index.changes(after: 0, limit: 10), is: [], "before any commit")
            var expected: [Change] = []
            for round in 0..<30 {
                let mutations: [Mutation] = [
                    .put(bytes("\(round % 3)"), bytes("v\(round)")), .add(bytes("n"), Int64(round) - 15),
                    .remove(bytes("\((round + 1) % 3)")), .put([], []),
                ]
                expected.append(Change(version: try await writer.commit(mutations), mutations: mutations))
                try await expectError("a conflict", where: { $0 == .conflict(condition: 0) }) {
                    () throws(MetadataError) in
                    try await writer.commit([.put(bytes("never"), [])], if: [.present(bytes("none"))])
                }
            }
            try expect(try await index.changes(after: 0, limit: 100), is: expected, "all changes")
            var followed: [Change] = []
            var cursor: CommitVersion = 0
            while true {
                let changes = try await index.changes(after: cursor, limit: 7)
                guard let last = changes.last else { break }
                followed += changes
                cursor = last.version
            }
            try expect(followed, is: expected, "changes by sevens")
            try expect(try await index.changes(after: cursor + 100, limit: 7), is: [], "after a commit to come")
        },
        MetadataIndexLaw("the changes applied one by one give the index") { index in
            let random = LawRandom(seed: 11)
            let writer = LawWriter(index)
            var model = MetadataModel()
            for _ in 0..<200 {
                let mutations = random.mutations()
                // What the model refuses, the law of models compares.
                do throws(MetadataError) { try await writer.commit(mutations) } catch { continue }
            }
            for change in try await index.changes(after: 0, limit: 1000) {
                try model.replay(change)
            }
            let page = try await index.scan(Scan(.everything, limit: 10_000))
            try expect(page.entries, is: model.sorted, "the index and its replayed changes")
        },
        MetadataIndexLaw("an applied transaction has an outcome, another one has none") { index in
            let writer = LawWriter(index, epoch: 7)
            let applied = writer.nextID()
            let conflicting = writer.nextID()
            let never = writer.nextID()
            let version = try await index.commit(Transaction(id: applied, mutations: [.put(bytes("a"), [])]))
            try await expectError("a conflict", where: { $0 == .conflict(condition: 0) }) {
                () throws(MetadataError) in
                _ = try await index.commit(Transaction(id: conflicting, conditions: [.absent(bytes("a"))]))
            }
            try expect(try await index.outcome(of: applied), is: version, "the applied one")
            try expect(try await index.outcome(of: conflicting), is: nil, "the one that conflicted")
            try expect(try await index.outcome(of: never), is: nil, "the one that never was")
            let stranger = TransactionID(epoch: 8, counter: applied.counter)
            try expect(try await index.outcome(of: stranger), is: nil, "another epoch's")
            let highest = TransactionID(epoch: .max, counter: .max)
            let second = try await index.commit(Transaction(id: highest))
            try expect(try await index.outcome(of: highest), is: second, "the greatest id")
        },
        MetadataIndexLaw("a transaction is never applied twice") { index in
            let id = TransactionID(epoch: 3, counter: 9)
            let transaction = Transaction(id: id, mutations: [.add(bytes("n"), 1)])
            let version = try await index.commit(transaction)
            for _ in 0..<3 {
                try await expectError("again", where: { if case .unknown = $0 { true } else { false } }) {
                    () throws(MetadataError) in
                    _ = try await index.commit(transaction)
                }
            }
            try expect(try await index.outcome(of: id), is: version, "the outcome")
            try expect(try await index.values(of: [bytes("n")])[0]?.value, is: Counter.encode(1), "the counter")
        },
        MetadataIndexLaw("a transaction that was refused may come again") { index in
            let id = TransactionID(epoch: 3, counter: 9)
            let writer = LawWriter(index)
            let transaction = Transaction(
                id: id, conditions: [.present(bytes("a"))], mutations: [.add(bytes("n"), 1)])
            try await expectError("too early", where: { $0 == .conflict(condition: 0) }) {
                () throws(MetadataError) in
                _ = try await index.commit(transaction)
            }
            try await writer.put("a", "")
            let version = try await index.commit(transaction)
            try expect(try await index.outcome(of: id), is: version, "the outcome")
        },
    ]
}
