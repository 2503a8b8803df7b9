extension Rule {
    /// Which targets may import each C module: its wrapper alone.
    static let wrappers: [String: Set<String>] = [
        "SystemLibXML2": ["CXML2"],
        "CXML2": ["XML"],
        "COpenSSL": ["Cryptography"],
        "CChecksums": ["Cryptography", "DirectoryStore"],
        "CISAL": ["Erasure"],
        "CSQLite": ["EmbeddedIndex"],
        "CLinux": ["DirectoryStore", "RemoteStore", "AuditLog", "tidegate"],
        "CCurl": ["RemoteStore"],
        "CHiredis": ["RedisLimits"],
        "CPostgres": ["PostgresIndex"],
    ]

    /// The targets that may import Foundation or FoundationEssentials.
    static let foundationUsers: Set<String> = ["tidegate"]

    static let imports: [Rule] = [
        importRule(
            "sockets belong to Server", bad: ("Gateway", "NIOPosix"), good: ("Server", "NIOPosix")
        ) { module, target in
            !["NIOPosix", "NIOSSL", "NIOTLS", "NIOHTTP1", "NIOHTTP2"].contains(module)
                || ["Server", "tidegate"].contains(target)
        },
        importRule(
            "only a wrapper target imports a C module", bad: ("Gateway", "COpenSSL"), good: ("Cryptography", "COpenSSL")
        ) { module, target in
            wrappers[module].map { $0.contains(target) } ?? true
        },
        importRule(
            "Foundation only where named", bad: ("S3Wire", "Foundation"), good: ("tidegate", "Foundation")
        ) { module, target in
            !["Foundation", "FoundationEssentials"].contains(module) || foundationUsers.contains(target)
        },
        importRule(
            "no adapter imports another adapter", bad: ("EmbeddedIndex", "DirectoryStore"),
            good: ("tidegate", "DirectoryStore")
        ) { module, target in
            !adapters.contains(module) || !adapters.contains(target) || module == target
        },
        importRule(
            "the executable and the tests alone import Testing helpers and ArgumentParser",
            bad: ("Gateway", "ArgumentParser"), good: ("tidegate", "ArgumentParser")
        ) { module, target in
            switch module {
            case "Testing", "XCTest": false
            case "TidegateTesting": false
            case "ArgumentParser": target == "tidegate"
            case "Yams": target == "Configuration"
            default: true
            }
        },
    ]

    static let adapters: Set<String> = [
        "DirectoryStore", "RemoteStore", "EmbeddedIndex", "PostgresIndex", "RedisLimits", "AuditLog", "Server",
    ]

    private static func importRule(
        _ reason: String, bad: (target: String, module: String), good: (target: String, module: String),
        allowed: @escaping @Sendable (_ module: String, _ target: String) -> Bool
    ) -> Rule {
        eachFile(
            reason,
            bad: [SourceFile(path: "Sources/\(bad.target)/A.swift", text: "package import \(bad.module)")],
            good: [
                SourceFile(path: "Sources/\(good.target)/A.swift", text: "import \(good.module)"),
                SourceFile(path: "Sources/\(bad.target)/A.swift", text: "// import \(bad.module)"),
            ],
            where: { $0.isSource }
        ) { file in
            importedModules(of: file).filter { !allowed($0.module, file.target ?? "") }.map {
                Violation(path: file.path, line: $0.line + 1, reason: "import \($0.module): \(reason)")
            }
        }
    }

    /// The modules that a file imports, with the lines, from 0.
    static func importedModules(of file: SourceFile) -> [(module: String, line: Int)] {
        file.linesOfCode(with: "import").compactMap { number in
            let words = file.code[number].split(separator: " ")
            guard let index = words.firstIndex(of: "import"), index + 1 < words.count, index <= 2 else { return nil }
            let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]
            let named =
                kinds.contains(words[index + 1]) && index + 2 < words.count ? words[index + 2] : words[index + 1]
            return (String(named.prefix { $0 != "." }), number)
        }
    }
}
