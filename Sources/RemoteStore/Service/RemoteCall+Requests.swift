import Primitives

/// The requests that more than one part of the store makes.
extension RemoteCall {
    static func put(_ key: String, _ fields: HeaderFields = [:]) -> RemoteCall {
        RemoteCall(operation: "PutObject", method: "PUT", key: key, fields: fields)
    }

    static func get(_ key: String, _ fields: HeaderFields = [:]) -> RemoteCall {
        RemoteCall(operation: "GetObject", method: "GET", key: key, fields: fields)
    }

    static func head(_ key: String) -> RemoteCall {
        RemoteCall(operation: "HeadObject", method: "HEAD", key: key)
    }

    static func delete(_ key: String) -> RemoteCall {
        RemoteCall(operation: "DeleteObject", method: "DELETE", key: key)
    }

    /// A request for something of the bucket: a subresource, or a listing.
    static func bucket(_ operation: String, _ query: [(name: String, value: String)]) -> RemoteCall {
        RemoteCall(operation: operation, method: "GET", key: nil, query: query)
    }

    /// Every call makes an upload, of which one alone would be completed: it is not made again where it may have been
    /// taken.
    static func createUpload(_ key: String) -> RemoteCall {
        var call = RemoteCall(operation: "CreateMultipartUpload", method: "POST", key: key, query: [("uploads", "")])
        call.isRepeatable = false
        return call
    }

    static func abort(_ key: String, _ id: String) -> RemoteCall {
        RemoteCall(operation: "AbortMultipartUpload", method: "DELETE", key: key, query: [("uploadId", id)])
    }

    /// - Parameter marker: Behind which upload the page begins; nil for the first.
    static func uploads(prefix: String, behind marker: UploadPage.Marker?) -> RemoteCall {
        var call = RemoteCall.bucket("ListMultipartUploads", [("uploads", ""), ("prefix", prefix)])
        if let marker {
            call.query.append(("key-marker", marker.key))
            if let id = marker.id { call.query.append(("upload-id-marker", id)) }
        }
        return call
    }

    /// - Parameters:
    ///   - after: What every key is behind; empty for the first page, and not sent beside a token.
    static func listing(prefix: String, after: [UInt8], token: String?, limit: Int) -> RemoteCall {
        var call = RemoteCall.bucket(
            "ListObjectsV2",
            [("list-type", "2"), ("encoding-type", "url"), ("max-keys", String(limit)), ("prefix", prefix)])
        if let token {
            call.query.append(("continuation-token", token))
        } else if !after.isEmpty {
            call.query.append(("start-after", String(decoding: after, as: UTF8.self)))
        }
        return call
    }
}
