/// Every key there is, in the order in which `config --explain` tells them.
package enum ConfigurationTable {
    package static let keys: [ConfigurationKey] = place + front + access + limits + storage + operation

    /// The key of a name.
    package static func key(_ name: String) -> ConfigurationKey? { byName[name] }

    /// Whether the name is the first part of names, as `pool` is.
    static func isGroup(_ name: String) -> Bool {
        keys.contains { $0.name.utf8.starts(with: name.utf8 + [UInt8(ascii: ".")]) }
    }

    private static let byName = Dictionary(keys.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })

    private static let longest: Int64 = 24 * 3_600_000

    private static let place = [
        ConfigurationKey(
            "data", .text(.path), default: "data",
            "The directory that holds what this gateway keeps: by default the index, the audit log, the stores and "
                + "the drawn root key."
        ),
        ConfigurationKey(
            "node", .text(.node), default: "gateway-0",
            "The name of this gateway in the audit log. It must differ between gateways and stay the same over "
                + "restarts."
        ),
        ConfigurationKey(
            "region", .text(.region), default: "us-east-1",
            "The region that clients sign for and that buckets are said to be in."),
        ConfigurationKey(
            "account-id", .text(.accountID), default: "000000000000", "The account that owns buckets and objects."),
    ]

    private static let front = [
        ConfigurationKey("listen", .address, default: "127.0.0.1:9000", "Where S3 is served."),
        ConfigurationKey(
            "domains", .list(.domain), default: "",
            "Domains under which a bucket is addressed as BUCKET.DOMAIN. Path-style addresses work always."),
        ConfigurationKey(
            "admin.listen", .address, default: "127.0.0.1:9001",
            "Where /metrics, /healthz and /readyz are served. Anywhere but on the loopback it wants a credential."),
        ConfigurationKey(
            "admin.credential-file", .text(.path),
            "A file, readable by its owner alone, with the bearer token that the admin port asks for."),
        ConfigurationKey(
            "tls.certificate", .text(.path),
            "The certificate and the chain above it, PEM, the leaf first. Read again on SIGHUP."),
        ConfigurationKey(
            "tls.key", .text(.path),
            "The certificate's private key, PEM, readable by its owner alone. Read again on SIGHUP."),
        ConfigurationKey(
            "tls.client-ca", .text(.path), "The authorities that client certificates are verified against, PEM."),
        ConfigurationKey(
            "tls.client-mode", .choice(["none", "optional", "required"]), default: "none",
            "Whether clients are asked for a certificate, and whether they must have one."),
    ]

    private static let access = [
        ConfigurationKey(
            "root.access-key", .text(.accessKey),
            "The access key that may do everything. Where neither it nor root.secret-key is set, one is drawn at the "
                + "first start, "
                + "printed once and kept in DATA/root-credentials."),
        ConfigurationKey(
            "root.secret-key", .text(.secretKey), secret: true,
            "The secret of root.access-key: from the file, which must then be readable by its owner alone, or from the "
                + "environment, never from the command line."),
        ConfigurationKey(
            "keys", .accessKeys,
            "Further access keys. Each has access-key, secret or secret-file (readable by its owner alone, as this "
                + "file is to be where a secret stands in it), user, account (where it is not "
                + "account-id) and policies: names of files in policies-directory (without .json), or policies written "
                + "out. A key without policies may do nothing."),
        ConfigurationKey(
            "policies-directory", .text(.path),
            "The directory with policies, one JSON file each, that keys refer to by name. Every one is checked at the "
                + "start: an action or condition key that S3 has not is an error."),
        ConfigurationKey(
            "signature-v2", .choice(["on", "off"]), default: "on",
            "Whether requests, URLs and forms with a signature of version 2 are taken, as some clients still make "
                + "them. It covers less than version 4 does."),
    ]

    private static let limits = [
        ConfigurationKey(
            "limits.connections", .integer(1...1_000_000), default: "1024",
            "Connections open at once. One more is answered with 503."),
        ConfigurationKey(
            "limits.connections-per-address", .integer(1...1_000_000), default: "768",
            "Of these, those of one address, or one IPv6 network of 64 bits, so that nobody alone takes all. Behind a "
                + "proxy every connection has the proxy's address."),
        ConfigurationKey(
            "limits.requests-in-flight", .integer(1...1_000_000), default: "512",
            "Requests in flight at once, over all connections. One more is answered with 503 SlowDown."),
        ConfigurationKey(
            "limits.requests-per-address", .integer(1...1_000_000), default: "384",
            "Of these, those of one address."),
        ConfigurationKey(
            "limits.header-bytes", .size(1024...1 << 20), default: "32KiB", "Bytes of the header fields of a request."),
        ConfigurationKey("limits.header-count", .integer(8...4096), default: "128", "Header fields of a request."),
        ConfigurationKey(
            "limits.request-line-bytes", .size(1024...1 << 20), default: "16KiB", "Bytes of the request line."),
        ConfigurationKey(
            "limits.idle-timeout", .duration(1000...longest), default: "75s",
            "How long a connection may wait between two requests."),
        ConfigurationKey(
            "limits.head-timeout", .duration(1000...longest), default: "20s",
            "How long a request's head may take from its first byte to its last."),
        ConfigurationKey(
            "limits.body-timeout", .duration(1000...longest), default: "30s",
            "How long a body may make no progress, in either direction."),
    ]

    private static let storage = [
        ConfigurationKey(
            "pool.data-shards", .integer(1...32), default: "4",
            "Into how many shards the data of an object is cut. Any so many shards give the object back."),
        ConfigurationKey(
            "pool.parity-shards", .integer(1...16), default: "2",
            "How many shards are computed in addition: so many stores may be lost."),
        ConfigurationKey(
            "pool.adaptive-parity", .integer(1...16),
            "The most shards that are computed in addition where stores are seen to lose what they hold more often "
                + "than durability.losses-per-year says. New objects then have as many as keep the nines that "
                + "parity-shards was meant to have, never fewer than parity-shards. By default there are always "
                + "parity-shards."),
        ConfigurationKey(
            "pool.cell-size", .size(64...4 << 20), default: "128KiB",
            "Bytes of a shard in one stripe; a multiple of 64. Holds for objects written from then on."),
        ConfigurationKey(
            "pool.directories", .list(.path),
            "The stores that are directories: one for each disk, at least data-shards + parity-shards of them where no "
                + "backend is attached. By default store-0, store-1, … under data, which protects against damage but "
                + "not against the loss of that one disk; none where only backends are attached."),
        ConfigurationKey(
            "pool.write-quorum", .integer(1...48),
            "Durable shards without which a write fails, from data-shards to data-shards + parity-shards. By default "
                + "data-shards + 1."
        ),
        ConfigurationKey(
            "pool.spread", .choice(["auto", "provider", "region", "zone", "host", "store"]), default: "auto",
            "What no two shards of an object are to share, as far as there are enough. auto takes the narrowest with "
                + "which the loss of one host, zone, region or provider costs no object more than parity-shards "
                + "shards."),
        ConfigurationKey(
            "pool.full-above", .integer(1...100), default: "95",
            "Percent of a store's capacity from which on it is given new shards only where the others cannot take all "
                + "shards of an object in as many failure domains. What lies there is read and deleted as before."),
        ConfigurationKey(
            "pool.warn-above", .integer(1...100), default: "85",
            "Percent of a store's capacity from which on the log, the metrics and `tidegate backend list` say that it "
                + "is nearly full."),
        ConfigurationKey(
            "pool.hedge-after", .duration(1...60_000), default: "250ms",
            "How long a read waits for a shard at most before it reads others beside it; less long where its stores "
                + "are seen to answer sooner. 10s or more turns that off: after so long a store that gives nothing is "
                + "given up."),
        ConfigurationKey(
            "pool.hedge-budget", .integer(0...100), default: "5",
            "How many shards may be read so beside slow ones, in percent of those that are read anyway; up to ten are "
                + "saved up. 0 turns that off. What replaces a shard that failed, or was given up, is not limited."),
        ConfigurationKey(
            "pool.straggler-after", .duration(100...600_000), default: "3s",
            "A write that one store alone has held up for so long, and for three quarters of its time, goes on without "
                + "it. That shard goes to another store, or is repaired later. 10m turns that off."),
        ConfigurationKey(
            "pool.repair-rate", .size(64 << 10...1 << 40),
            "Bytes of shards that repairs, drains and a rebalance write in a second, all together. What can lose no "
                + "shard more is repaired at once. By default as many as the stores take."),
        ConfigurationKey(
            "pool.scrub-interval", .duration(60_000...365 * longest), default: "168h",
            "From the end of one scrub, which reads every shard at 64 MiB/s, to the beginning of the next."),
        ConfigurationKey(
            "pool.scrub-within", .duration(3_600_000...3650 * longest), default: "720h",
            "Within how long each shard is to be read again. A scrub begins sooner than after pool.scrub-interval, and "
                + "reads more than 64 MiB/s, where that is needed for it. `tidegate durability` tells what is "
                + "overdue."),
        ConfigurationKey(
            "durability.losses-per-year", .decimal(0...1000), default: "0.02",
            "How often a store is expected to lose what it holds, in a year (the AFR, as a rate): `tidegate "
                + "durability` computes nines from it, beside those from what it has observed."),
        ConfigurationKey(
            "durability.repair-time", .duration(1000...3650 * longest), default: "24h",
            "How long it is expected to take from the loss of a shard until it is there again."),
        ConfigurationKey(
            "durability.domain-losses-per-year", .decimal(0...1000), default: "0.001",
            "How often a failure domain is expected to be lost as a whole, with every store in it, in a year."),
        ConfigurationKey("index.path", .text(.path), "The file of the index. By default index.sqlite under data."),
        ConfigurationKey(
            "index.journal", .choice(["async", "sync"]), default: "async",
            "Whether commits reach the stores' journal after the answer (async), or before it and before they are read "
                + "(sync)."),
        ConfigurationKey(
            "index.journal-lag", .duration(10...60_000), default: "1s",
            "How far the journal on the stores may lag behind when it is async."),
        ConfigurationKey(
            "audit.directory", .text(.path), "The directory of the audit log. By default audit under data."),
        ConfigurationKey(
            "audit.durability", .choice(["bounded", "strict"]), default: "bounded",
            "Whether the record of a read is synced within a second of the answer (bounded) or before its last byte "
                + "(strict). "
                + "Records of changes are always durable before the answer."),
        ConfigurationKey(
            "audit.segment-size", .size(1 << 20...1 << 30), default: "64MiB",
            "Bytes after which the log begins a new file."),
        ConfigurationKey(
            "audit.reserve", .size(1 << 16...1 << 30), default: "16MiB",
            "Disk space kept for the log's last records once the disk is full."),
    ]

    private static let operation = [
        ConfigurationKey(
            "md5", .choice(["lanes", "plain"]), default: "lanes",
            "Whether the MD5s of large uploads that arrive together are computed side by side, on processors with AVX2 "
                + "(lanes), or one after the other (plain). The digests are the same; plain takes several times as "
                + "much of the processor, and is there to measure that."),
        ConfigurationKey(
            "log.level", .choice(["trace", "debug", "info", "notice", "warning", "error", "critical"]), default: "info",
            "The least severe log records that are written, to standard error."),
        ConfigurationKey(
            "log.format", .choice(["text", "json"]), default: "text",
            "Whether log records are written as text or as JSON."),
        ConfigurationKey(
            "drain-timeout", .duration(0...3_600_000), default: "30s",
            "How long requests in flight may go on after SIGTERM or SIGINT before they are cut."),
    ]
}
