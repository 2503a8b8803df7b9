/// Everything that the executable is told at its start: checked, complete and immutable.
package struct TidegateConfiguration: Sendable, Hashable {
    package let data: String
    package let node: String
    package let region: String
    package let accountID: String
    package let listen: ListenAddress
    package let domains: [String]
    package let admin: Admin
    /// Nil for plain HTTP.
    package let tls: TLS?
    /// The root key that is configured; nil where one is to be drawn (`RootCredentials`).
    package let root: RootKey?
    package let keys: [KeySpecification]
    package let policiesDirectory: String?
    /// Whether signatures of version 2 are taken.
    package let signatureV2: Switch
    package let limits: Limits
    package let pool: Pool
    package let expectedLosses: ExpectedLosses
    package let index: Index
    package let audit: Audit
    /// How the MD5s of uploads that arrive together are computed.
    package let md5: MD5
    package let log: Log
    package let drainTimeout: Duration

    package enum Switch: String, Sendable, CaseIterable {
        case on
        case off
    }

    package struct Admin: Sendable, Hashable {
        package let listen: ListenAddress
        /// The bearer token that is asked for; never nil where `listen` can be reached from elsewhere.
        package let credential: Secret?
    }

    /// PEM files.
    package struct TLS: Sendable, Hashable {
        package let certificate: String
        package let key: String
        package let clientAuthority: String?
        package let clientMode: ClientMode
    }

    package enum ClientMode: String, Sendable, CaseIterable {
        case none
        case optional
        case required
    }

    package struct Limits: Sendable, Hashable {
        package let connections: Int
        package let connectionsPerAddress: Int
        package let requestsInFlight: Int
        package let requestsPerAddress: Int
        package let headerBytes: Int
        package let headerCount: Int
        package let requestLineBytes: Int
        package let idleTimeout: Duration
        package let headTimeout: Duration
        package let bodyTimeout: Duration
    }

    package struct Pool: Sendable, Hashable {
        package let dataShards: Int
        package let parityShards: Int
        /// The most parity shards of new objects where losses are frequent; nil where there are always as many.
        package let adaptiveParity: Int?
        package let cellSize: Int
        package let directories: [String]
        /// Whether the configuration names them; otherwise they are those that a deployment has by default.
        package let namesDirectories: Bool
        package let writeQuorum: Int
        /// What no two shards of an object are to share.
        package let spread: Spread
        /// Percent of its capacity from which on a store is given new shards only where the others have no room.
        package let fullAbove: Int
        /// Percent of its capacity from which on it is said of a store that it is nearly full.
        package let warnAbove: Int
        /// How long a read waits for a shard at most before it reads others beside it.
        package let hedgeAfter: Duration
        /// How many shards may be read so, in percent of those that are read anyway.
        package let hedgeBudget: Int
        /// How long one store alone may hold up a write.
        package let stragglerAfter: Duration
        /// From the end of one scrub to the beginning of the next.
        package let scrubInterval: Duration
        /// Within how long each shard is to be read again.
        package let scrubWithin: Duration
        /// Bytes of shards that repairs and moves write in a second; nil for as many as the stores take.
        package let repairRate: Int64?
    }

    /// What is expected of stores, for the calculation of how likely a loss is.
    package struct ExpectedLosses: Sendable, Hashable {
        package let lossesPerYear: Double
        package let repairTime: Duration
        package let domainLossesPerYear: Double
    }

    package enum Spread: String, Sendable, CaseIterable {
        /// The widest that there are enough of.
        case auto
        case provider
        case region
        case zone
        case host
        case store
    }

    package struct Index: Sendable, Hashable {
        package let path: String
        package let journal: Journal
        package let journalLag: Duration
    }

    package enum Journal: String, Sendable, CaseIterable {
        case async
        case sync
    }

    package struct Audit: Sendable, Hashable {
        package let directory: String
        package let durability: Durability
        package let segmentBytes: Int64
        package let reserveBytes: Int64
    }

    package enum Durability: String, Sendable, CaseIterable {
        case bounded
        case strict
    }

    package enum MD5: String, Sendable, CaseIterable {
        /// Side by side, where the processor can.
        case lanes
        /// One after the other.
        case plain
    }

    package struct Log: Sendable, Hashable {
        /// A level of swift-log.
        package let level: String
        package let format: Format
    }

    package enum Format: String, Sendable, CaseIterable {
        case text
        case json
    }
}

/// A pair of keys that may do everything.
package struct RootKey: Sendable, Hashable {
    package let accessKey: String
    package let secretKey: Secret

    package init(accessKey: String, secretKey: Secret) {
        (self.accessKey, self.secretKey) = (accessKey, secretKey)
    }
}
