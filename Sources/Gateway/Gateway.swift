package import Audit
package import Cryptography
package import Identity
package import Metadata
package import Pools
package import Primitives
package import S3Model
package import Storage

/// The parts that operations work with. It has no sockets and no disks: those stand behind its protocols.
package struct Gateway: Sendable {
    package let settings: GatewaySettings
    package let index: any MetadataIndex
    package let storage: any ObjectStorage
    package let authenticator: Authenticator
    package let audit: any AuditSink
    package let environment: any Environment
    package let commits: CommitService
    package let buckets: BucketDirectory
    package let metrics: GatewayMetrics
    /// Starts what is computed beside a request.
    package let launcher: TaskLauncher
    /// Which reads are under way, so that no blob is deleted that one of them may still want.
    package let horizon: ReadHorizon
    /// Which requests may still refer to a blob that they share, so that its tombstone stays that long.
    package let sharing: ReadHorizon
    package let noise = RefusalNoise()
    /// Where the MD5s of uploads are computed.
    package let lanes = MD5Lanes()

    package init(
        settings: GatewaySettings, index: any MetadataIndex, storage: any ObjectStorage,
        authenticator: Authenticator, audit: any AuditSink, environment: any Environment, commits: CommitService,
        metrics: GatewayMetrics, horizon: ReadHorizon = ReadHorizon(), sharing: ReadHorizon = ReadHorizon(),
        launcher: TaskLauncher = .concurrent
    ) {
        (self.settings, self.index, self.storage) = (settings, index, storage)
        (self.authenticator, self.audit, self.environment) = (authenticator, audit, environment)
        (self.commits, self.metrics, self.horizon, self.sharing) = (commits, metrics, horizon, sharing)
        self.launcher = launcher
        buckets = BucketDirectory(index: index)
    }

    /// Reads versions of objects.
    package var versions: VersionReader { VersionReader(index) }

    /// The account that owns a bucket, as answers name it.
    package func owner(_ account: String) -> Owner {
        Owner(id: CanonicalUser.id(ofAccount: account), displayName: settings.accountNames[account] ?? account)
    }
}

/// What an operator chooses for the S3 side.
package struct GatewaySettings: Sendable {
    /// The region that signatures are for and that buckets are in.
    package var region: String
    /// Names under which buckets stand as the first label of the host.
    package var domains: [String]
    /// Names of accounts, by their ids, for answers.
    package var accountNames: [String: String]
    /// The name of this gateway in its log.
    package var node: String
    /// When the records of reads and refusals are waited for.
    package var auditDurability: AuditDurability
    /// Objects up to so many bytes are sent with their heads, in one piece: an error that is met on the way is then the
    /// answer, and does not cut one short.
    package var wholeBytes: Int64 = 64 << 10

    package init(
        region: String, domains: [String] = [], accountNames: [String: String] = [:], node: String = "tidegate",
        auditDurability: AuditDurability = .bounded
    ) {
        (self.region, self.domains, self.accountNames) = (region, domains, accountNames)
        (self.node, self.auditDurability) = (node, auditDurability)
    }
}
