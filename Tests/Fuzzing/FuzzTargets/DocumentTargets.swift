import Primitives
import S3Model
import S3Wire
import XML

/// The documents of S3's requests: what is read of one is read of it again once it was written.
extension FuzzTarget {
    static let xmlDelete = FuzzTarget("xml-delete") {
        [
            Example(
                "all",
                "<Delete xmlns='http://s3.amazonaws.com/doc/2006-03-01/'><Quiet>true</Quiet><Object><Key>a&",
                "#xd;/../b</Key>",
                "<VersionId>null</VersionId><ETag>W/\"x\"</ETag><Size>5</Size>",
                "<LastModifiedTime>Fri, 24 May 2013 00:00:00 GMT</LastModifiedTime></Object></Delete>"),
            Example(
                "two",
                "<Delete><Object><Key>a</Key></Object><Object><Key>b</Key><Size>9</Size>",
                "</Object></Delete>"),
            Example("none", "<Delete/>"),
        ]
    } run: { bytes in
        let request = try DocumentRequest.make("POST", "/bucket?delete", ["content-md5": "1B2M2Y8AsgTpgAmY7PhCfg=="])
        guard let input = try DocumentRequest.decode(DeleteObjects.self, request, bytes) else { return false }
        try require((1...1000).contains(input.items.count), "a number of keys outside the limits")
        let text = DocumentRequest.document("Delete") { writer in
            if input.isQuiet { writer.element("Quiet", "TRUE") }
            for item in input.items { writer.element("Object") { DocumentRequest.write(item, &$0) } }
        }
        var expected = input
        // The document has milliseconds.
        for index in expected.items.indices {
            let modified = expected.items[index].preconditions.modified
            expected.items[index].preconditions.modified = modified.map { Timestamp(milliseconds: $0.milliseconds) }
        }
        let again = try DocumentRequest.decode(DeleteObjects.self, request, text)
        try require(again == expected, "a list is read otherwise once written")
        return true
    }

    static let xmlComplete = FuzzTarget("xml-complete") {
        [
            Example(
                "parts",
                "<CompleteMultipartUpload><Part><PartNumber> 1 </PartNumber><ETag>\"a\"</ETag></Part><Part>",
                "<ETag>b</ETag>",
                "<PartNumber>10000</PartNumber><ChecksumCRC32>AAAAAA==</ChecksumCRC32></Part>",
                "</CompleteMultipartUpload>"),
            Example(
                "beyond",
                "<CompleteMultipartUpload><Part><PartNumber>10001</PartNumber><ETag/></Part>",
                "</CompleteMultipartUpload>"),
        ]
    } run: { bytes in
        let request = try DocumentRequest.make("POST", "/bucket/key?uploadId=u", [:])
        guard let input = try DocumentRequest.decode(CompleteMultipartUpload.self, request, bytes) else { return false }
        let text = DocumentRequest.document("CompleteMultipartUpload") { writer in
            for part in input.parts {
                writer.element("Part") { writer in
                    writer.element("PartNumber", part.number)
                    writer.element("ETag", "\"\(part.etag)\"")
                    for (algorithm, value) in part.checksums {
                        writer.element("Checksum" + algorithm, Base64.encode(value))
                    }
                }
            }
        }
        let again = try DocumentRequest.decode(CompleteMultipartUpload.self, request, text)
        try require(again?.parts == input.parts, "a list of parts is read otherwise once written")
        try require(input.parts.allSatisfy { (1...10_000).contains($0.number) }, "a part outside the limits")
        return true
    }

    static let xmlTagging = FuzzTarget("xml-tagging") {
        [
            Example(
                "two",
                "<Tagging><TagSet><Tag><Key>b</Key><Value>2</Value></Tag><Tag><Key>a \u{e9}</Key><Value/>",
                "</Tag></TagSet></Tagging>"
            ),
            Example(
                "twice",
                "<Tagging><TagSet><Tag><Key>b</Key><Value/></Tag><Tag><Key>b</Key><Value/></Tag></TagSet></Tagging>"),
        ]
    } run: { bytes in
        let request = try DocumentRequest.make("PUT", "/bucket/key?tagging", [:])
        guard let input = try DocumentRequest.decode(PutObjectTagging.self, request, bytes) else { return false }
        let text = DocumentRequest.document("Tagging") { writer in
            writer.element("TagSet") { writer in
                for tag in input.tags {
                    writer.element("Tag") { writer in
                        writer.element("Key", tag.key)
                        writer.element("Value", tag.value)
                    }
                }
            }
        }
        let again = try DocumentRequest.decode(PutObjectTagging.self, request, text)
        try require(again == input, "tags are read otherwise once written")
        // The header carries the same tags.
        let header = input.tags.map { "\(PercentCoding.encode($0.key.utf8))=\(PercentCoding.encode($0.value.utf8))" }
        let ofHeader = Result { () throws(S3Error) in try TagDecoding.header(header.joined(separator: "&")) }
        try require((try? ofHeader.get()) == input.tags, "tags are read otherwise from the header")
        try require(input.tags.count <= 10, "more tags than the limit")
        return true
    }

    static let xmlVersioning = FuzzTarget("xml-versioning") {
        [
            Example("enabled", "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"),
            Example(
                "mfa",
                "<VersioningConfiguration><Status>Suspended</Status><MfaDelete>Enabled</MfaDelete>",
                "</VersioningConfiguration>"
            ),
        ]
    } run: { bytes in
        let request = try DocumentRequest.make("PUT", "/bucket?versioning", [:])
        guard let input = try DocumentRequest.decode(PutBucketVersioning.self, request, bytes) else { return false }
        let text = DocumentRequest.document("VersioningConfiguration") { $0.element("Status", input.state.rawValue) }
        let again = try DocumentRequest.decode(PutBucketVersioning.self, request, text)
        try require(again?.state == input.state, "a state is read otherwise once written")
        return true
    }

