import Foundation

extension Rule {
    private static func source(_ text: String) -> SourceFile {
        SourceFile(path: "Sources/Signing/A.swift", text: text)
    }

    /// The time of a comparison that ends at the first difference tells how much of a guess was right. `SecretKey` has
    /// a `==` of its own, which is `constantTimeEqual`.
    static let secrets = eachFile(
        "signatures and tokens are compared by constantTimeEqual",
        bad: [
            source("guard given == signature else { return }"), source("if presented.signature != computed { throw }"),
            source("return Array(signature.utf8) == computed"), source("a(signature).elementsEqual(b)"),
            source("let isRight = text == self.signature(of: text)"), source("token.bytes == wanted"),
            source("head.authorization.utf8.elementsEqual(credential.utf8)"), source("secret.bytes == wanted"),
        ],
        good: [
            source("guard signature == nil, token != nil else { return }"), source("secret == other.secret"),
            source("constantTimeEqual(Array(signature.utf8), computed)"), source("name == Self.signatureName"),
            source("signature.count == 64"), source("caller.signatureVersion == .version2"),
            source("first == tokenVersion // the token == 1"), source("text == SignatureV4Request.algorithm"),
            source("verify(key, signature) == 1"), source("nil != token"),
        ],
        where: { $0.isSource }
    ) { file in
        let comparisons = [" == ", " != ", "elementsEqual("].flatMap { file.linesOfCode(with: $0) }
        return Set(comparisons).sorted().filter { comparesSecrets(file.code[$0]) }.map {
            Violation(path: file.path, line: $0 + 1, reason: "compare by constantTimeEqual")
        }
    }

    private static func comparesSecrets(_ code: String) -> Bool {
        let name = "([Ss]ignature|[Tt]oken|authorization|[Cc]redential|[Ss]ecret\\.bytes)"
        let value = "\(name)(\\.(bytes|utf8)|\\([^()]*\\))?\\)*"
        let patterns = [
            "\(value) (==|!=) (?!nil\\b|[0-9])", "(?<!nil) (==|!=) ([A-Za-z]+[.(])*\(name)\\b(?!\\.count)",
            "\(value)\\.elementsEqual\\(", "elementsEqual\\(([A-Za-z]+[.(])*\(name)\\b",
        ]
        return patterns.contains { code.range(of: $0, options: .regularExpression) != nil }
    }
}
