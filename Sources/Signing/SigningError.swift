import Primitives

/// Why a request's signature, or what it says about itself, is refused: S3's own error, ready to be written.
///
/// It never carries a secret, nor the signature that would have been right.
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>
package struct SigningError: Error, Equatable, CustomStringConvertible {
    /// An element of the error's XML beside `Code` and `Message`, such as `Region`.
    package struct Element: Sendable, Hashable {
        package let name: String
        package let value: String

        package init(_ name: String, _ value: String) {
            (self.name, self.value) = (name, value)
        }
    }

    /// S3's error code, such as `SignatureDoesNotMatch`.
    package let code: String
    /// The HTTP status.
    package let status: Int
    package let message: String
    package let elements: [Element]

    package init(_ code: String, _ status: Int, _ message: String, _ elements: [Element] = []) {
        (self.code, self.status, self.message, self.elements) = (code, status, message, elements)
    }

    /// The code alone: the message may quote the request.
    package var description: String { code }
}

extension SigningError {
    static func accessDenied(_ message: String, _ elements: [Element] = []) -> SigningError {
        SigningError("AccessDenied", 403, message, elements)
    }

    static func invalidArgument(_ message: String, name: String, value: String? = nil) -> SigningError {
        let value = value.map { [Element("ArgumentValue", $0)] } ?? []
        return SigningError("InvalidArgument", 400, message, [Element("ArgumentName", name)] + value)
    }

    static func invalidRequest(_ message: String) -> SigningError {
        SigningError("InvalidRequest", 400, message)
    }

    static func notImplemented(_ message: String) -> SigningError {
        SigningError("NotImplemented", 501, message)
    }

    /// Two ways to sign, or one way twice.
    static var severalMechanisms: SigningError {
        .invalidArgument(
            "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string "
                + "parameter or the Authorization header should be specified", name: "Authorization")
    }

    /// Signature version 2 where it is not taken.
    static var unsupportedMechanism: SigningError {
        .invalidRequest(
            "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.")
    }

    /// The message of a signature that is not the right one.
    static let doesNotMatch =
        "The request signature we calculated does not match the signature you provided. "
        + "Check your key and signing method."

    /// Bytes in hexadecimal digits, as `SignatureDoesNotMatch` shows them.
    static func spaced(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { Hex.encode([$0]) }.joined(separator: " ")
    }

    /// - Parameter requestTime: as it came, or in the one form that it may have.
    static func skewed(requestTime: String, now: Timestamp) -> SigningError {
        SigningError(
            "RequestTimeTooSkewed", 403, "The difference between the request time and the current time is too large.",
            [
                Element("RequestTime", requestTime), Element("ServerTime", now.iso8601),
                Element("MaxAllowedSkewMilliseconds", String(SignatureV4Request.allowedSkew * 1000)),
            ])
    }

    /// A header that counts only once came more often.
    static func repeated(_ header: String) -> SigningError {
        .invalidArgument("The header \(header) is given more than once.", name: header)
    }
}
