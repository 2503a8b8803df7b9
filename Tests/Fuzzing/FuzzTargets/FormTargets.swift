import NIOCore
import Primitives
import S3Model
import S3Wire
import Signing

extension FuzzTarget {
    /// A browser's form: the value of Content-Type, a line feed, the body.
    static let form = FuzzTarget("form") {
        [
            Example(
                "file",
                FormOutcome.contentType,
                "\n--fuzz\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\na/${filename}\r\n",
                "--fuzz\r\ncontent-disposition: form-data; name=file; filename=\"C:\\x\\y.txt\"\r\n",
                "Content-Type: text/plain\r\n\r\nhello\r\n-\r\n--fuz\r\n\r\n--fuzz--\r\n"),
            Example(
                "signed",
                FormOutcome.contentType, "\n--fuzz\r\nContent-Disposition: form-data; ",
                "name=\"Policy\"\r\n\r\ne30=\r\n",
                "--fuzz\r\nContent-Disposition: form-data; name=\"X-Amz-Signature\"\r\n\r\n0\r\n",
                "--fuzz\r\nContent-Disposition: form-data; name=\"X-Amz-Algorithm\"\r\n\r\nAWS4-HMAC-SHA256\r\n",
                "--fuzz\r\nContent-Disposition: form-data; name=\"X-Amz-Date\"\r\n\r\n20231114T000000Z\r\n",
                "--fuzz\r\nContent-Disposition: form-data; name=\"X-Amz-Credential\"\r\n\r\n",
                "FUZZER/20231114/us-east-1/s3/aws4_request\r\n",
                "--fuzz\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n1\r\n--fuzz--"),
            Example(
                "without-file",
                FormOutcome.contentType, "\n--fuzz\r\nContent-Disposition: form-data; name=a\r\n\r\nb\r\n",
                "--fuzz--\r\nepilogue"),
            Example(
                "endless",
                FormOutcome.contentType, "\n--fuzz\r\nContent-Disposition: form-data; ",
                "name=\"a\"\r\n\r\n"),
        ]
    } run: { bytes in
        var reader = InputReader(bytes)
        let type = String(decoding: reader.take(upTo: 0x0A), as: UTF8.self)
        guard let boundary = try FormOutcome.boundary(type) else { return false }
        let body = Array(reader.rest)
        let whole = try FormOutcome(body, boundary, piecesOf: .max)
        for size in [1, 3, 16] {
            let cut = try FormOutcome(body, boundary, piecesOf: size)
            try require(cut.agrees(with: whole), "another form in pieces of \(size)")
        }
        guard whole.failure.isEmpty else { return false }
        try whole.checkWrittenBack()
        try whole.checkClaims()
        return true
    }

    /// The policy of a form, a zero byte, and the form's other fields, a `name=value` in each line. The policy is
    /// signed, so that what it says decides.
    static let postPolicy = FuzzTarget("post-policy") {
        [
            Example(
                "allowed",
                #"{"expiration":"2030-01-01T00:00:00Z","conditions":[{"bucket":"bucket"},["starts-with","#,
                #""$key","a/"],"#,
                #"["eq","$Content-Type","text/plain"],["content-length-range",1,"10"],"#,
                #"["starts-with","$x-amz-credential",""],["starts-with","$x-amz-date",""],"#,
                #"["starts-with","$x-amz-algorithm",""]]}"#,
                "\u{0}key=a/b\nContent-Type=text/plain\nx-ignore-a=1"),
            Example(
                "extra",
                #"{"expiration":"2030-01-01T00:00:00Z","conditions":[["eq","$key","a"]]}"#, "\u{0}key=a\nacl=x"),
        ]
    } run: { bytes in
        var reader = InputReader(bytes)
        let policy = reader.take(upTo: 0)
        let lines = reader.rest.split(separator: 0x0A).compactMap { String(validating: $0, as: UTF8.self) }
        return try SignedForm(policy: policy, lines: lines).check()
    }
}

/// What became of a form.
private struct FormOutcome: Equatable {
    static let contentType = "multipart/form-data; boundary=fuzz"
    /// So narrow that inputs of some kilobytes reach both ends.
    private static let lengths: ClosedRange<Int64> = 1...256

