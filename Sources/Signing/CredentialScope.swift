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

    /// Appends `description`.
    func append(to text: inout [UInt8]) {
        for part in [date, region, service] {
            text += part.utf8
            text.append(UInt8(ascii: "/"))
        }
        text += Self.terminator.utf8
    }
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
        let bytes = Array(text.utf8)
        guard bytes.allSatisfy({ (0x21...0x7E).contains($0) }) else { return nil }
        // Where the last four parts begin.
        var starts: [Int] = []
        for index in bytes.indices.reversed() where starts.count < 4 && bytes[index] == UInt8(ascii: "/") {
            starts.append(index + 1)
        }
        guard starts.count == 4 else { return nil }
        let identifier = bytes[..<(starts[3] - 1)]
        let (date, region) = (bytes[starts[3]..<(starts[2] - 1)], bytes[starts[2]..<(starts[1] - 1)])
        let (service, last) = (bytes[starts[1]..<(starts[0] - 1)], bytes[starts[0]...])
        guard (1...Self.maximumIDLength).contains(identifier.count), date.count == 8,
            date.allSatisfy({ (0x30...0x39).contains($0) }), !region.isEmpty, !service.isEmpty
        else { return nil }
        accessKeyID = String(decoding: identifier, as: UTF8.self)
        scope = CredentialScope(
            date: String(decoding: date, as: UTF8.self), region: String(decoding: region, as: UTF8.self),
            service: String(decoding: service, as: UTF8.self))
        terminator = String(decoding: last, as: UTF8.self)
    }
}
