import NIOCore
import Primitives

/// Takes the aws-chunked framing off a body.
struct AWSChunkedSource: BodySource {
    private var source: any BodySource
    private var decoder: AWSChunkedDecoder
    private let trailer: TrailerBox?

    init(source: any BodySource, decoder: AWSChunkedDecoder, trailer: TrailerBox?) {
        (self.source, self.decoder, self.trailer) = (source, decoder, trailer)
    }

    /// - Throws: what the decoder and the source throw, and `incomplete` where the source ends too early.
    mutating func next() async throws(BodyError) -> ByteBuffer? {
        while true {
            switch try decoder.next() {
            case .bytes(let buffer): return buffer
            case .needsMore:
                guard let buffer = try await source.next() else {
                    throw BodyError(.incomplete, "The body ended before its last chunk.")
                }
                decoder.append(buffer)
            case .end(let fields):
                guard try await source.next() == nil else {
                    throw BodyError(.malformed, "Bytes follow the last chunk.")
                }
                trailer?.set(fields)
                return nil
            }
        }
    }
}
