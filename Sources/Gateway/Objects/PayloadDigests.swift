package import Cryptography
package import NIOCore
package import Primitives
package import Storage
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
///
/// Of a long body MD5, which costs as much as all the rest, is computed beside whatever becomes of the bytes, and
/// together with that of other uploads: a buffer's is awaited only when the next one has come.
package struct DigestingSource: BodySource {
    /// Bodies up to so many bytes are not worth a task for each buffer.
    private static let shortBytes: Int64 = 1 << 20

    private var source: any BodySource
    private let expectation: PayloadExpectation
    private let digests: PayloadDigests
    /// Of a short body; nil for a long one.
    private let short: Digest?
    private let long = LaneMD5()
    private let checksum: Digest
    private let beside: Beside?
    private var length: Int64 = 0
    /// The task that digests the last buffer.
    private var digesting: Task<Void, Never>?

    /// Where the MD5 of a long body is computed, and what starts the tasks for that.
    package struct Beside: Sendable {
        package let lanes: MD5Lanes
        package let launcher: TaskLauncher

        package init(lanes: MD5Lanes, launcher: TaskLauncher) {
            (self.lanes, self.launcher) = (lanes, launcher)
        }
    }

    /// - Parameter beside: nil for a body that is short in any case.
    package init(
        _ body: consuming Body, _ expectation: PayloadExpectation, _ digests: PayloadDigests, beside: Beside? = nil
    ) {
        let length = expectation.length ?? body.length ?? .max
        short = beside != nil && length > Self.shortBytes ? nil : Digest(.md5)
        source = body.takeSource()
        self.expectation = expectation
        self.digests = digests
        self.beside = beside
        checksum = Digest(expectation.algorithm)
    }

    package mutating func next() async throws(BodyError) -> ByteBuffer? {
        let next = try await source.next()
        // One after the other, and none left before the digest is asked for.
        await digesting?.value
        digesting = nil
        guard let buffer = next else {
            try finish()
            return nil
        }
        length += Int64(buffer.readableBytes)
        if let expected = expectation.length, length > expected {
            throw BodyError(.tooLarge, "More bytes came than were announced.")
        }
        if let short { short.update(buffer) } else if let beside { digesting = digest(buffer, beside) }
        checksum.update(buffer)
        return buffer
    }

    private func digest(_ buffer: ByteBuffer, _ beside: Beside) -> Task<Void, Never> {
        beside.launcher { [long] in
            await beside.lanes.update(long, buffer) { work in _ = beside.launcher(work) }
        }
    }

    private func finish() throws(BodyError) {
        if let expected = expectation.length, length != expected {
            throw BodyError(.incomplete, "The body has \(length) bytes; \(expected) were announced.")
        }
        let md5 = short?.finalize() ?? long.value()
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
