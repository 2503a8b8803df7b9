// swift-tools-version: 6.2
import PackageDescription

/// Whether the fuzzer is built (`Tests/Fuzzing/run`): our targets are then instrumented, and its executable is there.
let isFuzzing = Context.environment["TIDEGATE_FUZZING"] != nil

/// The one set of build settings that every Swift target uses (the page Decisions says why each is on).
let settings: [SwiftSetting] =
    [
        .swiftLanguageMode(.v6),
        .strictMemorySafety(),
        .treatAllWarnings(as: .error),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
        .enableUpcomingFeature("InferIsolatedConformances"),
        .enableUpcomingFeature("ImmutableWeakCaptures"),
        .define("PLANTED_BUGS", .when(configuration: .debug)),
    ] + (isFuzzing ? [.unsafeFlags(["-sanitize=fuzzer"])] : [])

let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")

/// A Swift target of ours, with the common settings.
func target(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .target(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: settings)
}

/// The tests of one target.
func tests(
    _ name: String, _ dependencies: [Target.Dependency], exclude: [String] = [], resources: [Resource]? = nil
) -> Target {
    .testTarget(
        name: name, dependencies: dependencies, exclude: exclude, resources: resources, swiftSettings: settings)
}

/// libFuzzer with our parsers: `swift build` knows it only where it was asked for.
let fuzzer: [Target] = [
    .target(name: "CFuzzer", path: "Tests/Fuzzing/CFuzzer"),
    .executableTarget(
        name: "fuzzer", dependencies: ["CFuzzer", "FuzzTargets"], path: "Tests/Fuzzing/Driver",
        swiftSettings: settings,
        // The linker that Debian gives the compiler first stumbles over what the address sanitizer emits.
        linkerSettings: [.unsafeFlags(["-sanitize=fuzzer", "-use-ld=lld"])]),
]

