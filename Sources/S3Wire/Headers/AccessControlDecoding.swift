import Primitives
import S3Model
import XML

/// Reads access control lists: the one that everything has is accepted, every other refused.
enum AccessControlDecoding {
    /// - Throws: `AccessControlListNotSupported`, `MalformedACLError`.
    static func check(_ request: WireRequest, document: [UInt8]) throws(S3Error) {
        try HeaderDecoding.refuseUnserved(request)
        guard !document.isEmpty else {
            guard request.fields.contains("x-amz-acl") else {
                throw S3Error(.malformedACL, "Neither a list nor x-amz-acl was given.")
            }
            return
        }
        let root: XMLElement
        do {
            root = try Document.parse(document, root: "AccessControlPolicy")
        } catch {
            throw S3Error(.malformedACL, error.message)
        }
        guard let owner = root.child("Owner")?.child("ID")?.text,
            let grants = root.child("AccessControlList")?.children("Grant")
        else { throw S3Error(.malformedACL) }
        let isOwnersAlone =
            grants.count == 1
            && grants.allSatisfy { grant in
                grant.child("Permission")?.text == "FULL_CONTROL"
                    && grant.child("Grantee")?.child("ID")?.text.utf8.elementsEqual(owner.utf8) == true
            }
        guard isOwnersAlone else { throw S3Error(.accessControlListNotSupported) }
    }
}
