import NIOCore
import Primitives
import S3Model
import S3Wire

/// Forms for the tests to spoil.
enum FormExample {
    static let boundary = "----b0undary"

    /// A part of a form.
    struct Part {
        var name: String
        var value: [UInt8]
        var fileName: String?

        init(_ name: String, _ value: String, fileName: String? = nil) {
            (self.name, self.value, self.fileName) = (name, Array(value.utf8), fileName)
        }

        var bytes: [UInt8] {
            let file = fileName.map { "; filename=\"\($0)\"\r\nContent-Type: text/plain" } ?? ""
            return Array("Content-Disposition: form-data; name=\"\(name)\"\(file)\r\n\r\n".utf8) + value
        }
    }

    static func form(_ parts: Part...) -> [UInt8] { form(parts) }

    static func form(_ parts: [Part]) -> [UInt8] {
        parts.flatMap { Array("--\(boundary)\r\n".utf8) + $0.bytes + Array("\r\n".utf8) }
            + Array("--\(boundary)--\r\n".utf8)
    }

    static func fields(_ contentType: String) -> HeaderFields { ["content-type": contentType] }

    /// What a form came to.
    struct Outcome: Equatable {
        var fields: [String]
        var file: [UInt8]
    }

    /// Reads a form that arrives in these pieces: what it came to, or the error.
    static func read(
        _ pieces: [[UInt8]], boundary: String = boundary, within length: ClosedRange<Int64> = 0...(1 << 20)
    ) async throws -> Outcome {
        let boundary = try FormBoundary(fields("multipart/form-data; boundary=\(boundary)"))
        let body = Body(buffers: pieces.map { ByteBuffer(bytes: $0) })
        guard let boundary else { throw S3Error(.preconditionFailed) }
        let form = try await FormReader.read(body, boundary: boundary)
        let fields = form.fields.map { "\($0.name)=\($0.value)" }
        let file = try await form.file(within: length).collect(limit: 4 << 20)
        return Outcome(fields: fields, file: Array(file.readableBytesView))
    }

    /// How reading a form is refused: an S3 code or the kind of a body's error; "read" where it is not.
    static func refusal(
        _ pieces: [[UInt8]], boundary: String = boundary, within length: ClosedRange<Int64> = 0...(1 << 20)
    ) async -> String {
        do {
            _ = try await read(pieces, boundary: boundary, within: length)
            return "read"
        } catch FormError.body(let error) {
            return error.kind.rawValue
        } catch FormError.refused(let error) {
            return error.code.name
        } catch let error as BodyError {
            return error.kind.rawValue
        } catch let error as S3Error {
            return error.code.name
        } catch {
            return "\(error)"
        }
    }
}