let package = Package(
    name: "tidegate",
    products: [.executable(name: "tidegate", targets: ["tidegate"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // C, quarantined: module maps and bounds-annotated shims.
        .systemLibrary(name: "SystemLibXML2", pkgConfig: "libxml-2.0", providers: [.apt(["libxml2-dev"])]),
        .target(name: "CXML2", dependencies: ["SystemLibXML2"], linkerSettings: [.linkedLibrary("xml2")]),
        .target(name: "CCurl", linkerSettings: [.linkedLibrary("curl")]),
        .target(name: "COpenSSL", linkerSettings: [.linkedLibrary("crypto")]),
        .target(name: "CChecksums", linkerSettings: [.linkedLibrary("xxhash"), .linkedLibrary("isal")]),
        .target(name: "CISAL", linkerSettings: [.linkedLibrary("isal")]),
        .target(name: "CSQLite", linkerSettings: [.linkedLibrary("sqlite3")]),
        .target(name: "CLinux"),
        // Leaves.
        target("Primitives", [nioCore]),
        target("XML", ["Primitives", "CXML2", nioCore]),
        target("Cryptography", ["Primitives", "COpenSSL", "CChecksums", nioCore]),
        target("Policy", ["Primitives"]),
        target("S3Model", ["Primitives", "Policy"]),
        target("Signing", ["Primitives", "Cryptography", nioCore]),
        target("S3Wire", ["S3Model", "XML", "Primitives", "Policy", nioCore]),
        target("Identity", ["Primitives", "Cryptography", "Policy", "Signing"]),
        // Storage.
        .target(
            name: "Erasure", dependencies: ["Primitives", "CISAL", nioCore],
            // Spans instead of pointers for the C functions whose buffers are annotated.
            swiftSettings: settings + [.enableExperimentalFeature("SafeInteropWrappers")]),
        target("Storage", ["Primitives", nioCore]),
        target("DirectoryStore", ["Storage", "Primitives", "CLinux", "CChecksums", nioCore]),
        target(
            "RemoteStore",
            ["Storage", "Signing", "XML", "Cryptography", "Primitives", "CCurl", "CLinux", nioCore]),
        target("Pools", ["Storage", "Erasure", "Primitives", nioCore]),
        // Metadata.
        target("Metadata", ["Primitives"]),
        target("EmbeddedIndex", ["Metadata", "Primitives", "CSQLite"]),
        target("IndexBackup", ["Metadata", "Storage", "Cryptography", "Primitives", nioCore]),
        // Audit.
        target("Audit", ["Primitives", "Cryptography"]),
        target("AuditLog", ["Audit", "Primitives", "Cryptography", "CLinux"]),
        // What an operator sets and sees.
        target("Configuration", ["Primitives", .product(name: "Yams", package: "Yams")]),
        target("Monitoring", ["Primitives"]),
        // How likely a loss is.
        target("Durability", []),
        // The gateway, its front and its workers.
        target(
            "Gateway",
            [
                "Primitives", "XML", "Cryptography", "Policy", "S3Model", "S3Wire", "Signing", "Identity", "Storage",
                "Erasure", "Pools", "Metadata", "Audit", nioCore,
            ]),
        target("Workers", ["Primitives", "Durability", "Erasure", "Storage", "Pools", "Metadata", "Audit"]),
        target(
            "Server",
            [
                "Primitives", nioCore,
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ]),
        .executableTarget(
            name: "tidegate",
            dependencies: [
                "Primitives", "XML", "Cryptography", "Policy", "S3Model", "S3Wire", "Signing", "Identity", "Erasure",
                "Storage", "DirectoryStore", "RemoteStore", "Pools", "Metadata", "EmbeddedIndex", "IndexBackup",
                "Audit", "AuditLog", "CLinux", "Durability",
                "Gateway", "Workers", "Server", "Configuration", "Monitoring", nioCore,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Yams", package: "Yams"),
            ],
            resources: [.embedInCode("Export/rebuild.py")], swiftSettings: settings),
        target("TidegateTesting", ["Primitives", "Storage", "Metadata", "Audit", nioCore]),
        // The simulator: everything below `Server` under a seed.
        .target(
            name: "Simulation",
            dependencies: [
                "Gateway", "Workers", "IndexBackup", "S3Model", "Policy", "Signing", "Identity", "Storage", "Pools",
                "Erasure", "Metadata", "Audit", "Cryptography", "XML", "Primitives", "TidegateTesting", nioCore,
            ],
            path: "Tests/Simulation", swiftSettings: settings),
        .executableTarget(
            name: "simulate",
            dependencies: [
                "Simulation", "Primitives", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Tests/SimulateCommand", swiftSettings: settings),
        // What of the benchmarks works on the product's parts.
        .target(
            name: "CWorkbench", path: "Tests/Benchmarks/CWorkbench", linkerSettings: [.linkedLibrary("isal")]),
        .executableTarget(
            name: "workbench",
            dependencies: [
                "CWorkbench", "Gateway", "Workers", "Metadata", "EmbeddedIndex", "Erasure", "Cryptography",
                "Primitives", nioCore,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Tests/Benchmarks/Workbench", swiftSettings: settings),
        // What the fuzzer and `CorpusTests` feed.
        .target(
            name: "FuzzTargets",
            dependencies: [
                "Primitives", "XML", "Cryptography", "Policy", "S3Model", "S3Wire", "Signing", "Server", "Erasure",
                "DirectoryStore", "Pools", "Metadata", "IndexBackup", "Audit", "AuditLog", "Configuration", "Gateway",
                "RemoteStore", nioCore,
            ],
            path: "Tests/Fuzzing/FuzzTargets", swiftSettings: settings),
        // What a gigabyte costs through a remote store.
        .executableTarget(
            name: "remote-load", dependencies: ["RemoteStore", "Signing", "Storage", "Primitives", nioCore],
            path: "Tests/Remote/Load", swiftSettings: settings),
        // Tests.
        tests("PrimitivesTests", ["Primitives", "TidegateTesting", nioCore]),
        tests("XMLTests", ["XML", "Primitives", nioCore]),
        tests("CryptographyTests", ["Cryptography", "Primitives", nioCore]),
        tests("PolicyTests", ["Policy", "Primitives", nioCore]),
        tests("SigningTests", ["Signing", "Cryptography", "Primitives", nioCore]),
        tests("S3WireTests", ["S3Wire", "S3Model", "Primitives", "XML", nioCore]),
        tests("IdentityTests", ["Identity", "Policy", "Signing", "Primitives", nioCore]),
        tests("ErasureTests", ["Erasure", "Primitives", nioCore], exclude: ["Samples"]),
        tests(
            "StorageTests",
            [
                "Storage", "DirectoryStore", "Pools", "Erasure", "Metadata", "Primitives", "Simulation",
                "TidegateTesting", nioCore,
            ]),
        tests(
            "RemoteStoreTests",
            [
                "RemoteStore", "Storage", "Pools", "Erasure", "Signing", "XML", "Cryptography", "Primitives",
                "TidegateTesting", nioCore,
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ]),
        tests(
            "MetadataTests",
            [
                "Metadata", "EmbeddedIndex", "IndexBackup", "Cryptography", "Primitives", "Storage", "TidegateTesting",
                nioCore,
            ]),
        tests("AuditTests", ["Audit", "AuditLog", "Cryptography", "Primitives", "TidegateTesting", nioCore]),
        tests(
            "WorkersTests",
            [
                "Workers", "Durability", "Pools", "Erasure", "Storage", "Metadata", "Audit", "Primitives",
                "TidegateTesting", nioCore,
            ]),
        tests("ConfigurationTests", ["Configuration", "Primitives", "TidegateTesting"]),
        tests("MonitoringTests", ["Monitoring", "Primitives"]),
        tests("DurabilityTests", ["Durability", "TidegateTesting"]),
        tests(
            "GatewayTests",
            [
                "Gateway", "Workers", "S3Wire", "S3Model", "Policy", "Signing", "Identity", "Storage", "Pools",
                "Erasure", "Metadata", "Audit", "Cryptography", "XML", "Primitives", "Simulation", "TidegateTesting",
                "workbench", nioCore,
            ]),
        tests(
            "ServerTests",
            [
                "Server", "Primitives", nioCore,
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ]),
        tests("SimulationTests", ["Simulation", "simulate", "Primitives"], exclude: ["prove"]),
        tests("CorpusTests", ["FuzzTargets"]),
        tests("TidyTests", []),
    ] + (isFuzzing ? fuzzer : [])
)