    private(set) var names: [String] = []
    private(set) var values: [String] = []
    private(set) var file: [UInt8] = []
    private(set) var failure = ""

    static func boundary(_ type: String) throws -> FormBoundary? {
        do throws(S3Error) {
            return try FormBoundary(["content-type": type])
        } catch {
            try checkRefusal(error)
            return nil
        }
    }

    init(_ body: [UInt8], _ boundary: FormBoundary, piecesOf size: Int) throws {
        let buffers = pieces(of: body, size: size)
        self = try immediately {
            var outcome = FormOutcome()
            do throws(FormError) {
                let form = try await FormReader.read(Body(buffers: buffers), boundary: boundary)
                outcome.names = form.fields.map(\.name)
                outcome.values = form.fields.map(\.value)
                var file = form.file(within: Self.lengths)
                do throws(BodyError) {
                    while let bytes = try await file.next() { outcome.file += bytes.readableBytesView }
                } catch {
                    outcome.failure = "\(error.kind) in the file"
                }
            } catch {
                switch error {
                case .body(let error): outcome.failure = "\(error.kind)"
                case .refused(let error): outcome.failure = error.code.name
                }
            }
            return outcome
        }
    }

    private init() {}

    /// Whether both are one form. Of a file that is too long, more has come where the bytes were cut.
    func agrees(with whole: FormOutcome) -> Bool {
        guard failure == whole.failure else { return false }
        return names == whole.names && values == whole.values && file.count <= Self.lengths.upperBound
            && (failure.isEmpty ? file == whole.file : file.starts(with: whole.file))
    }

    /// The fields and the file make the same form when they are sent again.
    func checkWrittenBack() throws {
        let all = names.map { Array($0.utf8) } + values.map { Array($0.utf8) } + [file]
        let isPlain = names.allSatisfy { name in name.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x5C && $0 != 0x7F } }
        guard isPlain, !values.contains(where: { $0.utf8.contains(UInt8(ascii: "$")) }),
            !all.contains(where: { $0.firstRange(of: Array("--again".utf8)) != nil }),
            let boundary = try Self.boundary("multipart/form-data; boundary=again")
        else { return }
        var body: [UInt8] = []
        for (name, value) in zip(names, values) {
            let quoted = name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\\\"")
            body += "--again\r\nContent-Disposition: form-data; name=\"\(quoted)\"\r\n\r\n".utf8
            body += value.utf8 + [0x0D, 0x0A]
        }
        body += "--again\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n".utf8
        body += file + "\r\n--again--\r\n".utf8
        // The fields may be too long for it with this boundary.
        guard body.count - file.count < FormLimits.bytesBeforeFile else { return }
        try require(try FormOutcome(body, boundary, piecesOf: .max) == self, "a form is read otherwise once written")
    }

    /// A form that nobody signed is not taken for a signed one, and its fields make a request or an error of S3.
    func checkClaims() throws {
        let parsed = Result { () throws(SigningError) in
            let form = try PostForm(Array(zip(names, values).map { (name: $0, value: $1) }))
            return (form, try PostPolicy.parse(form, allowsVersion2: true))
        }
        guard case .success(let (form, claim)) = parsed else { return }
        if let claim {
            let range = Result { () throws(SigningError) in
                try PostPolicy.evaluate(
                    claim, form: form, bucket: "bucket", secretKey: SigningExample.secret, now: SigningExample.now,
                    region: SigningExample.region)
            }
            if case .success = range { throw BrokenProperty(description: "a signature that nobody made is taken") }
        }
        let request = try WireRequest(
            RequestHead(method: "POST", target: "/bucket", fields: ["host": "h"]), domains: [], region: "us-east-1")
        do throws(S3Error) {
            let submitted = try request.submitting(form.fields)
            _ = try PostObject.decode(submitted, document: [])
        } catch {
            try checkRefusal(error)
        }
    }
}

