import Cryptography
import NIOCore
import Primitives
import S3Model
import S3Wire

/// Reads the body of a request whole, where it is a document, with every check that an object's bytes get.
enum DocumentReader {
    /// - Parameter checksumIsOfDocument: whether the request's `x-amz-checksum-*` is of these bytes.
    static func read(
        _ body: consuming Body, limit: Int, checksumIsOfDocument: Bool, _ request: RequestContext
    ) async throws(S3Error) -> [UInt8] {
        var checksum = try ChecksumDecoding.request(request.wire.fields)
        if !checksumIsOfDocument { checksum.value = nil }
        let algorithm = try ObjectWriter.algorithm(checksum.algorithm)
        var expectation = PayloadExpectation(algorithm: algorithm)
        expectation.md5 = checksum.contentMD5
        expectation.checksum = checksum.value
        if checksum.isInTrailer {
            let trailer = request.trailer
            expectation.trailingChecksum = { trailer?()?[algorithm.headerName] }
        }
        let checked = Body(
            length: body.length, source: DigestingSource(body, expectation, PayloadDigests()))
        do {
            let buffer = try await checked.collect(limit: limit)
            request.note(bytesIn: Int64(buffer.readableBytes))
            return [UInt8](buffer.readableBytesView)
        } catch  where error.kind == .tooLarge {
            throw S3Error(
                .maxMessageLengthExceeded,
                details: [S3Error.Detail("MaxMessageLengthBytes", String(limit))])
        } catch {
            throw S3Error(error)
        }
    }
}