    static let xmlPublicAccess = FuzzTarget("xml-public-access") {
        [
            Example(
                "all",
                "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>",
                "FALSE</IgnorePublicAcls>",
                "<BlockPublicPolicy> true </BlockPublicPolicy><RestrictPublicBuckets>",
                "false</RestrictPublicBuckets>",
                "</PublicAccessBlockConfiguration>"),
            Example(
                "unknown",
                "<PublicAccessBlockConfiguration><BlockPublicAcl>true</BlockPublicAcl>",
                "</PublicAccessBlockConfiguration>"
            ),
        ]
    } run: { bytes in
        let request = try DocumentRequest.make("PUT", "/bucket?publicAccessBlock", [:])
        guard let input = try DocumentRequest.decode(PutPublicAccessBlock.self, request, bytes) else { return false }
        let text = DocumentRequest.document("PublicAccessBlockConfiguration") { writer in
            writer.element("BlockPublicAcls", input.block.blockPublicAcls)
            writer.element("IgnorePublicAcls", input.block.ignorePublicAcls)
            writer.element("BlockPublicPolicy", input.block.blockPublicPolicy)
            writer.element("RestrictPublicBuckets", input.block.restrictPublicBuckets)
        }
        let again = try DocumentRequest.decode(PutPublicAccessBlock.self, request, text)
        try require(again?.block == input.block, "a block is read otherwise once written")
        return true
    }

    static let xmlCreateBucket = FuzzTarget("xml-create-bucket") {
        [
            Example(
                "located",
                "<CreateBucketConfiguration><LocationConstraint>eu-1</LocationConstraint>",
                "</CreateBucketConfiguration>"),
            Example(
                "bucket",
                "<CreateBucketConfiguration><Bucket><Type>Directory</Type></Bucket></CreateBucketConfiguration>"),
        ]
    } run: { bytes in
        let request = try DocumentRequest.make("PUT", "/bucket", [:])
        guard let input = try DocumentRequest.decode(CreateBucket.self, request, bytes) else { return false }
        guard let location = input.location else { return true }
        let text = DocumentRequest.document("CreateBucketConfiguration") { $0.element("LocationConstraint", location) }
        let again = try DocumentRequest.decode(CreateBucket.self, request, text)
        try require(again?.location == location, "a location is read otherwise once written")
        return true
    }

    /// Access control lists: one that lets in everybody is never taken for less.
    static let xmlAccessControl = FuzzTarget("xml-acl") {
        [
            Example("private", DocumentRequest.list("<ID>o</ID>")),
            Example("public", DocumentRequest.list("<URI>http://acs.amazonaws.com/groups/global/AllUsers</URI>")),
            Example("empty", "<AccessControlPolicy><Owner><ID/></Owner></AccessControlPolicy>"),
        ]
    } run: { bytes in
        guard !bytes.isEmpty else { return false }
        let request = try DocumentRequest.make("PUT", "/bucket?acl", ["x-amz-acl": "private"])
        let alone = try DocumentRequest.make("PUT", "/bucket?acl", [:])
        guard let access = try DocumentRequest.access(alone, bytes) else { return false }
        try require(try DocumentRequest.access(request, bytes) == access, "a header that narrows a list")
        return true
    }
}

/// A request whose document is fuzzed.
private enum DocumentRequest {
    static func make(_ method: String, _ target: String, _ fields: HeaderFields) throws -> WireRequest {
        var fields = fields
        fields.append("host", "s3.example.com")
        return try WireRequest(
            RequestHead(method: method, target: target, fields: fields), domains: [], region: "us-east-1")
    }

    /// What an operation reads; nil where it refuses.
    static func decode<Decoded: WireOperation>(
        _: Decoded.Type, _ request: WireRequest, _ document: [UInt8]
    ) throws -> Decoded.Input? {
        do throws(S3Error) {
            return try Decoded.decode(request, document: document)
        } catch {
            try checkRefusal(error)
            return nil
        }
    }

    static func access(_ request: WireRequest, _ document: [UInt8]) throws -> RequestedAccess? {
        do throws(S3Error) {
            return try AccessControlDecoding.requested(request, document: document)
        } catch {
            try checkRefusal(error)
            return nil
        }
    }

    static func document(_ name: String, _ content: (inout XMLWriter) -> Void) -> [UInt8] {
        var writer = XMLWriter()
        writer.root(name, content)
        return writer.bytes
    }

    static func write(_ item: DeleteObjects.Item, _ writer: inout XMLWriter) {
        writer.element("Key", item.key.description)
        if let version = item.versionID?.description ?? item.invalidVersion { writer.element("VersionId", version) }
        if let etag = item.preconditions.etag { writer.element("ETag", "\"\(etag)\"") }
        if let modified = item.preconditions.modified { writer.element("LastModifiedTime", modified.iso8601) }
        if let size = item.preconditions.size { writer.element("Size", size) }
    }

    static func list(_ grantee: String) -> String {
        "<AccessControlPolicy><Owner><ID>o</ID></Owner><AccessControlList><Grant><Grantee>\(grantee)</Grantee>"
            + "<Permission>FULL_CONTROL</Permission></Grant></AccessControlList></AccessControlPolicy>"
    }
}

/// What a client sends is the client's fault, or something that is not implemented, and is named so.
func checkRefusal(_ error: S3Error) throws(BrokenProperty) {
    let isClients = (400..<500).contains(error.code.status) || error.code.status == 501
    try require(isClients && !error.message.isEmpty, "\(error.code.name) for what a client has sent")
}
