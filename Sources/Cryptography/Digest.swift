package import NIOCore
import Synchronization

/// A digest or checksum over bytes that come in pieces, by any of S3's algorithms.
///
/// It is an object with its state behind a lock, not a value: OpenSSL's state cannot be copied as bytes, and a
/// `BodySource`, which is a copyable and sendable structure, has to be able to hold one. The lock is never contended
/// where one task feeds it, and is taken once a buffer. Copies of a structure that holds a digest share it.
package final class Digest: Sendable {
    package let algorithm: ChecksumAlgorithm
    private let state: Mutex<DigestState>

    package init(_ algorithm: ChecksumAlgorithm) {
        self.algorithm = algorithm
        state = Mutex(DigestState(algorithm))
    }

    /// Appends bytes to those digested.
    package func update(_ bytes: Span<UInt8>) {
        state.withLock { $0.update(bytes) }
    }

    /// Appends bytes to those digested.
    package func update(_ bytes: [UInt8]) {
        update(bytes.span)
    }

    /// Appends the readable bytes to those digested.
    package func update(_ bytes: ByteBuffer) {
        update(bytes.readableBytesUInt8Span)
    }

    /// The digest of everything that came so far: `algorithm.digestLength` bytes, big-endian where it is a number,
    /// which is how S3 writes them in base 64. More bytes may follow, and it may be asked for again.
    package func finalize() -> [UInt8] {
        state.withLock { $0.value() }
    }

    /// The digest of one buffer.
    package static func hash(_ algorithm: ChecksumAlgorithm, _ bytes: Span<UInt8>) -> [UInt8] {
        if let kind = OpenSSLDigest.Kind(algorithm) { return OpenSSLDigest.hash(kind, bytes) }
        var state = DigestState(algorithm)
        state.update(bytes)
        return state.value()
    }

    /// The digest of one buffer.
    package static func hash(_ algorithm: ChecksumAlgorithm, _ bytes: [UInt8]) -> [UInt8] {
        hash(algorithm, bytes.span)
    }

    /// The digest of the readable bytes of one buffer.
    package static func hash(_ algorithm: ChecksumAlgorithm, _ bytes: ByteBuffer) -> [UInt8] {
        hash(algorithm, bytes.readableBytesUInt8Span)
    }
}
