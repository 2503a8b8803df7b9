package import Primitives
import S3Model

/// Reads a form up to its file.
package enum FormReader {
    /// Pulls the fields and no more of the body than the buffer that the file begins in.
    ///
    /// - Throws: `FormError`: of the body's own kinds, `malformedForm` among them; or `MaxPostPreDataLengthExceeded`,
    ///   and `InvalidArgument` for a form without a file.
    package static func read(
        _ body: consuming Body, boundary: FormBoundary
    ) async throws(FormError) -> ReceivedForm {
        var source = body.takeSource()
        var collector = FormFieldCollector(boundary)
        while true {
            if case .file(let head) = try collector.next() {
                return ReceivedForm(
                    fields: try collector.fields(ofFile: head), source: source, decoder: collector.decoder)
            }
            do throws(BodyError) {
                guard let buffer = try await source.next() else { throw PartHead.incomplete }
                collector.append(buffer)
            } catch {
                throw .body(error)
            }
        }
    }
}

/// A form whose fields were read and whose file was not.
package struct ReceivedForm: ~Copyable, Sendable {
    /// The fields before the file, in order, with `${filename}` replaced. Names are as they came; values are whatever
    /// UTF-8 came, control characters too.
    package let fields: [(name: String, value: String)]
    private let source: any BodySource
    private let decoder: MultipartDecoder

    init(fields: [(name: String, value: String)], source: any BodySource, decoder: MultipartDecoder) {
        (self.fields, self.source, self.decoder) = (fields, source, decoder)
    }

    /// The file's bytes. They end only once the form's last boundary came, and everything after it that is allowed.
    ///
    /// - Parameter length: how many bytes the file may have.
    package consuming func file(within length: ClosedRange<Int64>) -> Body {
        Body(length: nil, source: FormFileSource(source, decoder, length: length))
    }
}
