import S3Model
import S3Wire
import Testing
import XML

@Suite struct ErrorDocumentTests {
    /// A key may hold what no XML document can, and the error that names it must be read all the same.
    @Test(arguments: [
        ("/bucket/a\u{0}b", "/bucket/a\u{FFFD}b"), ("/bucket/\u{1}\u{1F}", "/bucket/\u{FFFD}\u{FFFD}"),
        ("/bucket/\u{FFFE}\u{FFFF}", "/bucket/\u{FFFD}\u{FFFD}"), ("/bucket/\t\u{FFFD}é\u{1F9A2}<&>", nil),
    ])
    func anyTextIsWellFormed(_ text: String, _ shown: String?) throws {
        let error = S3Error(.noSuchKey, text, details: [S3Error.Detail("Key", text)])
        let answer = ErrorDocument.encode(error, resource: text, requestID: "R", hostID: "H", method: "GET")
        let root = try XMLDocument.parse(answer.body, limits: XMLLimits())
        for name in ["Message", "Key", "Resource"] {
            #expect(root.children.first { $0.name == name }?.text == shown ?? text, "\(name)")
        }
    }
}
