import Primitives
import S3Model
import XML

/// Elements that several answers share.
enum Elements {
    static func owner(_ owner: Owner, name: String = "Owner", _ writer: inout XMLWriter) {
        writer.element(name) { writer in
            writer.element("ID", owner.id)
            writer.element("DisplayName", owner.displayName)
        }
    }

    static func tagging(_ tags: [Tag]) -> [UInt8] {
        XMLWriter.document("Tagging") { writer in
            writer.element("TagSet") { writer in
                for tag in tags {
                    writer.element("Tag") { writer in
                        writer.element("Key", tag.key)
                        writer.element("Value", tag.value)
                    }
                }
            }
        }
    }

    /// The list that everything has: its owner may do everything.
    static func accessControlPolicy(owner: Owner) -> [UInt8] {
        XMLWriter.document("AccessControlPolicy") { writer in
            self.owner(owner, &writer)
            writer.element("AccessControlList") { writer in
                writer.element("Grant") { writer in
                    writer.element(
                        "Grantee",
                        attributes: [
                            ("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"), ("xsi:type", "CanonicalUser"),
                        ]
                    ) { writer in
                        writer.element("ID", owner.id)
                        writer.element("DisplayName", owner.displayName)
                    }
                    writer.element("Permission", "FULL_CONTROL")
                }
            }
        }
    }

    static func objects(_ objects: [ListedObject], owner: Owner?, _ keys: KeyEncoding, _ writer: inout XMLWriter) {
        for object in objects {
            writer.element("Contents") { writer in
                keys.element("Key", object.key.bytes, &writer)
                body(of: object, &writer)
                if let owner { self.owner(owner, &writer) }
            }
        }
    }

    private static func body(of object: ListedObject, _ writer: inout XMLWriter) {
        writer.element("LastModified", object.modified.iso8601Bytes.span)
        writer.element("ETag") { writer in
            writer.text("\"")
            writer.text(object.etag)
            writer.text("\"")
        }
        if let algorithm = object.checksumAlgorithm {
            writer.element("ChecksumAlgorithm", algorithm)
            writer.element("ChecksumType", object.checksumIsComposite ? "COMPOSITE" : "FULL_OBJECT")
        }
        writer.element("Size", String(object.size))
        writer.element("StorageClass", object.storageClass ?? "STANDARD")
    }

    static func version(_ version: ListedVersion, owner: Owner, _ keys: KeyEncoding, _ writer: inout XMLWriter) {
        writer.element(version.isDeleteMarker ? "DeleteMarker" : "Version") { writer in
            keys.element("Key", version.object.key.bytes, &writer)
            writer.element("VersionId", version.versionID.description)
            writer.element("IsLatest", version.isLatest ? "true" : "false")
            if version.isDeleteMarker {
                writer.element("LastModified", version.object.modified.iso8601)
            } else {
                body(of: version.object, &writer)
            }
            self.owner(owner, &writer)
        }
    }

    static func upload(_ upload: ListedUpload, owner: Owner, _ keys: KeyEncoding, _ writer: inout XMLWriter) {
        writer.element("Upload") { writer in
            keys.element("Key", upload.key.bytes, &writer)
            writer.element("UploadId", upload.upload)
            self.owner(upload.initiator, name: "Initiator", &writer)
            self.owner(owner, &writer)
            writer.element("StorageClass", upload.storageClass ?? "STANDARD")
            writer.element("Initiated", upload.started.iso8601)
            if let algorithm = upload.checksumAlgorithm {
                writer.element("ChecksumAlgorithm", algorithm)
                writer.element("ChecksumType", upload.isComposite ? "COMPOSITE" : "FULL_OBJECT")
            }
        }
    }

    static func part(_ part: ListedPart, name: String, withETag: Bool = true, _ writer: inout XMLWriter) {
        writer.element(name) { writer in
            writer.element("PartNumber", String(part.number))
            if withETag {
                writer.element("LastModified", part.modified.iso8601)
                writer.element("ETag", "\"\(part.etag)\"")
            }
            writer.element("Size", String(part.size))
            if let checksum = part.checksum { self.checksum(checksum, withType: false, &writer) }
        }
    }

    static func commonPrefixes(_ prefixes: [[UInt8]], _ keys: KeyEncoding, _ writer: inout XMLWriter) {
        for prefix in prefixes {
            writer.element("CommonPrefixes") { writer in keys.element("Prefix", prefix, &writer) }
        }
    }

    static func checksum(_ checksum: Checksum, withType: Bool = true, _ writer: inout XMLWriter) {
        writer.element("Checksum" + checksum.algorithm, checksum.value)
        if withType { writer.element("ChecksumType", checksum.isComposite ? "COMPOSITE" : "FULL_OBJECT") }
    }
}

/// How keys stand in the XML of an answer: as they are, or percent-encoded where the client asked for that.
struct KeyEncoding {
    var isPercent: Bool

    func element(_ name: String, _ bytes: [UInt8], _ writer: inout XMLWriter) {
        guard isPercent else { return writer.element(name, bytes.span) }
        writer.element(name, PercentCoding.encode(bytes, keepingSlash: true))
    }
}
