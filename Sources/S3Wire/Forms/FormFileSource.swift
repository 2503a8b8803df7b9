import NIOCore
import Primitives

/// The bytes of a form's file.
struct FormFileSource: BodySource {
    private var source: any BodySource
    private var decoder: MultipartDecoder
    private let length: ClosedRange<Int64>
    private var received: Int64 = 0
    private var hasEnded = false
    /// Whether the form's last boundary came.
    private var isWhole = false
    /// The bytes of the form up to the file's last one so far.
    private var end: Int64

    init(_ source: any BodySource, _ decoder: MultipartDecoder, length: ClosedRange<Int64>) {
        (self.source, self.decoder, self.length) = (source, decoder, length)
        end = decoder.consumed
    }

    /// - Throws: `BodyError` of kind `tooLarge` or `tooSmall` for a file outside its bounds, `severalFiles` for another
    ///   file after it, `malformedForm`; what the source throws.
    mutating func next() async throws(BodyError) -> ByteBuffer? {
        while true {
            let step = try decoder.next()
            if case .bytes(let bytes) = step, !hasEnded {
                received += Int64(bytes.readableBytes)
                guard received <= length.upperBound else {
                    throw BodyError(.tooLarge, "Your proposed upload exceeds the maximum allowed size")
                }
                end = decoder.consumed
                return bytes
            }
            guard decoder.consumed - end <= FormLimits.bytesAfterFile else {
                throw PartHead.malformed("Too much follows the file.")
            }
            switch step {
            case .bytes: break
            case .part(let head):
                try endFile()
                guard !head.isFile else {
                    throw BodyError(.severalFiles, "POST requires exactly one file upload per request.")
                }
            case .needsMore:
                // What wraps the body below has checks of its own, which come with its end.
                guard let buffer = try await source.next() else {
                    guard isWhole else { throw PartHead.incomplete }
                    return nil
                }
                decoder.append(buffer)
            case .end:
                try endFile()
                isWhole = true
            }
        }
    }

    private mutating func endFile() throws(BodyError) {
        hasEnded = true
        guard received >= length.lowerBound else {
            throw BodyError(.tooSmall, "Your proposed upload is smaller than the minimum allowed size")
        }
    }
}
