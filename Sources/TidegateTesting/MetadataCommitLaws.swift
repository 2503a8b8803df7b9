import Metadata

extension MetadataIndexLaws {
    /// What commits do.
    static let commits: [MetadataIndexLaw] = [
        MetadataIndexLaw("a commit is all or nothing") { index in
            let writer = LawWriter(index)
            let first = try await writer.commit([.put(bytes("a"), bytes("1")), .put(bytes("n"), bytes("no counter"))])
            let refused: [[Mutation]] = [
                [.put(bytes("b"), bytes("1")), .remove(bytes("a")), .add(bytes("n"), 1)],
                [.put(bytes("b"), bytes("1")), .put(bytes("c"), bytes("short")), .add(bytes("c"), 1)],
                [.put(bytes("b"), bytes("1")), .add(bytes("m"), .max), .add(bytes("m"), 1)],
                [.put(bytes("b"), bytes("1")), .put(Key(repeating: 1, count: 4097), [])],
            ]
            for mutations in refused {
                try await expectError(
                    "\(mutations.count) mutations",
                    where: { if case .notCommitted = $0 { true } else { false } },
                    { () throws(MetadataError) in try await writer.commit(mutations) })
            }
            let entries = try await index.values(of: [bytes("a"), bytes("b"), bytes("c"), bytes("m")])
            let expected = [Entry(key: bytes("a"), value: bytes("1"), version: first), nil, nil, nil]
            try expect(entries, is: expected, "the entries after refusals")
        },
        MetadataIndexLaw("versions strictly increase, and an entry's is that of its commit") { index in
            let writer = LawWriter(index)
            var last: CommitVersion = 0
            for round in 0..<20 {
                let version = try await writer.commit([
                    .put(bytes("a"), bytes("\(round)")), .put(bytes("b \(round)"), []), .add(bytes("n"), 1),
                ])
                guard version > last else { throw LawViolation("version \(version) after \(last)") }
                last = version
                let entries = try await index.values(of: [bytes("a"), bytes("b \(round)"), bytes("n")])
                try expect(entries.map { $0?.version }, is: [version, version, version], "versions")
            }
            let other = try await writer.put("else", "1")
            try expect(try await writer.entry("a")?.version, is: last, "the version of what was not touched")
            guard other > last else { throw LawViolation("version \(other) after \(last)") }
        },
        MetadataIndexLaw("add counts from 0, blindly, and an overflow is refused") { index in
            let writer = LawWriter(index)
            let key = bytes("n")
            try await writer.commit([.add(key, 5), .add(key, -7)])
            try expect(try await writer.entry("n")?.value, is: Counter.encode(-2), "5 - 7")
            try await writer.commit([.put(key, Counter.encode(40)), .add(key, 2)])
            try expect(try await writer.entry("n")?.value, is: Counter.encode(42), "after a put")
            try await writer.commit([.remove(key), .add(key, 1)])
            try expect(try await writer.entry("n")?.value, is: Counter.encode(1), "after a removal")
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<64 {
                    group.addTask {
                        // A failed commit shows in the count that is checked below.
                        do throws(MetadataError) { try await writer.commit([.add(key, 3)]) } catch { return }
                    }
                }
            }
            try expect(try await writer.entry("n")?.value, is: Counter.encode(193), "after 64 concurrent additions")
            try await writer.commit([.put(key, Counter.encode(.max))])
            try await expectError("overflow", where: { if case .notCommitted = $0 { true } else { false } }) {
                () throws(MetadataError) in
                try await writer.commit([.add(key, 1)])
            }
            try expect(try await writer.entry("n")?.value, is: Counter.encode(.max), "after a refused overflow")
        },
        MetadataIndexLaw("create makes an entry where there is none, and leaves the one that there is") { index in
            let writer = LawWriter(index)
            let first = try await writer.commit([.create(bytes("a"), bytes("1"))])
            try await writer.commit([.create(bytes("a"), bytes("2")), .create(bytes("b"), [])])
            let a = Entry(key: bytes("a"), value: bytes("1"), version: first)
            try expect(try await writer.entry("a"), is: a, "an entry that was there")
            try await writer.commit([.create(bytes("b"), bytes("2"))])
            try expect(try await writer.entry("b")?.value, is: [], "an empty value that was there")
            try await writer.commit([.remove(bytes("a")), .create(bytes("a"), bytes("3"))])
            try expect(try await writer.entry("a")?.value, is: bytes("3"), "after a removal")
            try await writer.commit([.create(bytes("c"), bytes("1")), .create(bytes("c"), bytes("2"))])
            try expect(try await writer.entry("c")?.value, is: bytes("1"), "after a creation")
        },
        MetadataIndexLaw("keys have 0 to 4096 bytes, and every byte counts") { index in
            let writer = LawWriter(index)
            let keys: [Key] = [
                [], [0], [0, 0], [0xFF], [0xFF, 0xFF], Key(repeating: 0xFE, count: 4096), bytes("é"), bytes("e\u{301}"),
                bytes("\r\n"), bytes("\n"), bytes("%00"), bytes("'); DROP TABLE entry; --"),
            ]
            for (position, key) in keys.enumerated() { try await writer.commit([.put(key, [UInt8(position)])]) }
            let entries = try await index.values(of: keys)
            try expect(entries.map { $0?.value }, is: keys.indices.map { [UInt8($0)] }, "values")
            let page = try await index.scan(Scan(.everything, limit: 100))
            try expect(
                page.entries.map(\.key), is: keys.sorted { $0.lexicographicallyPrecedes($1) }, "the order of keys")
            let long = Key(repeating: 0, count: 4097)
            let refused: [([Condition], [Mutation])] = [
                ([], [.put(long, [])]), ([], [.remove(long)]), ([], [.add(long, 1)]), ([.absent(long)], []),
            ]
            for (conditions, mutations) in refused {
                try await expectError("a long key", where: { if case .notCommitted = $0 { true } else { false } }) {
                    () throws(MetadataError) in
                    try await writer.commit(mutations, if: conditions)
                }
            }
            try expect(try await index.values(of: [long]), is: [nil], "a key longer than any")
        },
        MetadataIndexLaw("values come in the order asked for, repeated and missing keys included") { index in
            let writer = LawWriter(index)
            for key in ["c", "a", "b"] { try await writer.put(key, "of \(key)") }
            let asked = ["b", "x", "a", "b", "c", ""].map(bytes)
            let values = try await index.values(of: asked).map { $0.map { String(decoding: $0.value, as: UTF8.self) } }
            try expect(values, is: ["of b", nil, "of a", "of b", "of c", nil], "values")
            try expect(try await index.values(of: []), is: [], "no keys")
        },
        MetadataIndexLaw("values and pages come from one snapshot") { index in
            // Every commit writes the same number under all of these keys: two numbers seen together are a torn read.
            let writer = LawWriter(index)
            let keys = (0..<40).map { bytes("snapshot \($0)") }
            func write(_ round: Int) async throws(MetadataError) {
                try await writer.commit(keys.map { .put($0, bytes("\(round)")) })
            }
            try await write(0)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { for round in 1..<60 { try await write(round) } }
                for _ in 0..<3 {
                    group.addTask {
                        for _ in 0..<60 {
                            let read = try await index.values(of: keys)
                            try expect(Set(read.map { $0?.value }).count, is: 1, "numbers in values")
                            let page = try await index.scan(Scan(.prefix(bytes("snapshot ")), limit: 100))
                            try expect(page.entries.count, is: 40, "entries in a page")
                            try expect(Set(page.entries.map(\.value)).count, is: 1, "numbers in a page")
                            try expect(Set(page.entries.map(\.version)).count, is: 1, "versions in a page")
                            let pages = try await index.pages(of: keys.map { Scan(.prefix($0), limit: 1) })
                            let versions = Set(pages.flatMap(\.entries).map(\.version))
                            try expect(versions.count, is: 1, "versions in pages")
                        }
                    }
                }
                try await group.waitForAll()
            }
        },
        MetadataIndexLaw("a commit is read at once by whoever comes after it") { index in
            let writer = LawWriter(index)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for task in 0..<8 {
                    group.addTask {
                        for round in 0..<20 {
                            let version = try await writer.put("own \(task)", "\(round)")
                            try expect(try await writer.entry("own \(task)")?.version, is: version, "read after write")
                            let page = try await index.scan(Scan(.prefix(bytes("own \(task)")), limit: 1))
                            try expect(page.entries.map(\.version), is: [version], "list after write")
                        }
                    }
                }
                try await group.waitForAll()
            }
        },
    ]
}
