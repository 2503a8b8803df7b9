package import Primitives

/// A store that is a bucket of another S3 service, as the record of its position holds it: everything that it takes to
/// reach it again.
package struct BackendRecord: Sendable, Hashable {
    /// What commands and messages call it.
    package var name: String
    /// Scheme, host and perhaps a port.
    package var url: String
    package var bucket: String
    /// Before every key, or empty.
    package var prefix: String
    /// The region that requests are signed for.
    package var signingRegion: String
    /// How the bucket is named in a request, as `RemoteEndpoint.Addressing` has it.
    package var addressing: String
    /// What kind of service it is said to be.
    package var profile: String
    /// Whether the service may answer before what was written would survive a power cut of its host.
    package var isBuffered: Bool
    /// The certificates that are trusted, in PEM; nil for the authorities of the system.
    package var authorities: String?
    /// Digests of the public keys of which the server must have one; empty for any.
    package var pinnedKeys: [[UInt8]]
    /// What it would fail together with.
    package var domain: FailureDomain
    /// Access key and secret, sealed.
    package var credentials: [UInt8]
    /// When it was probed last, and what was found then, by ability.
    package var probed: Timestamp
    package var findings: [Finding]

    /// What a probe found of one ability.
    package struct Finding: Sendable, Hashable {
        package var ability: String
        package var verdict: String
        package var detail: String

        package init(ability: String, verdict: String, detail: String) {
            (self.ability, self.verdict, self.detail) = (ability, verdict, detail)
        }
    }

    package init(
        name: String, url: String, bucket: String, prefix: String = "", signingRegion: String = "us-east-1",
        addressing: String = "path", profile: String, isBuffered: Bool, authorities: String? = nil,
        pinnedKeys: [[UInt8]] = [], domain: FailureDomain = FailureDomain(), credentials: [UInt8],
        probed: Timestamp, findings: [Finding] = []
    ) {
        (self.name, self.url, self.bucket, self.prefix) = (name, url, bucket, prefix)
        (self.signingRegion, self.addressing, self.profile) = (signingRegion, addressing, profile)
        (self.isBuffered, self.authorities, self.pinnedKeys) = (isBuffered, authorities, pinnedKeys)
        (self.domain, self.credentials, self.probed, self.findings) = (domain, credentials, probed, findings)
    }

    func write(to writer: inout RecordWriter) {
        writer.text(1, name)
        writer.text(2, url)
        writer.text(3, bucket)
        writer.text(4, prefix)
        writer.text(5, signingRegion)
        writer.text(6, addressing)
        writer.text(7, profile)
        writer.number(8, isBuffered ? 1 : 0 as UInt64)
        writer.text(9, authorities)
        for key in pinnedKeys { writer.bytes(10, key) }
        writer.record(11) { domain.write(to: &$0) }
        writer.bytes(12, credentials)
        writer.number(13, probed.nanoseconds)
        for finding in findings {
            writer.record(14) { inner in
                inner.text(1, finding.ability)
                inner.text(2, finding.verdict)
                inner.text(3, finding.detail)
            }
        }
    }

    init(_ reader: RecordReader) throws(RecordError) {
        var reader = reader
        self.init(
            name: "", url: "", bucket: "", profile: "", isBuffered: false, credentials: [],
            probed: Timestamp(nanoseconds: 0))
        while let (field, value) = try reader.next() {
            switch field {
            case 1: name = value.text
            case 2: url = value.text
            case 3: bucket = value.text
            case 4: prefix = value.text
            case 5: signingRegion = value.text
            case 6: addressing = value.text
            case 7: profile = value.text
            case 8: isBuffered = value.number != 0
            case 9: authorities = value.text
            case 10: pinnedKeys.append(value.bytes)
            case 11: domain = try FailureDomain(value.record())
            case 12: credentials = value.bytes
            case 13: probed = Timestamp(nanoseconds: value.signed)
            case 14: findings.append(try Finding(value.record()))
            default: break
            }
        }
        guard !name.isEmpty, !url.isEmpty, !bucket.isEmpty else { throw .malformed }
    }
}

extension BackendRecord.Finding {
    init(_ reader: RecordReader) throws(RecordError) {
        var reader = reader
        self.init(ability: "", verdict: "", detail: "")
        while let (field, value) = try reader.next() {
            switch field {
            case 1: ability = value.text
            case 2: verdict = value.text
            case 3: detail = value.text
            default: break
            }
        }
    }
}
