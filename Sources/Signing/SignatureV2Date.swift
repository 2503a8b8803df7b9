import Primitives

/// The dates that signature version 2 takes: those of HTTP, with a numeric zone as well (`+0000`), and that of version
/// 4.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/RESTAuthentication.html>, whose examples have a
/// numeric zone.
enum SignatureV2Date {
    private static let latest = Timestamp(nanoseconds: .max)
    /// Years beyond this one are more than a timestamp can count.
    private static let lastYear = 2261

    /// Reads a date; nil for one before 1970, which S3 takes for none. One that is too far away to be counted is the
    /// latest that can be: it is too far in either case.
    static func parse(_ text: String) -> Timestamp? {
        guard let time = Timestamp(iso8601Basic: text) ?? http(text), time.nanoseconds >= 0 else { return nil }
        return time
    }

    private static func http(_ text: String) -> Timestamp? {
        let (rest, offset) = zone(of: text)
        guard let civil = CivilTime(httpDate: rest) else { return nil }
        guard civil.year <= lastYear else { return latest }
        return civil.timestamp.map { $0 + .seconds(-offset) }
    }

    /// The text with `GMT` in place of its zone, and the zone's distance from it in seconds.
    private static func zone(of text: String) -> (String, Int64) {
        let bytes = text.utf8
        guard let space = bytes.lastIndex(of: 0x20) else { return (text, 0) }
        let zone = Array(bytes[space...].dropFirst())
        let rest = String(text[..<space]) + " GMT"
        if zone.elementsEqual("UTC".utf8) { return (rest, 0) }
        let digits = zone.dropFirst().map { Int64($0) - 0x30 }
        guard zone.count == 5, digits.allSatisfy({ (0...9).contains($0) }) else { return (text, 0) }
        let (hours, minutes) = (digits[0] * 10 + digits[1], digits[2] * 10 + digits[3])
        guard hours < 24, minutes < 60 else { return (text, 0) }
        switch zone[0] {
        case UInt8(ascii: "+"): return (rest, hours * 3600 + minutes * 60)
        case UInt8(ascii: "-"): return (rest, -hours * 3600 - minutes * 60)
        default: return (text, 0)
        }
    }
}
