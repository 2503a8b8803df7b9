import Primitives
import S3Model
import S3Wire
import Testing

@Suite("The query of a request")
struct QueryItemsTests {
    private func items(_ query: String) throws(S3Error) -> QueryItems {
        try QueryItems(RequestHead(method: "GET", target: "/?" + query, fields: [:]).query)
    }

    private func refusal(_ query: String) -> String? {
        do {
            _ = try items(query)
            return nil
        } catch {
            return error.code.name
        }
    }

    @Test("A name without a value has an empty one; one that did not come has none")
    func values() throws {
        let items = try items("versions&prefix=a%2Fb+c&marker=&&=x")
        #expect(items["versions"] == "" && items["prefix"] == "a/b c" && items["marker"] == "" && items[""] == "x")
        #expect(items["Prefix"] == nil && items["prefi"] == nil && items["prefix "] == nil)
        #expect(items.contains("versions") && !items.contains("version"))
        #expect(Array(items.names) == ["versions", "prefix", "marker", ""])
    }

    /// Few are compared with one another, many are hashed.
    @Test("A name that comes twice is refused, by its bytes", arguments: [0, 1, 13, 14, 15, 40])
    func repeated(others: Int) {
        let between = (0..<others).map { "&x\($0)=1" }.joined()
        #expect(refusal("uploadId=1\(between)&uploadId=1") == "InvalidArgument")
        #expect(refusal("upload%49d=1\(between)&uploadId=2") == "InvalidArgument")
        #expect(refusal("\u{e9}=1\(between)&e\u{301}=1") == nil)
        #expect(refusal("uploadId=1\(between)&uploadid=1") == nil)
    }

    @Test(
        "What does not decode, or is not text, is no URI",
        arguments: ["a=%", "a=%4", "a=%4&b", "%zz", "a=%ff", "%c3=1"])
    func undecodable(query: String) {
        #expect(refusal(query) == "InvalidURI")
    }

    @Test("The parameters follow a target that is changed")
    func changed() throws {
        var head = RequestHead(method: "GET", target: "/a?b=1", fields: [:])
        head.target += "&c=2"
        let items = try QueryItems(head.query)
        #expect(items["b"] == "1" && items["c"] == "2")
    }
}
