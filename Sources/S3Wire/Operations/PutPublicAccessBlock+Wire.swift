import Primitives
package import S3Model
import XML

extension PutPublicAccessBlock: WireOperation {
    package static let payload = PayloadKind.document(limit: ServiceLimits.documentSize)

    /// What the document does not say is not set. But what it says has to be understood, since a restriction that is
    /// passed over lets in whom it was to keep out.
    package static func decode(_ request: WireRequest, document: [UInt8]) throws(S3Error) -> Input {
        let root = try Document.parse(document, root: "PublicAccessBlockConfiguration")
        guard !root.children.isEmpty else { throw S3Error(.invalidRequest, "Must specify at least one configuration.") }
        var settings: [String: Bool] = [:]
        for element in root.children {
            guard PublicAccessBlockElement.names.contains(element.name), settings[element.name] == nil else {
                throw S3Error(.malformedXML, "The element \(element.name) has no place here, or stands here twice.")
            }
            settings[element.name] = try bool(element)
        }
        let block = PublicAccessBlock(
            blockPublicAcls: settings[PublicAccessBlockElement.blockPublicAcls] ?? false,
            ignorePublicAcls: settings[PublicAccessBlockElement.ignorePublicAcls] ?? false,
            blockPublicPolicy: settings[PublicAccessBlockElement.blockPublicPolicy] ?? false,
            restrictPublicBuckets: settings[PublicAccessBlockElement.restrictPublicBuckets] ?? false)
        return Input(bucket: try request.requiredBucket(), block: block)
    }

    private static func bool(_ element: XMLElement) throws(S3Error) -> Bool {
        switch element.text.trimmingSpaces.lowercased() {
        case "true": true
        case "false": false
        default: throw S3Error(.malformedXML, "The value of \(element.name) must be true or false.")
        }
    }

    package static func encode(_ output: Output, for input: Input) -> WireResponse {
        WireResponse()
    }
}

/// The names of the elements of the document.
enum PublicAccessBlockElement {
    static let blockPublicAcls = "BlockPublicAcls"
    static let ignorePublicAcls = "IgnorePublicAcls"
    static let blockPublicPolicy = "BlockPublicPolicy"
    static let restrictPublicBuckets = "RestrictPublicBuckets"
    static let names: Set<String> = [blockPublicAcls, ignorePublicAcls, blockPublicPolicy, restrictPublicBuckets]
}
