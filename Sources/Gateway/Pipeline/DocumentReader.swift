import Cryptography
import NIOCore
import Primitives
import S3Model
import S3Wire

/// Reads the body of a request whole, where it is a document, with every check that an object's bytes get.
enum DocumentReader {
    /// How long one may take, from the request for its first byte. It is held in memory meanwhile, so that a client
    /// that makes just enough progress must not go on for hours.
    static let patience = Duration.seconds(60)

    /// - Parameter checksumIsOfDocument: whether the request's `x-amz-checksum-*` is of these bytes.
    static func read(
        _ body: consuming Body, limit: Int, checksumIsOfDocument: Bool, _ request: RequestContext,
        _ environment: any Environment
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
        let length = body.length
        let timely = Body(length: length, source: TimelySource(body, patience, environment))
        let checked = Body(length: length, source: DigestingSource(timely, expectation, PayloadDigests()))
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

/// A body that must be whole by a moment.
private struct TimelySource: BodySource {
    private var source: any BodySource
    private let deadline: UInt64
    private let environment: any Environment

    init(_ body: consuming Body, _ patience: Duration, _ environment: any Environment) {
        source = body.takeSource()
        self.environment = environment
        deadline = environment.monotonicNanoseconds() + UInt64(patience / .nanoseconds(1))
    }

    mutating func next() async throws(BodyError) -> ByteBuffer? {
        let buffer = try await source.next()
        guard environment.monotonicNanoseconds() <= deadline else {
            throw BodyError(.timedOut, "The document took too long to come.")
        }
        return buffer
    }
}
