import NIOCore
import Primitives
import Server
import Signing

extension FuzzTarget {
    /// What a request claims of its signer, in whatever version and carrier: a head as it comes from the socket.
    static let signatureClaim = FuzzTarget("signature-claim") {
        let digits = String(repeating: "0", count: 64)
        let scope = "FUZZER/20231114/us-east-1/s3/aws4_request"
        return [
            Example(
                "header",
                "GET /b/k HTTP/1.1\r\nhost: h\r\nx-amz-date: 20231114T221320Z\r\nx-amz-content-sha256: ",
                "UNSIGNED-PAYLOAD\r\n",
                "Authorization: AWS4-HMAC-SHA256 Credential=\(scope), ",
                "SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=\(digits)\r\n\r\n"),
            Example(
                "query",
                "GET /b/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=\(scope.replacing("/", with: "%2F"))",
                "&X-Amz-Date=20231114T221320Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&x-amz-acl=private",
                "&X-Amz-Signature=\(digits) HTTP/1.1\r\nhost: h\r\n\r\n"),
            Example(
                "version-2",
                "PUT /b/k?acl HTTP/1.1\r\nhost: b.s3.example.com\r\ndate: Tue, 14 Nov 2023 22:13:20 GMT\r\n",
                "x-amz-meta-a: 1\r\nauthorization: AWS FUZZER:AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n"),
            Example(
                "version-2-query",
                "GET /b/k?AWSAccessKeyId=FUZZER&Expires=1700000060&",
                "Signature=AAAAAAAAAAAAAAAAAAAAAAAAAAA%3D&versionId=1 ",
                "HTTP/1.1\r\nhost: h\r\n\r\n"),
            Example("both", "GET /?Signature=a HTTP/1.1\r\nhost: h\r\nauthorization: AWS a:b\r\n\r\n"),
        ]
    } run: { bytes in
        guard let head = HeadOutcome(bytes, piecesOf: .max).requests.first?.head else { return false }
        let claim = Result { () throws(SigningError) in try RequestSignature.parse(head: head, allowsVersion2: true) }
        switch claim {
        case .failure(let error):
            try require(
                (400..<500).contains(error.status) || error.status == 501, "\(error.code) for a client's claim")
            return false
        case .success(nil): return false
        case .success(.version4(let presented)?):
            try ClaimCheck.version4(presented, head)
        case .success(.version2(let presented)?):
            try ClaimCheck.version2(presented, head)
        }
        return true
    }

    /// A head that is signed and then changed: no change of what a request means passes. The first byte chooses the
    /// carrier, the next ones the change.
    static let signatureCoverage = FuzzTarget("signature-coverage") {
        let text =
            "PUT /b/k%20%C3%A9?a=1&b&c=%2F HTTP/1.1\r\nhost: h\r\nx-amz-meta-a: 1  2\r\ncontent-type: a/b\r\n"
            + "x-amz-acl: private\r\n\r\n"
        var examples: [Example] = []
        for carrier in [0, 1] as [UInt8] {
            for change in 0..<8 as Range<UInt8> {
                examples.append(Example("change-\(carrier)-\(change)", [carrier, change, 0, 2, 1, 7] + text.utf8))
            }
        }
        return examples
    } run: { bytes in
        var reader = InputReader(bytes)
        let isQuery = reader.byte() & 1 == 1
        var change = HeadChange(&reader)
        guard var head = HeadOutcome(Array(reader.rest), piecesOf: .max).requests.first?.head,
            head.fields.fields.count < 100, try ClaimCheck.isAnonymous(head)
        else { return false }
        guard try ClaimCheck.sign(&head, isQuery: isQuery) else { return false }
        let isHeld = ClaimCheck.isVerified(head)
        // A head that repeats what may stand once is refused for that.
        guard isHeld else { return false }
        let changed = change.apply(to: head)
        let names = Set(head.fields.fields.map(\.name))
        guard let before = SignedMeaning(head, names), let after = SignedMeaning(changed, names) else { return true }
        try require(before == after || !ClaimCheck.isVerified(changed), "a change that its signer did not see passes")
        return true
    }
}

/// What must hold of a claim.
private enum ClaimCheck {
    static func version4(_ presented: PresentedSignature, _ head: RequestHead) throws {
        try require((1...128).contains(presented.accessKeyID.utf8.count), "a key id outside the limits")
        try require(
            (1...128).contains(presented.signedHeaders.count),
            "a number of signed headers outside "
                + "the limits")
        try require(presented.signedHeaders == presented.signedHeaders.sorted(), "signed headers out of order")
        try require(Set(presented.signedHeaders).count == presented.signedHeaders.count, "a signed header twice")
        try require(presented.signature.utf8.count == 64, "a signature of another length")
        if let expires = presented.expires {
            try require((1...604_800).contains(expires), "an expiry outside the limits")
        }
        try require((presented.expires == nil) == (presented.carrier == .header), "an expiry in a header")
        let strict = Result { () throws(SigningError) in try RequestSignature.parse(head: head, allowsVersion2: false) }
        try require((try? strict.get()) == .version4(presented), "another claim where version 2 is off")
        try require(!isVerified(head), "a signature that nobody made is taken")
    }

