import Primitives
package import S3Model

extension DeleteBucketSetting: WireOperation {
    package static let routes = UnsetBucketSetting.allCases.compactMap(\.removal?.operation)

    package static func decode(_ request: WireRequest, document: [UInt8]) throws(S3Error) -> Input {
        let bucket = try request.requiredBucket()
        guard let setting = UnsetBucketSetting.allCases.first(where: { request.query.contains($0.rawValue) }),
            let removal = setting.removal
        else { throw S3Error(.notImplemented) }
        return Input(bucket: bucket, setting: setting, removal: removal)
    }

    package static func encode(_ output: Output, for input: Input) -> WireResponse { WireResponse(status: 204) }
}
