import NIOCore
import Primitives
import S3Model
import S3Wire
import Testing

/// Forms as they come: hostile ones first.
@Suite("Forms")
struct FormReaderTests {
    private typealias Part = FormExample.Part

    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    /// A form whose bytes stand here, with `x` for a boundary.
    private func refusal(_ text: String) async -> String {
        await FormExample.refusal([bytes(text)], boundary: "x")
    }

    private static let key = "--x\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nk\r\n"
    private static let file = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\nbytes"

    @Test(
        "CVE-2016-8626: what is no form is refused, and nothing of it is published",
        arguments: [
            "", "-", "--x", "--x\r\n", "--x--", "--x--\r\n", "bytes", "\r\n", "\r\n\r\n--x--", "preamble\r\n--x\r\n",
            "--y\r\n", "\n--x--", "--x\n", "--xy\r\n", "--x \ty\r\n", "--x\r\n\r\n\r\n--x--", "--x\r\n\r\n--x--",
            file, file + "\r\n", file + "\r\n--x", file + "\r\n--x-", file + "\n--x--", file + "--x--",
            file + "\r\n--X--", file + "\r\n--x--bytes", file + "\r\n--xy\r\n", file + "\r\n--x--\r\nepilogue",
            file + "\r\n--x\r\nContent-Disposition: form-data; name=\"more\"\r\n\r\n",
            file + "\r\n--x\r\nno field\r\n\r\n\r\n--x--", "--x--epilogue", key + "--x--", key + "--x--\r\nepilogue",
        ])
    func malformed(_ text: String) async {
        let outcome = await refusal(text)
        #expect(["malformedForm", "InvalidArgument"].contains(outcome), "\(outcome)")
        #expect(outcome != "InvalidArgument" || !text.contains("file"), "only a form without a file lacks one")
        // The same, byte by byte.
        #expect(await FormExample.refusal(bytes(text).map { [$0] }, boundary: "x") == outcome)
    }

    @Test(
        "The header of a part is read strictly, so that no other reader sees another field",
        arguments: [
            "", "Content-Disposition: form-data", "Content-Disposition: form-data; name=",
            "Content-Disposition: form-data; name=\"\"", "Content-Disposition: form-data; name=\"key",
            "Content-Disposition: form-data; name=\"key\\\"", "Content-Disposition: form-data; name=\"key\"x",
            "Content-Disposition: form-data; name=\"key\"; name=\"file\"",
            "Content-Disposition: form-data; name=\"key\"; NAME=\"file\"",
            "Content-Disposition: form-data; name=\"file\"; filename=\"a\"; filename=\"b\"",
            "Content-Disposition: attachment; name=\"key\"", "Content-Disposition: form-data, name=\"key\"",
            "Content-Disposition : form-data; name=\"key\"", "Content-Disposition\t: form-data; name=\"key\"",
            " Content-Disposition: form-data; name=\"key\"", ": form-data; name=\"key\"",
            "Content-Disposition: form-data;\r\n name=\"key\"", "Content-Disposition: form-data; name=\"k\0y\"",
            "Content-Disposition: form-data; name=\"k\ry\"", "Content-Disposition: form-data; name=\"key\"\n",
            "Content-Disposition: form-data; name=\"key\"\r\nContent-Disposition: form-data; name=\"file\"",
            "Content-Disposition: form-data; name=\"key\"\r\nContent-Transfer-Encoding: base64",
            "Content-Disposition: form-data; name=\"key\"\r\nContent-Type: multipart/mixed; boundary=y",
            "Content-Disposition: form-data; name=\"file\"\r\nContent-Type: Multipart/Mixed; boundary=y",
            "Content-Type: text/plain", "X-Long: \(String(repeating: "a", count: 4096))",
        ])
    func partHeaders(_ head: String) async {
        #expect(await refusal("--x\r\n\(head)\r\n\r\nvalue\r\n\(Self.file)\r\n--x--") == "malformedForm")
    }

