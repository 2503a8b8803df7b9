/// The dependencies that Package.swift declares, and those that the architecture allows.
struct PackageTable: Sendable {
    /// Names of targets and products, by target.
    let dependencies: [String: Set<String>]

    /// What each target may depend on (architecture, the table of targets). A target that is not here is refused:
    /// whoever adds one writes its line.
    static let allowed: [String: Set<String>] = {
        let model: Set = ["Primitives", "Policy", "S3Model"]
        let protocols: Set = ["Primitives", "Storage", "Metadata", "Audit"]
        let gateway: Set = [
            "Primitives", "XML", "Cryptography", "Policy", "S3Model", "S3Wire", "Signing", "Identity", "Storage",
            "Erasure", "Pools", "Metadata", "Audit", "NIOCore",
        ]
        return [
            "SystemLibXML2": [], "CXML2": ["SystemLibXML2"],
            "CCurl": [], "COpenSSL": [], "CChecksums": [], "CISAL": [], "CSQLite": [], "CLinux": [],
            "Primitives": ["NIOCore"],
            "XML": ["Primitives", "CXML2", "NIOCore"],
            "Cryptography": ["Primitives", "COpenSSL", "CChecksums", "NIOCore"],
            "Policy": ["Primitives"],
            "S3Model": ["Primitives", "Policy"],
            "Signing": ["Primitives", "Cryptography", "NIOCore"],
            "S3Wire": model.union(["XML", "HTTPTypes", "NIOCore"]),
            "Identity": ["Primitives", "Cryptography", "XML", "Policy", "Signing"],
            "Erasure": ["Primitives", "CISAL", "NIOCore"],
            "Storage": ["Primitives", "NIOCore"],
            "DirectoryStore": ["Storage", "Primitives", "CLinux", "CChecksums", "NIOCore"],
            "RemoteStore": ["Storage", "Signing", "XML", "Cryptography", "Primitives", "CCurl", "CLinux", "NIOCore"],
            "Pools": ["Storage", "Erasure", "Primitives", "NIOCore"],
            "Metadata": ["Primitives"],
            "EmbeddedIndex": ["Metadata", "Primitives", "CSQLite"],
            "IndexBackup": ["Metadata", "Storage", "Cryptography", "Primitives", "NIOCore"],
            "Audit": ["Primitives", "Cryptography"],
            "AuditLog": ["Audit", "Primitives", "Cryptography", "CLinux"],
            "Gateway": gateway,
            "Workers": protocols.union(["Pools", "Erasure", "Durability"]),
            "Server": ["Gateway", "S3Wire", "Primitives", "NIOCore", "NIOPosix", "NIOSSL", "NIOTLS"],
            "Configuration": ["Primitives", "Yams"],
            "Monitoring": ["Primitives"],
            "Durability": [],
            "Simulation": gateway.union(["Gateway", "Workers", "IndexBackup", "TidegateTesting"]),
            "simulate": ["Simulation", "Primitives", "ArgumentParser"],
            "CWorkbench": [],
            "workbench": protocols.union(["CWorkbench", "Gateway", "Workers", "EmbeddedIndex", "Erasure"]).union([
                "Cryptography", "NIOCore", "ArgumentParser",
            ]),
            "remote-load": ["RemoteStore", "Signing", "Storage", "Primitives", "NIOCore"],
            "TidegateTesting": protocols.union(["NIOCore"]),
            "FuzzTargets": gateway.union([
                "Gateway", "Server", "DirectoryStore", "IndexBackup", "AuditLog", "Configuration", "RemoteStore",
            ]),
            "CFuzzer": [], "fuzzer": ["CFuzzer", "FuzzTargets"],
            "tidegate": gateway.union([
                "Gateway", "Configuration", "Monitoring", "Erasure", "DirectoryStore", "EmbeddedIndex", "IndexBackup",
                "AuditLog", "CLinux", "RemoteStore", "Durability",
                "Workers", "Server", "ArgumentParser",
                "Logging",
                "Yams", "NIOPosix", "NIOSSL",
            ]),
        ]
    }()

    /// Reads the declarations of Package.swift: `target("A", [...])`, `.target(name: "A", dependencies: [...])`
    /// and their kin.
    init(manifest: SourceFile) {
        let text = manifest.lines.map { String($0.prefix(Self.commentStart($0))) }.joined(separator: "\n")
        var found: [String: Set<String>] = [:]
        for opener in ["target(", "executableTarget(", "systemLibrary(", "tests(", "testTarget("] {
            var rest = text[...]
            while let range = rest.firstRange(of: opener) {
                let before = rest[..<range.lowerBound].last
                rest = rest[range.upperBound...]
                // `func target(_ name…` and the longer words that end alike are not declarations of this kind.
                guard before.map({ ". (\n[".contains($0) }) ?? true, let call = Self.balanced(rest) else { continue }
                guard let name = Self.literals(call).first, call.drop(while: { $0 != "\"" }).startIndex != call.endIndex
                else { continue }
                found[name, default: []].formUnion(Self.dependencies(in: call))
            }
        }
        dependencies = found
    }

    private static func commentStart(_ line: String) -> Int {
        guard let range = line.firstRange(of: "//"), !line[..<range.lowerBound].hasSuffix(":") else {
            return line.count
        }
        return line.distance(from: line.startIndex, to: range.lowerBound)
    }

    /// The text up to the parenthesis that closes the call whose inside begins here.
    private static func balanced(_ text: Substring) -> Substring? {
        var depth = 1
        for index in text.indices {
            if text[index] == "(" { depth += 1 }
            if text[index] == ")" { depth -= 1 }
            if depth == 0 { return text[..<index] }
        }
        return nil
    }

    private static func literals(_ text: Substring) -> [String] {
        text.split(separator: "\"", omittingEmptySubsequences: false).enumerated()
            .filter { $0.offset % 2 == 1 }.map { String($0.element) }
    }

    private static func dependencies(in call: Substring) -> [String] {
        var list = call
        if let label = call.firstRange(of: "dependencies:") {
            list = call[label.upperBound...]
        } else if call.prefix(while: { $0 != "[" }).contains("name:") {
            // `.target(name: "A", linkerSettings: […])`: the list is of something else.
            return []
        }
        guard let open = list.firstIndex(of: "[") else { return [] }
        var depth = 0
        var end = list.endIndex
        for index in list[open...].indices {
            if list[index] == "[" { depth += 1 }
            if list[index] == "]" { depth -= 1 }
            if depth == 0 {
                end = index
                break
            }
        }
        var inside = list[open..<end]
        var names = inside.contains("nioCore") ? ["NIOCore"] : []
        // Of `.product(name: "A", package: "b")` the product counts, not the package.
        while let package = inside.firstRange(of: "package: \"") {
            names += literals(inside[..<package.lowerBound])
            inside = inside[package.upperBound...].drop { $0 != "\"" }.dropFirst()
        }
        return names + literals(inside)
    }
}
