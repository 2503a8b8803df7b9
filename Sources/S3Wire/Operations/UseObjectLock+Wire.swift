import Primitives
package import S3Model

extension UseObjectLock: WireOperation {
    package static let routes = ObjectLockRequest.allCases.map(\.rawValue)

    package static func decode(_ request: WireRequest, document: [UInt8]) throws(S3Error) -> Input {
        let writes = request.method.utf8.elementsEqual("PUT".utf8)
        let use: ObjectLockRequest =
            if request.query.contains("legal-hold") {
                writes ? .putLegalHold : .getLegalHold
            } else {
                writes ? .putRetention : .getRetention
            }
        return Input(
            bucket: try request.requiredBucket(), key: try request.requiredKey(),
            versionID: try HeaderDecoding.versionID(request), request: use)
    }

    package static func encode(_ output: Never, for input: Input) -> WireResponse {}
}