/// A form whose policy is signed as it should be.
private struct SignedForm {
    let policy: [UInt8]
    private var fields: [(name: String, value: String)] = []

    init(policy: [UInt8], lines: [String]) {
        self.policy = policy
        fields = lines.compactMap { line in
            guard let equals = line.firstIndex(of: "=") else { return nil }
            return (String(line[..<equals]), String(line[line.index(after: equals)...]))
        }
        let text = Base64.encode(policy)
        let key = SigningExample.signer.key(at: SigningExample.now)
        fields.append(("policy", text))
        fields.append(("x-amz-algorithm", "AWS4-HMAC-SHA256"))
        fields.append(("x-amz-credential", "\(SigningExample.accessKeyID)/\(key.scope)"))
        fields.append(("x-amz-date", SigningExample.now.iso8601Basic))
        fields.append(("x-amz-signature", key.signature(of: text.utf8)))
    }

    /// Holds the decision against a plain reading of the same policy.
    func check() throws -> Bool {
        let outcome = Result { () throws(SigningError) in
            let form = try PostForm(fields)
            guard let claim = try PostPolicy.parse(form, allowsVersion2: false) else {
                return nil as ClosedRange<Int64>?
            }
            return try PostPolicy.evaluate(
                claim, form: form, bucket: "bucket", secretKey: SigningExample.secret, now: SigningExample.now,
                region: SigningExample.region)
        }
        switch outcome {
        case .success(let range):
            let range = try require(range, "a signed form that claims nothing")
            try require(range.lowerBound >= 0 && range.upperBound <= 5 << 30, "a length outside S3's")
            try require(isAllowed, "a form that its policy does not allow")
            return true
        case .failure(let error):
            try require(error.code != "SignatureDoesNotMatch", "a signature that is right is refused")
            return false
        }
    }

    /// Whether every condition holds and every field has one, and the time is not over: by the text of the policy.
    private var isAllowed: Bool {
        // What does not parse allows nothing.
        guard let document = try? JSON.parse(policy, limits: JSONLimits(bytes: 1 << 16, depth: 8)),
            let conditions = document["conditions"]?.arrayValue,
            let expiration = document["expiration"]?.stringValue.flatMap({ Timestamp(iso8601: $0) }),
            SigningExample.now <= expiration
        else { return false }
        var sent: [String: String] = ["bucket": "bucket"]
        for (name, value) in fields where name.lowercased() != "bucket" || value == "bucket" {
            sent[name.lowercased()] = value
        }
        if fields.contains(where: { $0.name.lowercased() == "bucket" && $0.value != "bucket" }) { return false }
        var covered: Set = ["policy", "x-amz-signature", "file", "awsaccesskeyid", "signature"]
        for condition in conditions {
            if let parts = condition.arrayValue, let operation = parts.first?.stringValue?.lowercased() {
                guard operation != "content-length-range" else { continue }
                guard parts.count == 3,
                    let field = parts[1].stringValue.map({
                        String(decoding: $0.utf8.dropFirst(), as: UTF8.self).lowercased()
                    }),
                    let text = parts[2].stringValue, let value = sent[field]
                else { return false }
                covered.insert(field)
                let words = Array(value.utf8).split(separator: UInt8(ascii: ",")).map { $0.drop { $0 == 0x20 } }
                let isList = field == "content-type" && value.utf8.contains(UInt8(ascii: ","))
                let list = isList ? words : [Array(value.utf8)[...]]
                let holds =
                    operation == "eq"
                    ? value.utf8.elementsEqual(text.utf8) : list.allSatisfy { $0.starts(with: text.utf8) }
                guard holds else { return false }
            } else if let member = condition.objectValue?.members.first {
                covered.insert(member.name.lowercased())
                guard let text = member.value.stringValue, sent[member.name.lowercased()] == text else { return false }
            }
        }
        return sent.keys.allSatisfy { $0 == "bucket" || $0.hasPrefix("x-ignore-") || covered.contains($0) }
    }
}
