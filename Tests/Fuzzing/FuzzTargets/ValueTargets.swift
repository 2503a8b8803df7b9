import Primitives
import S3Model
import S3Wire

extension FuzzTarget {
    /// The `Range` of a read.
    static let range = FuzzTarget("range") {
        [
            Example("first", "bytes=0-99"), Example("open", "bytes=5-"), Example("last", "bytes=-7"),
            Example("large", "bytes=9223372036854775807-99999999999999999999"),
        ]
    } run: { bytes in
        guard let text = String(validating: bytes, as: UTF8.self) else { return false }
        guard let range = HeaderDecoding.range(text) else { return false }
        let written =
            switch range {
            case .from(let first, let last): "bytes=\(first)-\(last.map(String.init) ?? "")"
            case .last(let count): "bytes=-\(count)"
            }
        try require(HeaderDecoding.range(written) == range, "a range is read otherwise once written")
        for size in [0, 1, 2, 100, 5 << 40, Int64.max] {
            guard let resolved = range.resolve(size: size) else { continue }
            try require(!resolved.isEmpty, "a range of no bytes")
            try require(resolved.lowerBound >= 0 && resolved.upperBound <= size, "a range outside the object")
        }
        return true
    }

    /// JSON, as policies and the configuration have it.
    static let json = FuzzTarget("json") {
        [
            Example("all", #"{"a":[1,-2.5e3,true,false,null],"b":{"c":"d\n\u00e9\ud83d\ude00"}}"#),
            Example("numbers", "[0,-0,1e21,1e-7,123456789012345678901234567890,9007199254740993,0.1]"),
            Example("space", " { \"\" : [ ] } \n"),
        ]
    } run: { bytes in
        guard let value = try? JSON.parse(bytes, limits: JSONLimits(depth: 32)) else { return false }
        let canonical = value.canonical
        do {
            let again = try JSON.parse(canonical, limits: JSONLimits(bytes: .max, depth: 32))
            try require(again.canonical == canonical, "a canonical text that another value has")
        } catch {
            throw BrokenProperty(description: "a canonical text that does not parse: \(error)")
        }
        return true
    }

    /// A time, in any of the forms that requests have it.
    static let time = FuzzTarget("time") {
        [
            Example("basic", "20130524T000000Z"), Example("iso", "2013-05-24T01:02:03.004+05:30"),
            Example("http", "Fri, 24 May 2013 00:00:00 GMT"), Example("old", "Friday, 24-May-13 00:00:00 GMT"),
            Example("asctime", "Fri May 24 00:00:00 2013"), Example("none", "2013-02-30"),
        ]
    } run: { bytes in
        guard let text = String(validating: bytes, as: UTF8.self) else { return false }
        let times = [Timestamp(iso8601Basic: text), Timestamp(iso8601: text), Timestamp(httpDate: text)].compactMap(
            \.self)
        for time in times {
            try require(Timestamp(iso8601: time.iso8601)?.milliseconds == time.milliseconds, "another time in XML")
            try require(
                Timestamp(iso8601Basic: time.iso8601Basic)?.seconds == time.seconds, "another time in a signature")
            try require(Timestamp(httpDate: time.httpDate)?.seconds == time.seconds, "another time in a header")
        }
        return !times.isEmpty
    }
}
