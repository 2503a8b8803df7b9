import Primitives
package import S3Model
import XML

/// Whom an access control list that a request carries would let in.
package enum RequestedAccess: Int, Sendable, Comparable {
    /// The owner alone: the list that everything has.
    case owner
    case others
    /// Everybody, or everybody who has an account.
    ///
    /// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html>
    case everybody

    package static func < (left: RequestedAccess, right: RequestedAccess) -> Bool { left.rawValue < right.rawValue }
}

/// Reads access control lists, from header fields and documents.
package enum AccessControlDecoding {
    package static let grants = [
        "x-amz-grant-full-control", "x-amz-grant-read", "x-amz-grant-read-acp", "x-amz-grant-write",
        "x-amz-grant-write-acp",
    ]

    /// What the names of the groups end in that hold everybody, and everybody who has an account.
    private static let openGroups = ["/groups/global/AllUsers", "/groups/global/AuthenticatedUsers"]

    /// The widest access that the header fields ask for; nil where they name no list.
    /// - Throws: `InvalidArgument` for a canned list that S3 has not.
    package static func requested(_ request: WireRequest) throws(S3Error) -> RequestedAccess? {
        var widest: RequestedAccess?
        for name in grants {
            for value in request.fields.values(name) {
                widest = max(widest ?? .owner, namesOpenGroup(value) ? .everybody : .others)
            }
        }
        guard let canned = request.fields["x-amz-acl"] else { return widest }
        switch canned {
        case "private", "bucket-owner-full-control": return widest ?? .owner
        case "public-read", "public-read-write", "authenticated-read": return .everybody
        case "aws-exec-read", "bucket-owner-read", "log-delivery-write": return max(widest ?? .owner, .others)
        default:
            throw S3Error(
                .invalidArgument,
                details: [S3Error.Detail("ArgumentName", "x-amz-acl"), S3Error.Detail("ArgumentValue", canned)])
        }
    }

    /// The widest access that header fields and document of a PUT of a list ask for together.
    /// - Throws: `InvalidArgument`, `MalformedACLError`.
    package static func requested(_ request: WireRequest, document: [UInt8]) throws(S3Error) -> RequestedAccess {
        let named = try requested(request)
        guard document.isEmpty else { return max(named ?? .owner, try requested(document)) }
        guard let named else { throw S3Error(.malformedACL, "Neither a list nor x-amz-acl was given.") }
        return named
    }

    private static func requested(_ document: [UInt8]) throws(S3Error) -> RequestedAccess {
        let root: XMLElement
        do {
            root = try Document.parse(document, root: "AccessControlPolicy")
        } catch {
            throw S3Error(.malformedACL, error.message)
        }
        guard let owner = root.child("Owner")?.child("ID")?.text,
            let grants = root.child("AccessControlList")?.children("Grant")
        else { throw S3Error(.malformedACL) }
        let isOpen = grants.contains { grant in
            grant.child("Grantee")?.child("URI").map { namesOpenGroup($0.text) } ?? false
        }
        if isOpen { return .everybody }
        let isOwnersAlone =
            grants.count == 1
            && grants.allSatisfy { grant in
                grant.child("Permission")?.text == "FULL_CONTROL"
                    && grant.child("Grantee")?.child("ID")?.text.utf8.elementsEqual(owner.utf8) == true
            }
        return isOwnersAlone ? .owner : .others
    }

    private static func namesOpenGroup(_ text: String) -> Bool {
        openGroups.contains { group in Array(text.utf8).firstRange(of: Array(group.utf8)) != nil }
    }
}
