/// How the body of a request is delimited (RFC 9112 §6).
package enum BodyFraming: Equatable, Sendable {
    case none
    /// This many bytes, more than none.
    case length(Int64)
    case chunked

    /// Decides by the framing fields, each value as it came.
    ///
    /// Whatever two readers could understand differently is refused rather than repaired: that is what request
    /// smuggling lives on (RFC 9112 §11.2).
    ///
    /// - Throws: `RequestRefusal` for both fields at once, any repetition or list, a length that is not plain digits or
    ///   does not fit, a coding other than `chunked`, and any coding in HTTP/1.0.
    package init(
        contentLengths: [String], transferEncodings: [String], minorVersion: Int
    ) throws(RequestRefusal) {
        guard contentLengths.isEmpty || transferEncodings.isEmpty else {
            throw Self.refusal("Content-Length and Transfer-Encoding exclude each other.")
        }
        guard contentLengths.count <= 1 else { throw Self.refusal("Content-Length is given more than once.") }
        guard transferEncodings.count <= 1 else { throw Self.refusal("Transfer-Encoding is given more than once.") }
        if let text = contentLengths.first {
            guard let length = Self.decimal(text) else { throw Self.refusal("Content-Length is not a number.") }
            self = length == 0 ? .none : .length(length)
        } else if let coding = transferEncodings.first {
            guard minorVersion == 1 else { throw Self.refusal("HTTP/1.0 has no Transfer-Encoding.") }
            guard ByteClasses.equalIgnoringCase(coding.utf8, "chunked".utf8) else {
                throw RequestRefusal(
                    .framing, status: 501, code: "NotImplemented",
                    "A header that you provided implies functionality that is not implemented: Transfer-Encoding.")
            }
            self = .chunked
        } else {
            self = .none
        }
    }

    /// One to nineteen digits that fit 63 bits.
    private static func decimal(_ text: String) -> Int64? {
        guard (1...19).contains(text.utf8.count) else { return nil }
        var value: Int64 = 0
        for byte in text.utf8 {
            guard (0x30...0x39).contains(byte) else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(Int64(byte - 0x30))
            guard !overflow, !carry else { return nil }
            value = sum
        }
        return value
    }

    private static func refusal(_ message: String) -> RequestRefusal {
        RequestRefusal(.framing, message)
    }
}
