import NIOCore
import Primitives
import XML

/// An answer with a status of success that has no document where it is right.
///
/// A backend, or what is before it, may send an error or a page behind the status 200: what was to be written or
/// deleted then was not.
enum BareAnswer {
    /// What became of the call; nil where it succeeded.
    static func failure(_ head: ResponseHead, _ body: ByteBuffer) -> RemoteFault.Kind? {
        guard body.readableBytes > 0 else { return nil }
        let limits = XMLLimits(bytes: ErrorAnswer.byteLimit, depth: 8, elements: 200)
        // What cannot be read is no error of S3's, and no success either.
        guard let root = try? XMLDocument.parse(body, limits: limits), root.isNamed("Error") else {
            return .wrong("it answered with a document where S3 has none")
        }
        return .refused(ErrorAnswer(head, document: root))
    }
}
