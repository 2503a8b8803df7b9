import Metadata

extension MetadataIndexLaws {
    /// What scans find.
    static let scans: [MetadataIndexLaw] = [
        MetadataIndexLaw("pages follow one another by next, forwards and backwards") { index in
            let writer = LawWriter(index)
            let keys = (100..<150).map { bytes("k\($0)") }
            try await writer.commit(keys.map { .put($0, $0) } + [.put(bytes("j"), []), .put(bytes("l"), [])])
            for reversed in [false, true] {
                for limit in [1, 7, 49, 50, 51] {
                    var found: [Entry] = []
                    var (start, end) = (bytes("k"), bytes("l"))
                    var pages = 0
                    while true {
                        let page = try await index.scan(
                            Scan(.keys(from: start, below: end), limit: limit, reversed: reversed))
                        found += page.entries
                        pages += 1
                        guard let next = page.next else { break }
                        try expect(page.rows.count, is: limit, "rows of a page with a next one")
                        if reversed { end = next } else { start = next }
                    }
                    try expect(found.map(\.key), is: reversed ? keys.reversed() : keys, "keys by \(limit)")
                    try expect(found.map(\.value), is: found.map(\.key), "values by \(limit)")
                    try expect(pages, is: (keys.count + limit - 1) / limit, "pages by \(limit)")
                }
            }
        },
        MetadataIndexLaw("ranges are half open; empty ranges hold nothing") { index in
            let writer = LawWriter(index)
            try await writer.commit(["a", "b", "b\0", "c"].map { .put(bytes($0), bytes($0)) })
            for reversed in [false, true] {
                func keys(_ range: Range<KeyBound>) async throws -> [String] {
                    let page = try await index.scan(Scan(range, limit: 10, reversed: reversed))
                    try expect(page.next, is: nil, "next of a whole range")
                    let keys = page.entries.map { String(decoding: $0.key, as: UTF8.self) }
                    return reversed ? keys.reversed() : keys
                }
                try expect(try await keys(.keys(from: bytes("a"), below: bytes("b\0"))), is: ["a", "b"], "a to b0")
                try expect(try await keys(.keys(from: bytes("b"), below: bytes("b"))), is: [], "b to b")
                try expect(try await keys(.keys(from: bytes("c"), below: bytes("a"))), is: [], "c to a")
                try expect(try await keys(.prefix(bytes("b"))), is: ["b", "b\0"], "prefix b")
                try expect(try await keys(.prefix(bytes("d"))), is: [], "prefix d")
                try expect(try await keys(.everything), is: ["a", "b", "b\0", "c"], "everything")
            }
        },
        MetadataIndexLaw("a page of no rows says only whether there are any") { index in
            let writer = LawWriter(index)
            try expect(try await index.scan(Scan(.everything, limit: 0)), is: Page(rows: [], next: nil), "empty")
            try await writer.put("a", "1")
            let page = try await index.scan(Scan(.everything, limit: 0))
            try expect(page, is: Page(rows: [], next: bytes("a")), "one entry")
            let none = try await index.scan(Scan(.prefix(bytes("b")), limit: -1))
            try expect(none, is: Page(rows: [], next: nil), "a range without entries")
        },
        MetadataIndexLaw("a scan without values has keys and versions") { index in
            let writer = LawWriter(index)
            let version = try await writer.put("a", "1")
            for reversed in [false, true] {
                let scan = Scan(.everything, limit: 5, reversed: reversed, wantsValues: false)
                let expected = [Entry(key: bytes("a"), value: [], version: version)]
                try expect(try await index.scan(scan).entries, is: expected, "entries")
            }
        },
        MetadataIndexLaw("a page ends early where its bytes are many, and goes on at next") { index in
            let writer = LawWriter(index)
            let value = [UInt8](repeating: 7, count: MetadataLimits.valueLength - 100)
            for number in 0..<5 { try await writer.commit([.put(bytes("large \(number)"), value)]) }
            for reversed in [false, true] {
                var (found, pages) = (0, 0)
                var range = Range<KeyBound>.everything
                while true {
                    let page = try await index.scan(Scan(range, limit: 100, reversed: reversed))
                    guard page.rows.count <= 3 else { throw LawViolation("\(page.rows.count) rows of 4 MiB") }
                    (found, pages) = (found + page.entries.count, pages + 1)
                    guard let next = page.next, pages < 10 else { break }
                    range =
                        reversed
                        ? .keys(from: [], below: next) : .keys(from: next, below: range.upperBound.key)
                }
                try expect(found, is: 5, "entries in all")
            }
        },
        MetadataIndexLaw("keys with the delimiter are rolled up, once each, wherever pages end") { index in
            let writer = LawWriter(index)
            let keys = ["p/a", "p/b/1", "p/b/2", "p/b/3/x", "p/b0", "p/c/1", "p/d", "p/e/", "p//", "p/", "q/a/b"]
            try await writer.commit(keys.map { .put(bytes($0), []) })
            let expected = ["p/", "(p//)", "p/a", "(p/b/)", "p/b0", "(p/c/)", "p/d", "(p/e/)"]
            for limit in 1...9 {
                var found: [String] = []
                var range = Range<KeyBound>.prefix(bytes("p/"))
                while true {
                    let grouping = Scan.Grouping(prefixLength: 2, delimiter: bytes("/"))
                    let page = try await index.scan(Scan(range, limit: limit, grouping: grouping))
                    found += page.rows.map { row in
                        switch row {
                        case .entry(let entry): String(decoding: entry.key, as: UTF8.self)
                        case .group(let key): "(\(String(decoding: key, as: UTF8.self)))"
                        }
                    }
                    guard let next = page.next else { break }
                    range = .keys(from: next, below: range.upperBound.key)
                }
                try expect(found, is: expected, "rows by \(limit)")
            }
            let empty = Scan(.prefix(bytes("p/b/")), limit: 9, grouping: .init(prefixLength: 0, delimiter: []))
            try expect(try await index.scan(empty).entries.count, is: 3, "an empty delimiter")
        },
        MetadataIndexLaw("a delimiter counts only before the terminator") { index in
            let writer = LawWriter(index)
            let keys = ["a/b!1", "a/c!/", "b!/1", "b!/2", "c!", "d/!", "d//!", "e"]
            try await writer.commit(keys.map { .put(bytes($0), []) })
            let grouping = Scan.Grouping(prefixLength: 0, delimiter: bytes("/"), terminator: bytes("!"))
            let page = try await index.scan(Scan(.everything, limit: 100, grouping: grouping))
            let expected = ["a/", "b!/1", "b!/2", "c!", "d/", "e"]
            let found: [Key] = page.rows.map { row in
                switch row {
                case .entry(let entry): entry.key
                case .group(let key): key
                }
            }
            try expect(found, is: expected.map(bytes), "rows")
        },
        MetadataIndexLaw("pages are those of their scans, in their order") { index in
            let writer = LawWriter(index)
            for key in ["a1", "a2", "b1"] { try await writer.put(key, key) }
            let scans = [
                Scan(.prefix(bytes("b")), limit: 9), Scan(.prefix(bytes("a")), limit: 1), Scan(.everything, limit: 9),
            ]
            var expected: [Page] = []
            for scan in scans { expected.append(try await index.scan(scan)) }
            try expect(try await index.pages(of: scans), is: expected, "pages")
            try expect(expected.map(\.rows.count), is: [1, 1, 3], "rows")
            try expect(try await index.pages(of: []), is: [], "no scans")
        },
        MetadataIndexLaw("a reversed scan does not roll up") { index in
            let grouping = Scan.Grouping(prefixLength: 0, delimiter: bytes("/"))
            try await expectError("both", where: { if case .notCommitted = $0 { true } else { false } }) {
                () throws(MetadataError) in
                _ = try await index.scan(Scan(.everything, limit: 1, grouping: grouping, reversed: true))
            }
        },
    ]
}