    static func version2(_ presented: PresentedSignatureV2, _ head: RequestHead) throws {
        try require((1...128).contains(presented.accessKeyID.utf8.count), "a key id outside the limits")
        let strict = Result { () throws(SigningError) in try RequestSignature.parse(head: head, allowsVersion2: false) }
        if case .success = strict { throw BrokenProperty(description: "version 2 is taken although it is off") }
        let verified = Result { () throws(SigningError) in
            try SignatureV2Request.verify(
                presented, head: head, bucketOfHost: nil, secretKey: SigningExample.secret, now: SigningExample.now)
        }
        if case .success = verified { throw BrokenProperty(description: "a signature that nobody made is taken") }
    }

    /// Whether a head claims nothing at all.
    static func isAnonymous(_ head: RequestHead) throws -> Bool {
        let claim = Result { () throws(SigningError) in try RequestSignature.parse(head: head, allowsVersion2: true) }
        guard case .success(nil) = claim else { return false }
        return true
    }

    /// - Returns: Whether the head can be signed: its target may not decode.
    static func sign(_ head: inout RequestHead, isQuery: Bool) throws -> Bool {
        do throws(SigningError) {
            if isQuery {
                head.fields["authorization"] = nil
                try SigningExample.signer.presign(&head, at: SigningExample.now, expires: 60)
            } else {
                try SigningExample.signer.sign(&head, payload: .unsigned, at: SigningExample.now)
            }
            return true
        } catch {
            try require(error.status == 400, "\(error.code) for a head that cannot be signed")
            return false
        }
    }

    static func isVerified(_ head: RequestHead) -> Bool {
        let result = Result { () throws(SigningError) in
            guard case .version4(let presented)? = try RequestSignature.parse(head: head, allowsVersion2: false),
                presented.accessKeyID.utf8.elementsEqual(SigningExample.accessKeyID.utf8)
            else { throw SigningError("NoClaim", 403, "another claim") }
            return try SignatureV4Request.verify(
                presented, head: head, secretKey: SigningExample.secret, now: SigningExample.now,
                region: SigningExample.region)
        }
        if case .success = result { return true }
        return false
    }
}

/// A change of a head.
private struct HeadChange {
    private let kind: UInt8
    private let place: Int
    private let field: Int
    private let value: UInt8

    private static let added = [
        "x-amz-meta-b", "x-amz-copy-source", "x-amz-acl", "x-amz-tagging", "x-amz-security-token", "content-md5",
        "x-amz-content-sha256", "host", "range", "x-amz-decoded-content-length",
    ]
    private static let methods = ["GET", "HEAD", "PUT", "POST", "DELETE"]

    init(_ reader: inout InputReader) {
        kind = reader.byte() % 8
        place = reader.number()
        field = Int(reader.byte())
        value = reader.byte()
    }

    mutating func apply(to head: RequestHead) -> RequestHead {
        var head = head
        var fields = head.fields.fields
        let index = field % max(fields.count, 1)
        switch kind {
        case 0: head.target = Self.changed(head.target, place, value)
        case 1: fields[index].value = Self.changed(fields[index].value, place, value)
        case 2: fields.append(.init(name: Self.added[field % Self.added.count], value: "v\(value)"))
        case 3: fields.remove(at: index)
        case 4: head.method = Self.methods[Int(value) % Self.methods.count]
        case 5: fields.insert(fields[index], at: 0)
        case 6: fields.swapAt(0, index)
        default: head.target += "&x-amz-acl=public-read"
        }
        head.fields = HeaderFields(fields)
        return head
    }

    /// One byte of visible ASCII in the place of another.
    private static func changed(_ text: String, _ place: Int, _ value: UInt8) -> String {
        var bytes = Array(text.utf8)
        guard bytes.count > 1 else { return text }
        bytes[1 + place % (bytes.count - 1)] = 0x21 + value % 0x5E
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// What a request asks for, as far as a signature must cover it: two heads of one meaning may be one for a signature.
private struct SignedMeaning: Equatable {
    let method: String
    let path: [UInt8]
    let query: [[UInt8]]
    let fields: [String: [String]]

    /// Nil where the target does not decode.
    init?(_ head: RequestHead, _ signedNames: Set<String>) {
        guard let path = PercentCoding.decode(head.rawPath.utf8) else { return nil }
        var query: [[UInt8]] = []
        for part in head.rawQuery.utf8.split(separator: UInt8(ascii: "&")) {
            let equals = part.firstIndex(of: UInt8(ascii: "=")) ?? part.endIndex
            guard let name = PercentCoding.decode(part[..<equals], plusIsSpace: true),
                let value = PercentCoding.decode(part[equals...].dropFirst(), plusIsSpace: true)
            else { return nil }
            query.append(name + [0] + value)
        }
        method = head.method
        self.path = path
        self.query = query.sorted { $0.lexicographicallyPrecedes($1) }
        var fields: [String: [String]] = [:]
        for field in head.fields.fields
        where field.name != "authorization"
            && (field.name.utf8.starts(with: "x-amz-".utf8) || signedNames.contains(field.name))
        {
            // Several fields of a name are the list of their values, and runs of white space are one space.
            let words = field.value.utf8.split { $0 == 0x20 || $0 == 0x09 }.map { String(Substring($0)) }
            let value = words.joined(separator: " ")
            fields[field.name, default: []].append(value)
        }
        self.fields = fields.mapValues { [$0.joined(separator: ",")] }
    }
}
