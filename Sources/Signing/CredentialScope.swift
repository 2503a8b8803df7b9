/// What a signing key is good for: one day, one region, one service.
///
/// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>
package struct CredentialScope: Sendable, Hashable, CustomStringConvertible {
    static let terminator = "aws4_request"

    /// Eight digits, such as `20130524`.
    package let date: String
    package let region: String
    /// The service, such as `s3`.
    package let service: String

    package init(date: String, region: String, service: String = "s3") {
        (self.date, self.region, self.service) = (date, region, service)
    }

    /// As it stands in a string to sign: `20130524/us-east-1/s3/aws4_request`.
    package var description: String { "\(date)/\(region)/\(service)/\(Self.terminator)" }
}

/// An access key's id and a scope, as requests carry them.
struct Credential: Equatable {
    let accessKeyID: String
    let scope: CredentialScope
    /// The last part, which must be `aws4_request`.
    let terminator: String

    /// The longest id that is looked at.
    static let maximumIDLength = 128
    /// The form, as error messages show it.
    static let form = "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request"

    /// What is wrong with the last part, if anything.
    var terminatorProblem: String? {
        if terminator == CredentialScope.terminator { return nil }
        return "incorrect terminal \"\(terminator)\". This endpoint uses \"\(CredentialScope.terminator)\"."
    }

    /// Reads `ID/YYYYMMDD/REGION/SERVICE/aws4_request`. The id may have slashes; nil where parts are missing, empty or
    /// not printable ASCII.
    init?(_ text: some StringProtocol) {
        guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else { return nil }
        let parts = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard parts.count >= 5 else { return nil }
        func part(_ index: Int) -> String { String(decoding: Array(parts[index]), as: UTF8.self) }
        let last = parts.count - 1
        let identifier = (0...(last - 4)).map(part).joined(separator: "/")
        let date = part(last - 3)
        guard !identifier.isEmpty, identifier.utf8.count <= Self.maximumIDLength, date.utf8.count == 8,
            date.utf8.allSatisfy({ (0x30...0x39).contains($0) }), !parts[last - 2].isEmpty, !parts[last - 1].isEmpty
        else { return nil }
        accessKeyID = identifier
        scope = CredentialScope(date: date, region: part(last - 2), service: part(last - 1))
        terminator = part(last)
    }
}
