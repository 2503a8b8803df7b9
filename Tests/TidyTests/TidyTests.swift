import Testing

/// Keeps the rules of style and of dependencies that a machine can keep.
@Suite("Tidy")
struct TidyTests {
    @Test("The tree is read")
    func treeIsRead() {
        #expect(SourceTree.here.files.count > 20)
        #expect(SourceTree.here.files.contains { $0.path == "Package.swift" })
        #expect(SourceTree.here.files.contains { $0.path == "Sources/Primitives/Body.swift" })
    }

    @Test("A rule holds", arguments: Rule.all)
    func holds(_ rule: Rule) {
        for violation in rule.check(.here) {
            Issue.record("\(violation)")
        }
    }

    @Test("A rule can fail, and does not where it is kept", arguments: Rule.all)
    func canFail(_ rule: Rule) {
        if rule.name == Rule.noDuplicates.name {
            #expect(!rule.check(SourceTree(files: rule.bad)).isEmpty)
            #expect(rule.check(SourceTree(files: rule.good)).isEmpty)
            return
        }
        for sample in rule.bad {
            #expect(!rule.check(SourceTree(files: [sample])).isEmpty, "not found: \(sample.lines)")
        }
        for sample in rule.good {
            #expect(rule.check(SourceTree(files: [sample])).isEmpty, "found in error: \(sample.lines)")
        }
    }

    @Test("Package.swift keeps the table of dependencies")
    func dependencies() throws {
        let manifest = try #require(SourceTree.here.files.first { $0.path == "Package.swift" })
        let table = PackageTable(manifest: manifest)
        #expect(table.dependencies.count > 30)
        for (target, dependencies) in table.dependencies.sorted(by: { $0.key < $1.key })
        where !target.hasSuffix("Tests") {
            guard let allowed = PackageTable.allowed[target] else {
                Issue.record("\(target) is not in the table of targets")
                continue
            }
            let more = dependencies.subtracting(allowed).sorted()
            #expect(more.isEmpty, "\(target) may not depend on \(more)")
        }
    }

    @Test("The reader of Package.swift sees what is there")
    func dependencyReader() {
        let manifest = SourceFile(
            path: "Package.swift",
            text: """
                func target(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
                    .target(name: name, dependencies: dependencies)
                }
                .target(name: "COpenSSL", linkerSettings: [.linkedLibrary("crypto")]),
                target("XML", ["Primitives", nioCore]), // target("Not", ["Seen"])
                target("Server", ["Gateway", .product(name: "NIOPosix", package: "swift-nio")]),
                .executableTarget(
                    name: "tidegate", dependencies: ["XML", .product(name: "Yams", package: "Other")],
                    swiftSettings: settings),
                """)
        let table = PackageTable(manifest: manifest)
        #expect(table.dependencies["COpenSSL"] == [])
        #expect(table.dependencies["XML"] == ["Primitives", "NIOCore"])
        #expect(table.dependencies["tidegate"] == ["XML", "Yams"])
        #expect(table.dependencies["Server"] == ["Gateway", "NIOPosix"])
        #expect(table.dependencies["Not"] == nil)
    }

    @Test("A target imports only the targets of ours that it declares")
    func declaredImports() throws {
        let manifest = try #require(SourceTree.here.files.first { $0.path == "Package.swift" })
        let declared = PackageTable(manifest: manifest).dependencies
        for file in SourceTree.here.files where file.isSwift {
            guard let target = file.target, let dependencies = declared[target] else { continue }
            for (module, line) in Rule.importedModules(of: file) where declared[module] != nil {
                #expect(dependencies.contains(module), "\(file.path):\(line + 1): \(target) does not declare \(module)")
            }
        }
    }

    @Test("Comments and literals are no code")
    func codeOnly() {
        let text = """
            let a = "x // y" // z
            /* b /* c */ d */ let e = #"f"g"#
            let h = "\\(i(")")) j" + k
            """
        let lines = CodeOnly.lines(of: text)
        #expect(lines[0].hasPrefix("let a = \"      \""))
        #expect(!lines[0].contains("z"))
        #expect(lines[1].contains("let e = #\"   \"#"))
        #expect(!lines[1].contains("d"))
        #expect(lines[2].contains("+ k"))
        #expect(lines.count == 3)
    }
}
