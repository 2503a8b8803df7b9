package import Primitives
package import S3Model

/// What separates the parts of a form: 1 to 70 bytes that the sender draws (RFC 2046 §5.1.1).
package struct FormBoundary: Sendable, Hashable {
    let bytes: [UInt8]

    private static let maximumLength = 70
    private static let marks = Set("'()+_,-./:=? ".utf8)

    /// Reads the boundary of a request that is sent as a form.
    ///
    /// - Returns: nil where `Content-Type` is anything but `multipart/form-data`.
    /// - Throws: `MalformedPOSTRequest` for a form without a boundary, with one that RFC 2046 does not allow, or with
    ///   two content types, of which each reader would obey another one.
    package init?(_ fields: HeaderFields) throws(S3Error) {
        let types = fields.values("content-type").map { ParameterizedValue(Array($0.utf8)[...]) }
        guard types.contains(where: { $0?.value.utf8.elementsEqual("multipart/form-data".utf8) == true }) else {
            let isBroken = fields.values("content-type").contains {
                $0.lowercased().utf8.starts(with: "multipart/form-data".utf8)
            }
            guard !isBroken else { throw S3Error(malformedForm: "The Content-Type does not parse.") }
            return nil
        }
        guard types.count == 1, let type = types[0] else {
            throw S3Error(malformedForm: "There are several Content-Type headers.")
        }
        guard let boundary = type["boundary"] else {
            throw S3Error(malformedForm: "The Content-Type names no boundary.")
        }
        guard (1...Self.maximumLength).contains(boundary.count), boundary.allSatisfy(Self.isAllowed),
            boundary.last != UInt8(ascii: " ")
        else { throw S3Error(malformedForm: "The boundary is not one that RFC 2046 allows.") }
        bytes = boundary
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: marks.contains(byte)
        }
    }
}

extension S3Error {
    /// `MalformedPOSTRequest`, with what is wrong with the form.
    package init(malformedForm reason: String) {
        self.init(.malformedPOSTRequest, "\(Code.malformedPOSTRequest.message) (\(reason))")
    }
}
