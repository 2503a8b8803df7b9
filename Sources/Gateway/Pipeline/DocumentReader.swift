import Cryptography
import NIOCore
import Primitives
import S3Model
import S3Wire

/// Reads the body of a request whole, where it is a document, with every check that an object's bytes get.
enum DocumentReader {
    static func read(
        _ body: consuming Body, limit: Int, _ request: RequestContext
    ) async throws(S3Error) -> [UInt8] {
        let checksum = try ChecksumDecoding.request(request.wire.fields)
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
