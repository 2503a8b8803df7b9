import NIOCore
import Primitives
import S3Model

/// Collects the fields of a form up to its file, as a state machine without I/O.
struct FormFieldCollector {
    enum Step {
        case needsMore
        /// The file begins: `decoder` gives its bytes.
        case file(PartHead)
    }

    private(set) var decoder: MultipartDecoder
    private var fields: [(name: String, value: [UInt8])] = []

    init(_ boundary: FormBoundary) {
        decoder = MultipartDecoder(boundary)
    }

    mutating func append(_ buffer: ByteBuffer) { decoder.append(buffer) }

    /// Goes on as far as the bytes so far allow.
    ///
    /// - Throws: `MaxPostPreDataLengthExceeded`, and `InvalidArgument` for a form without a file; what the decoder
    ///   throws.
    mutating func next() throws(FormError) -> Step {
        while true {
            let step: MultipartDecoder.Step
            do throws(BodyError) {
                step = try decoder.next()
            } catch {
                throw .body(error)
            }
            guard decoder.consumed <= FormLimits.bytesBeforeFile else { throw .refused(Self.tooLong) }
            switch step {
            case .part(let head) where head.isFile: return .file(head)
            case .part(let head):
                guard fields.count < FormLimits.fields else { throw .refused(Self.tooLong) }
                fields.append((head.name, []))
            case .bytes(let bytes): fields[fields.count - 1].value += bytes.readableBytesView
            case .needsMore: return .needsMore
            case .end:
                throw .refused(
                    S3Error(
                        .invalidArgument, S3Error.Code.incorrectNumberOfFiles.message,
                        details: [S3Error.Detail("ArgumentName", "file"), S3Error.Detail("ArgumentValue", "0")]))
            }
        }
    }

    /// The fields, with `${filename}` replaced in each, as S3 does before it looks at a policy.
    ///
    /// - Throws: `InvalidArgument` for a value that is not UTF-8, `MaxPostPreDataLengthExceeded` where the file's name
    ///   makes the values too long.
    func fields(ofFile head: PartHead) throws(FormError) -> [(name: String, value: String)] {
        let fileName = head.baseName
        var room = Int(FormLimits.bytesBeforeFile)
        var complete: [(name: String, value: String)] = []
        for field in fields {
            guard let bytes = Self.replacingFileName(in: field.value, by: fileName, room: room) else {
                throw .refused(Self.tooLong)
            }
            room -= bytes.count
            guard let value = String(validating: bytes, as: UTF8.self) else {
                throw .refused(
                    S3Error(
                        .invalidArgument, "Malformed Unicode code sequence in the field.",
                        details: [S3Error.Detail("ArgumentName", "formField")]))
            }
            complete.append((field.name, value))
        }
        return complete
    }

    private static let variable = Array("${filename}".utf8)

    /// Nil where the result has more bytes than there is room for.
    private static func replacingFileName(in value: [UInt8], by fileName: [UInt8], room: Int) -> [UInt8]? {
        var result: [UInt8] = []
        var rest = value[...]
        while let mark = rest.firstIndex(of: UInt8(ascii: "$")) {
            result += rest[..<mark]
            if rest[mark...].starts(with: variable) {
                result += fileName
                rest = rest[(mark + variable.count)...]
            } else {
                result.append(rest[mark])
                rest = rest[(mark + 1)...]
            }
            guard result.count <= room else { return nil }
        }
        result += rest
        return result.count <= room ? result : nil
    }

    private static var tooLong: S3Error {
        S3Error(
            .maxPostPreDataLengthExceeded,
            details: [S3Error.Detail("MaxPostPreDataLengthBytes", String(FormLimits.bytesBeforeFile))])
    }
}
