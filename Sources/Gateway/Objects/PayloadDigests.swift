package import Cryptography
package import NIOCore
package import Primitives
import Synchronization

/// The digests of a payload: computed while it passes, known once it has ended.
package final class PayloadDigests: Sendable {
    /// What a payload came to.
    package struct Result: Sendable {
        package var length: Int64
        package var md5: [UInt8]
        /// In the algorithm that was asked for.
        package var checksum: [UInt8]
    }

    private let state = Mutex<Result?>(nil)

    package init() {}

    /// Nil until the payload has ended and every check on it held.
    package var result: Result? { state.withLock { $0 } }

    fileprivate func finish(_ result: Result) { state.withLock { $0 = result } }
}

/// What a payload is held against.
package struct PayloadExpectation: Sendable {
    package var length: Int64?
    package var md5: [UInt8]?
    package var algorithm: ChecksumAlgorithm
    package var checksum: [UInt8]?
    /// Gives the checksum from the trailer, once the payload has ended; the text that came.
    package var trailingChecksum: (@Sendable () -> String?)?

    package init(algorithm: ChecksumAlgorithm) {
        self.algorithm = algorithm
    }
}

/// Computes the digests of what passes, and throws in place of the end where one is not what was expected.
package struct DigestingSource: BodySource {
    private var source: any BodySource
    private let expectation: PayloadExpectation
    private let digests: PayloadDigests
    private let md5 = Digest(.md5)
    private let checksum: Digest
    private var length: Int64 = 0

    package init(_ body: consuming Body, _ expectation: PayloadExpectation, _ digests: PayloadDigests) {
        source = body.takeSource()
        self.expectation = expectation
        self.digests = digests
        checksum = Digest(expectation.algorithm)
    }

    package mutating func next() async throws(BodyError) -> ByteBuffer? {
        guard let buffer = try await source.next() else {
            try finish()
            return nil
        }
        length += Int64(buffer.readableBytes)
        if let expected = expectation.length, length > expected {
            throw BodyError(.tooLarge, "More bytes came than were announced.")
        }
        md5.update(buffer)
        checksum.update(buffer)
        return buffer
    }

    private func finish() throws(BodyError) {
        if let expected = expectation.length, length != expected {
            throw BodyError(.incomplete, "The body has \(length) bytes; \(expected) were announced.")
        }
        let md5 = md5.finalize()
        if let expected = expectation.md5, !constantTimeEqual(expected, md5) {
            throw BodyError(.contentMD5Mismatch, "The Content-MD5 you specified did not match what we received.")
        }
        let value = checksum.finalize()
        var expected = expectation.checksum
        if let trailing = expectation.trailingChecksum {
            guard let text = trailing(), let bytes = Base64.decode(text) else {
                throw BodyError(.malformedTrailer, "The checksum in the trailer is missing or malformed.")
            }
            expected = bytes
        }
        if let expected, !constantTimeEqual(expected, value) {
            throw BodyError(
                .checksumMismatch,
                "The \(expectation.algorithm.rawValue) you specified did not match the calculated checksum.")
        }
        digests.finish(PayloadDigests.Result(length: length, md5: md5, checksum: value))
    }
}
