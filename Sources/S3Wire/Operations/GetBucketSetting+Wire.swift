import Primitives
package import S3Model
import XML

extension GetBucketSetting: WireOperation {
    package static let routes = UnsetBucketSetting.allCases.map(\.operation)

    package static func decode(_ request: WireRequest, document: [UInt8]) throws(S3Error) -> Input {
        let bucket = try request.requiredBucket()
        guard let setting = UnsetBucketSetting.allCases.first(where: { request.query.contains($0.rawValue) }) else {
            throw S3Error(.notImplemented)
        }
        return Input(bucket: bucket, setting: setting)
    }

    /// The settings whose absence is no error; the others throw theirs when performed.
    package static func encode(_ output: Output, for input: Input) -> WireResponse {
        switch input.setting {
        case .accelerate: WireResponse(xml: XMLWriter.document("AccelerateConfiguration") { _ in })
        case .logging: WireResponse(xml: XMLWriter.document("BucketLoggingStatus") { _ in })
        case .notification: WireResponse(xml: XMLWriter.document("NotificationConfiguration") { _ in })
        case .requestPayment:
            WireResponse(
                xml: XMLWriter.document("RequestPaymentConfiguration") { $0.element("Payer", "BucketOwner") })
        case .ownershipControls:
            WireResponse(
                xml: XMLWriter.document("OwnershipControls") { writer in
                    writer.element("Rule") { $0.element("ObjectOwnership", "BucketOwnerEnforced") }
                })
        case .cors, .encryption, .lifecycle, .objectLock, .replication, .website:
            WireResponse(status: 404)
        }
    }
}