    @Test("A name that is not UTF-8 is refused, a value as S3 refuses it")
    func encoding() async {
        let name = bytes("--x\r\nContent-Disposition: form-data; name=\"k") + [0xFF] + bytes("\"\r\n\r\nv\r\n")
        #expect(await FormExample.refusal([name + bytes(Self.file + "\r\n--x--")], boundary: "x") == "malformedForm")
        let value = bytes("--x\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\n") + [0xC3, 0x28, 0x0D, 0x0A]
        #expect(
            await FormExample.refusal([value + bytes(Self.file + "\r\n--x--")], boundary: "x") == "InvalidArgument")
    }

    @Test(
        "Only a boundary that RFC 2046 allows separates parts",
        arguments: [
            ("multipart/form-data", nil), ("multipart/form-data; boundary=", nil),
            ("multipart/form-data; boundary=\"\"", nil), ("multipart/form-data; boundary=\"x", nil),
            ("multipart/form-data; boundary=a; boundary=b", nil), ("multipart/form-data; boundary=a\u{7}", nil),
            ("multipart/form-data; boundary=\"a \"", nil), ("multipart/form-data; boundary=ä", nil),
            ("multipart/form-data; boundary=a*", nil), ("multipart/form-data; boundary=\"a\r\nb\"", nil),
            ("multipart/form-data; boundary=" + String(repeating: "a", count: 71), nil),
            ("multipart/form-data; boundary=" + String(repeating: "a", count: 70), true),
            ("multipart/form-data; boundary=a", true), ("MULTIPART/Form-Data;BOUNDARY=\"a b\"; charset=utf-8", true),
            ("multipart/form-data; charset=utf-8 ; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW", true),
            ("application/x-www-form-urlencoded", false), ("text/plain", false), ("multipart/mixed; boundary=a", false),
            ("multipart/form-datax; boundary=a", nil), ("", false),
        ] as [(String, Bool?)])
    func boundaries(_ type: String, _ isForm: Bool?) {
        do throws(S3Error) {
            #expect(try (FormBoundary(FormExample.fields(type)) != nil) == isForm, "\(type)")
        } catch {
            #expect(error.code == .malformedPOSTRequest)
            #expect(isForm == nil, "\(type)")
        }
    }

    @Test("Two content types are one too many, and none is no form")
    func contentTypes() throws {
        #expect(try FormBoundary([:]) == nil)
        let type = "multipart/form-data; boundary=a"
        #expect(throws: S3Error.self) { try FormBoundary(["content-type": type, "content-type": type]) }
        #expect(throws: S3Error.self) { try FormBoundary(["content-type": "text/plain", "content-type": type]) }
    }

    @Test("What comes before the file is bounded: bytes, fields and the header of each part")
    func bounds() async {
        let file = Part("file", "x", fileName: "f")
        let long = Part("key", String(repeating: "k", count: 20 << 10))
        #expect(await FormExample.refusal([FormExample.form(long, file)]) == "MaxPostPreDataLengthExceeded")
        // Also where the end never comes.
        let endless = Array(FormExample.form(long).prefix(20 << 10)) + [UInt8](repeating: 0x6B, count: 100_000)
        #expect(await FormExample.refusal([endless]) == "MaxPostPreDataLengthExceeded")
        #expect(await FormExample.refusal(endless.map { [$0] }) == "MaxPostPreDataLengthExceeded")
        let fields = (0...FormLimits.fields).map { Part("\($0)", "") }
        #expect(await FormExample.refusal([FormExample.form(fields + [file])]) == "MaxPostPreDataLengthExceeded")
        #expect(await FormExample.refusal([FormExample.form(fields.dropLast() + [file])]) == "read")
        let padding = bytes("--\(FormExample.boundary)") + [UInt8](repeating: 0x20, count: 100)
        #expect(await FormExample.refusal([padding]) == "malformedForm")
        // 20 KiB exactly, boundaries and all.
        let empty = FormExample.form(Part("key", ""), Part("file", "", fileName: "f"))
        let tail = "\r\n--\(FormExample.boundary)--\r\n".utf8.count
        let room = Int(FormLimits.bytesBeforeFile) - (empty.count - tail)
        for (length, outcome) in [(room, "read"), (room + 1, "MaxPostPreDataLengthExceeded")] {
            let form = FormExample.form(Part("key", String(repeating: "k", count: length)), file)
            #expect(await FormExample.refusal([form]) == outcome)
        }
    }

    @Test("A file's name that stands in many fields does not multiply what is kept")
    func amplification() async {
        let name = String(repeating: "n", count: 3000)
        let fields = (0..<8).map { Part("x-ignore-\($0)", "${filename}") }
        let form = FormExample.form(fields + [Part("file", "x", fileName: name)])
        #expect(await FormExample.refusal([form]) == "MaxPostPreDataLengthExceeded")
        let many = Part("key", String(repeating: "${filename}", count: 1000))
        #expect(
            await FormExample.refusal([FormExample.form(many, Part("file", "x", fileName: name))])
                == "MaxPostPreDataLengthExceeded")
    }

    @Test("Without a file S3 says so, and with two as well")
    func files() async {
        #expect(await FormExample.refusal([FormExample.form(Part("key", "k"))]) == "InvalidArgument")
        let two = FormExample.form(Part("key", "k"), Part("file", "1", fileName: "a"), Part("FILE", "2", fileName: "b"))
        #expect(await FormExample.refusal([two]) == "severalFiles")
    }

    @Test("Fields after the file are ignored, as far as they are few")
    func trailing() async throws {
        let form = FormExample.form(
            Part("key", "k"), Part("file", "bytes", fileName: "f"), Part("key", "other"), Part("acl", "public-read"))
        let outcome = try await FormExample.read([form])
        #expect(outcome == FormExample.Outcome(fields: ["key=k"], file: bytes("bytes")))
        let many = FormExample.form(
            Part("key", "k"), Part("file", "bytes", fileName: "f"),
            Part("submit", String(repeating: "x", count: 20 << 10)))
        #expect(await FormExample.refusal([many]) == "malformedForm")
        let lines = FormExample.form(Part("file", "bytes", fileName: "f")) + [UInt8](repeating: 0x0A, count: 21 << 10)
        #expect(await FormExample.refusal([lines]) == "malformedForm")
        #expect(await FormExample.refusal(lines.map { [$0] }) == "malformedForm")
    }

    @Test("A file that comes first has no fields before it")
    func fileFirst() async throws {
        let form = FormExample.form(Part("file", "bytes", fileName: "f"), Part("key", "k"))
        #expect(try await FormExample.read([form]).fields.isEmpty)
    }

    @Test("A file is held to its bounds while it comes")
    func lengths() async throws {
        let form = FormExample.form(Part("key", "k"), Part("file", "bytes", fileName: "f"))
        for (range, outcome) in [
            (5...5, "read"), (0...4, "tooLarge"), (6...9, "tooSmall"), (0...0, "tooLarge"),
        ] as [(ClosedRange<Int64>, String)] {
            #expect(await FormExample.refusal([form], within: range) == outcome)
            #expect(await FormExample.refusal(form.map { [$0] }, within: range) == outcome)
        }
        // Its length is looked at before what follows the form, wherever the bytes are divided.
        let more = form + bytes("epilogue")
        for (range, outcome) in [(6...9, "tooSmall"), (0...9, "malformedForm")] as [(ClosedRange<Int64>, String)] {
            #expect(await FormExample.refusal([more], within: range) == outcome)
            #expect(await FormExample.refusal(more.map { [$0] }, within: range) == outcome)
        }
        let empty = FormExample.form(Part("key", "k"), Part("file", "", fileName: "f"))
        #expect(try await FormExample.read([empty]).file.isEmpty)
        #expect(await FormExample.refusal([empty], within: 1...9) == "tooSmall")
    }

    @Test("A file that never ends is not read beyond its bound")
    func endless() async throws {
        let start = Array(FormExample.form(Part("file", "", fileName: "f")).dropLast(20))
        let source = EndlessSource(start: ByteBuffer(bytes: start))
        let boundary = try #require(
            try FormBoundary(FormExample.fields("multipart/form-data; boundary=\(FormExample.boundary)")))
        let form = try await FormReader.read(Body(length: nil, source: source), boundary: boundary)
        var file = form.file(within: 0...100_000)
        var received = 0
        do throws(BodyError) {
            while let buffer = try await file.next() { received += buffer.readableBytes }
            Issue.record("the file has ended")
        } catch {
            #expect(error.kind == .tooLarge)
        }
        #expect(received <= 100_000)
    }
}

