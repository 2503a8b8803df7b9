import NIOCore
import Primitives
import Signing

extension S3Client {
    /// Where a signature of version 2 stands.
    enum Place: Sendable, CaseIterable {
        case header
        case query
    }

    /// Sends a request that version 2 signed.
    ///
    /// - Parameters:
    ///   - resource: what is signed of bucket, path and query; the target's text where none is given.
    ///   - amz: the signed lines of `x-amz-*` headers, each with a line feed; those of `headers` where none is given.
    ///   - lifetime: seconds for which a signature in the query counts.
    func sendV2(
        _ method: String, _ target: String, in place: Place = .header, _ headers: HeaderFields = [:],
        _ body: Content = "", resource: String? = nil, amz: String? = nil, lifetime: Int64 = 300,
        bend: (inout RequestHead) -> Void = { _ in }
    ) async -> Received {
        var head = RequestHead(method: method, target: target, fields: headers)
        head.fields["host"] = host
        let time = place == .header ? harness.now.httpDate : String(harness.now.seconds + lifetime)
        let lines = headers.fields.filter { $0.name.utf8.starts(with: "x-amz-".utf8) }
            .sorted { $0.name < $1.name }.map { "\($0.name):\($0.value)\n" }.joined()
        let text =
            "\(method)\n\(headers["content-md5"] ?? "")\n\(headers["content-type"] ?? "")\n\(time)\n"
            + "\(amz ?? lines)\(resource ?? target)"
        if let credentials {
            let signature = SignatureV2Request.signature(of: Array(text.utf8), credentials.secret)
            switch place {
            case .header:
                head.fields["date"] = time
                head.fields["authorization"] = "AWS \(credentials.accessKeyID):\(signature)"
            case .query:
                head.target += target.utf8.contains(UInt8(ascii: "?")) ? "&" : "?"
                head.target +=
                    "AWSAccessKeyId=\(credentials.accessKeyID)&Expires=\(time)"
                    + "&Signature=\(PercentCoding.encode(signature.utf8))"
            }
        }
        if !body.bytes.isEmpty || ["PUT", "POST"].contains(method) {
            head.fields["content-length"] = String(body.bytes.count)
        }
        bend(&head)
        return await harness.handle(head, Body(buffers: Self.pieces(body.bytes)))
    }
}
