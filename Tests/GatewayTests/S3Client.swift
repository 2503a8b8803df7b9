import Cryptography
import NIOCore
import Primitives
import Signing

/// A client of a gateway under test: it signs as the SDKs do, and what it sends can be bent afterwards.
struct S3Client: Sendable {
    let harness: GatewayHarness
    /// Nil for somebody who signs nothing.
    var credentials: SigningCredentials?
    /// The name that the client calls.
    var host = "gateway.test"

    /// How a body is signed and framed.
    enum Payload: Sendable, CaseIterable {
        case sha256
        case unsigned
        case signedChunks
        case signedChunksWithTrailer
        case unsignedChunksWithTrailer

        fileprivate func mode(_ body: [UInt8]) -> PayloadMode {
            switch self {
            case .sha256: .sha256(Digest.hash(.sha256, body))
            case .unsigned: .unsigned
            case .signedChunks: .signedChunks
            case .signedChunksWithTrailer: .signedChunksWithTrailer
            case .unsignedChunksWithTrailer: .unsignedChunksWithTrailer
            }
        }
    }

    /// Bytes of a chunk in framed payloads, and of the pieces in which bodies arrive.
    static let chunkSize = 64 << 10

    /// Sends a request.
    ///
    /// - Parameters:
    ///   - target: path and query, encoded.
    ///   - bend: changes the head after it was signed.
    func send(
        _ method: String, _ target: String, _ headers: HeaderFields = [:], _ body: Content = "",
        payload: Payload = .sha256, trailer: HeaderFields? = nil, bend: (inout RequestHead) -> Void = { _ in }
    ) async throws -> Received {
        var (head, bytes) = try signed(method, target, headers, body, payload: payload, trailer: trailer)
        bend(&head)
        return await harness.handle(head, Body(buffers: Self.pieces(bytes)))
    }

    /// The head and the framed body of a request.
    func signed(
        _ method: String, _ target: String, _ headers: HeaderFields = [:], _ body: Content = "",
        payload: Payload = .sha256, trailer: HeaderFields? = nil
    ) throws -> (RequestHead, [UInt8]) {
        var head = RequestHead(method: method, target: target, fields: headers)
        head.fields["host"] = host
        let mode = payload.mode(body.bytes)
        guard mode.isChunked else {
            if let credentials {
                try Signer(credentials: credentials, region: GatewayHarness.region)
                    .sign(&head, payload: mode, at: harness.now)
            }
            if !body.bytes.isEmpty || ["PUT", "POST"].contains(method) {
                head.fields["content-length"] = head.fields["content-length"] ?? String(body.bytes.count)
            }
            return (head, body.bytes)
        }
        head.fields["x-amz-decoded-content-length"] =
            head.fields["x-amz-decoded-content-length"] ?? String(body.bytes.count)
        head.fields["content-encoding"] = head.fields["content-encoding"].map { "aws-chunked,\($0)" } ?? "aws-chunked"
        if let names = trailer?.fields.map(\.name), !names.isEmpty {
            head.fields["x-amz-trailer"] = names.joined(separator: ",")
        }
        var signatures: ChunkSignatures?
        if let credentials {
            signatures = try Signer(credentials: credentials, region: GatewayHarness.region)
                .sign(&head, payload: mode, at: harness.now)
        } else {
            head.fields[PayloadMode.headerName] = mode.headerValue
        }
        var encoder = AWSChunkedEncoder(signatures: mode.signsChunks ? signatures : nil)
        var framed: [UInt8] = []
        for start in stride(from: 0, to: body.bytes.count, by: Self.chunkSize) {
            framed += encoder.chunk(Array(body.bytes[start..<min(start + Self.chunkSize, body.bytes.count)]))
        }
        framed += encoder.end(trailer: mode.hasTrailer ? trailer ?? HeaderFields() : nil)
        head.fields["content-length"] = String(framed.count)
        return (head, framed)
    }

    /// Sends a request signed in its query, as a presigned URL is.
    func presigned(
        _ method: String, _ target: String, _ headers: HeaderFields = [:], _ body: Content = "", expires: Int64 = 300,
        bend: (inout RequestHead) -> Void = { _ in }
    ) async throws -> Received {
        var head = RequestHead(method: method, target: target, fields: headers)
        head.fields["host"] = host
        if let credentials {
            try Signer(credentials: credentials, region: GatewayHarness.region)
                .presign(&head, at: harness.now, expires: expires)
        }
        if !body.bytes.isEmpty || ["PUT", "POST"].contains(method) {
            head.fields["content-length"] = String(body.bytes.count)
        }
        bend(&head)
        return await harness.handle(head, Body(buffers: Self.pieces(body.bytes)))
    }

    static func pieces(_ bytes: [UInt8]) -> [ByteBuffer] {
        stride(from: 0, to: bytes.count, by: chunkSize).map { start in
            ByteBuffer(bytes: bytes[start..<min(start + chunkSize, bytes.count)])
        }
    }
}

/// The words that tests are written in.
extension S3Client {
    func get(_ target: String, _ headers: HeaderFields = [:]) async throws -> Received {
        try await send("GET", target, headers)
    }

    func head(_ target: String, _ headers: HeaderFields = [:]) async throws -> Received {
        try await send("HEAD", target, headers)
    }

    @discardableResult
    func put(_ target: String, _ body: Content = "", _ headers: HeaderFields = [:]) async throws -> Received {
        try await send("PUT", target, headers, body)
    }

    @discardableResult
    func delete(_ target: String, _ headers: HeaderFields = [:]) async throws -> Received {
        try await send("DELETE", target, headers)
    }

    @discardableResult
    func post(_ target: String, _ body: Content = "", _ headers: HeaderFields = [:]) async throws -> Received {
        try await send("POST", target, headers, body)
    }

    /// Copies an object; the source is encoded already.
    @discardableResult
    func copy(_ source: String, to target: String, _ headers: HeaderFields = [:]) async throws -> Received {
        var headers = headers
        headers["x-amz-copy-source"] = source
        return try await send("PUT", target, headers)
    }

    /// Deletes several keys with one request.
    @discardableResult
    func deleteAll(_ bucket: String, _ items: [DeleteItem], isQuiet: Bool = false) async throws -> Received {
        let document = Documents.delete(items, isQuiet: isQuiet)
        return try await post("/\(bucket)?delete", document, ["content-md5": Documents.md5(document)])
    }

    /// Turns versioning on or off.
    func setVersioning(_ bucket: String, _ status: String) async throws -> Received {
        try await put("/\(bucket)?versioning", Documents.versioning(status))
    }

    /// Starts an upload and returns its id.
    func startUpload(_ target: String, _ headers: HeaderFields = [:]) async throws -> String {
        let started = try await post(target + "?uploads", "", headers).text
        // A key that XML cannot hold stands in the same document, so that this is looked for by hand.
        let parts = started.split(separator: "UploadId>", maxSplits: 1)
        return parts.count > 1 ? String(parts[1].prefix { $0 != "<" }) : ""
    }

    @discardableResult
    func putPart(
        _ target: String, _ upload: String, _ number: Int, _ body: Content, _ headers: HeaderFields = [:]
    ) async throws -> Received {
        try await send(
            "PUT", "\(target)?partNumber=\(number)&uploadId=\(upload)", headers, body, payload: .unsigned)
    }

    @discardableResult
    func complete(
        _ target: String, _ upload: String, _ parts: [(Int, String?)], _ headers: HeaderFields = [:]
    ) async throws -> Received {
        try await post("\(target)?uploadId=\(upload)", Documents.complete(parts), headers)
    }
}