/// A form that goes on and on.
private struct EndlessSource: BodySource {
    var start: ByteBuffer?

    mutating func next() async throws(BodyError) -> ByteBuffer? {
        defer { start = nil }
        return start ?? ByteBuffer(repeating: 0x0D, count: 4096)
    }
}

/// Forms that are as they should be.
extension FormReaderTests {
    /// What looks like a delimiter up to some point, beside bytes of every kind.
    private static let tricky: [UInt8] = {
        let delimiter = Array("\r\n--\(FormExample.boundary)".utf8)
        var bytes: [UInt8] = [0, 0xFF, 0x0A, 0x0D]
        for length in delimiter.indices { bytes += delimiter[..<length] + [0x2E] }
        return bytes + Array("\r\n--\(FormExample.boundary.uppercased())\r\r\n\n--\r\n-\r".utf8)
    }()

    @Test("come out the same, wherever the bytes are divided")
    func divided() async throws {
        var file = Part("file", "", fileName: "C:\\dir\\näme.txt")
        file.value = Self.tricky
        let form = FormExample.form(
            Part("key", "user/${filename}"), Part("Content-Type", "text/plain"), Part("empty", ""), file,
            Part("submit", "Upload"))
        let whole = try await FormExample.read([form])
        #expect(
            whole
                == FormExample.Outcome(
                    fields: ["key=user/näme.txt", "Content-Type=text/plain", "empty="], file: Self.tricky))
        for split in 1..<form.count {
            let outcome = try await FormExample.read([Array(form[..<split]), Array(form[split...])])
            #expect(outcome == whole, "divided at \(split)")
        }
        for size in [1, 2, 3, 5, 17, 64] {
            let pieces = stride(from: 0, to: form.count, by: size).map {
                Array(form[$0..<min($0 + size, form.count)])
            }
            #expect(try await FormExample.read(pieces) == whole, "in pieces of \(size)")
        }
    }

    @Test("may have no line end after the last boundary, one before the first, and white space after any")
    func liberties() async throws {
        let file = "Content-Disposition: form-data; name=file; filename=f.txt\r\n\r\nbytes"
        let key = "content-disposition:form-data;name=key\r\n\r\nk"
        for form in [
            "--x\r\n\(key)\r\n--x\r\n\(file)\r\n--x--", "\r\n--x\r\n\(key)\r\n--x\r\n\(file)\r\n--x--\r\n\r\n",
            "--x \t\r\n\(key)\r\n--x  \r\n\(file)\r\n--x-- \r\n",
            "--x\r\n\(key)\r\n--x\r\nContent-Length: 5\r\nContent-Type: multipart/related\r\n\(file)\r\n--x--",
        ] {
            let outcome = try await FormExample.read([bytes(form)], boundary: "x")
            #expect(outcome == FormExample.Outcome(fields: ["key=k"], file: bytes("bytes")), "\(form)")
        }
    }

    @Test(
        "name their file without the path to it, in every field",
        arguments: [
            ("filename=\"f.txt\"", "f.txt"), ("filename=\"C:\\Program Files\\dir\\f.txt\"", "f.txt"),
            ("filename=\"/home/me/f.txt\"", "f.txt"), ("filename=\"a\\b/f.txt\"", "f.txt"),
            ("filename=\"..\"", ".."), ("filename=\"../../f\"", "f"), ("filename=\"dir/\"", ""), ("filename=\"\"", ""),
            ("filename=\"a\\\"b\"", "a\"b"), ("filename=\"${filename}\"", "${filename}"), ("filename=f.txt", "f.txt"),
            ("filename=\"f.txt\"; filename*=utf-8''other.txt", "f.txt"), ("size=1", ""),
        ])
    func fileNames(_ parameter: String, _ name: String) async throws {
        let form =
            "--x\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\n$a${filename}/${filename}$\r\n"
            + "--x\r\nContent-Disposition: form-data; name=\"file\"; \(parameter)\r\n\r\n\r\n--x--\r\n"
        #expect(try await FormExample.read([bytes(form)], boundary: "x").fields == ["key=$a\(name)/\(name)$"])
    }
}
