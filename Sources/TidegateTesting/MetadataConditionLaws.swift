import Metadata

extension MetadataIndexLaws {
    /// What conditions mean.
    static let conditions: [MetadataIndexLaw] = [
        MetadataIndexLaw("absent holds only where there is no entry") { index in
            let writer = LawWriter(index)
            try await writer.put("a", "1", if: [.absent(bytes("a"))])
            try await expectError("absent over an entry", where: { $0 == .conflict(condition: 0) }) {
                () throws(MetadataError) in
                try await writer.put("a", "2", if: [.absent(bytes("a"))])
            }
            try expect(try await writer.entry("a")?.value, is: bytes("1"), "the entry after a conflict")
            try await writer.commit([.remove(bytes("a"))])
            try await writer.put("a", "3", if: [.absent(bytes("a"))])
            try expect(try await writer.entry("a")?.value, is: bytes("3"), "the entry after its return")
        },
        MetadataIndexLaw("present holds only where there is an entry, an empty value included") { index in
            let writer = LawWriter(index)
            try await expectError("present without an entry", where: { $0 == .conflict(condition: 0) }) {
                () throws(MetadataError) in
                try await writer.put("b", "2", if: [.present(bytes("a"))])
            }
            try await writer.put("a", "")
            try await writer.put("b", "2", if: [.present(bytes("a"))])
            try expect(try await writer.entry("b")?.value, is: bytes("2"), "the entry")
        },
        MetadataIndexLaw("absentOrEmpty holds for no entry and for an empty value") { index in
            let writer = LawWriter(index)
            try await writer.put("b", "1", if: [.absentOrEmpty(bytes("a"))])
            try await writer.put("a", "")
            try await writer.put("b", "2", if: [.absentOrEmpty(bytes("a"))])
            try await writer.put("a", "x")
            try await expectError("a value", where: { $0 == .conflict(condition: 0) }) {
                () throws(MetadataError) in
                try await writer.put("b", "3", if: [.absentOrEmpty(bytes("a"))])
            }
            try expect(try await writer.entry("b")?.value, is: bytes("2"), "the entry")
        },
        MetadataIndexLaw("version holds only for the commit that wrote last") { index in
            let writer = LawWriter(index)
            let first = try await writer.put("a", "1")
            let second = try await writer.put("a", "2", if: [.version(bytes("a"), first)])
            for stale in [first, second + 1, 0] {
                try await expectError("version \(stale)", where: { $0 == .conflict(condition: 0) }) {
                    () throws(MetadataError) in
                    try await writer.put("a", "3", if: [.version(bytes("a"), stale)])
                }
            }
            try await expectError("version of no entry", where: { $0 == .conflict(condition: 0) }) {
                () throws(MetadataError) in
                try await writer.put("a", "3", if: [.version(bytes("b"), 0)])
            }
            try expect(try await writer.entry("a")?.value, is: bytes("2"), "the entry after conflicts")
        },
        MetadataIndexLaw("rangeEmpty is half open, and an empty range is empty") { index in
            let writer = LawWriter(index)
            try await writer.put("b", "1")
            let held: [Range<KeyBound>] = [
                .keys(from: bytes("a"), below: bytes("b")), .keys(from: bytes("b\0"), below: bytes("c")),
                .keys(from: bytes("b"), below: bytes("b")), .prefix(bytes("ba")),
            ]
            for range in held { try await writer.put("x", "1", if: [.rangeEmpty(range)]) }
            let broken: [Range<KeyBound>] = [
                .keys(from: bytes("b"), below: bytes("b\0")), .keys(from: bytes("a"), below: bytes("c")),
                .prefix(bytes("b")),
                .everything,
            ]
            for range in broken {
                try await expectError("\(range)", where: { $0 == .conflict(condition: 0) }) {
                    () throws(MetadataError) in
                    try await writer.put("y", "1", if: [.rangeEmpty(range)])
                }
            }
            try expect(try await writer.entry("y"), is: nil, "what conflicted")
        },
        MetadataIndexLaw("the conflict names the first condition that does not hold") { index in
            let writer = LawWriter(index)
            try await writer.put("a", "1")
            let conditions: [Condition] = [
                .present(bytes("a")), .absent(bytes("b")), .absent(bytes("a")), .present(bytes("b")),
            ]
            try await expectError("four conditions", where: { $0 == .conflict(condition: 2) }) {
                () throws(MetadataError) in
                try await writer.put("c", "1", if: conditions)
            }
        },
        MetadataIndexLaw("conditions are decided before the transaction's own mutations") { index in
            let writer = LawWriter(index)
            try await writer.commit(
                [.put(bytes("a"), bytes("1")), .remove(bytes("a")), .put(bytes("a"), bytes("2"))],
                if: [.absent(bytes("a"))])
            try expect(try await writer.entry("a")?.value, is: bytes("2"), "the last mutation wins")
        },
        MetadataIndexLaw("of concurrent transactions with one condition one succeeds") { index in
            let writer = LawWriter(index)
            for round in 0..<8 {
                let key = bytes("race \(round)")
                let winners = await withTaskGroup(of: Bool?.self) { group in
                    for contender in 0..<16 {
                        group.addTask {
                            do throws(MetadataError) {
                                try await writer.commit(
                                    [.put(key, bytes("\(contender)")), .add(bytes("won"), 1)], if: [.absent(key)])
                                return true
                            } catch {
                                return error == .conflict(condition: 0) ? false : nil
                            }
                        }
                    }
                    return await group.reduce(into: [Bool?]()) { $0.append($1) }
                }
                try expect(winners.filter { $0 == true }.count, is: 1, "winners of round \(round)")
                try expect(winners.filter { $0 == nil }.count, is: 0, "other errors of round \(round)")
            }
            try expect(try await writer.entry("won")?.value, is: Counter.encode(8), "the counter of winners")
        },
    ]
}
