/// The three ways in which S3 writes a time.
extension Timestamp {
    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    fileprivate static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// `2013-05-24T00:00:00.000Z`, as in S3's XML.
    package var iso8601: String { iso8601Writer.string }

    /// The bytes of `iso8601`, for what writes many.
    package var iso8601Bytes: InlineArray<24, UInt8> {
        let writer = iso8601Writer
        return InlineArray { writer.bytes[$0] }
    }

    private var iso8601Writer: DigitWriter {
        var writer = DigitWriter()
        let civil = CivilTime(self)
        writer.date(civil, "-")
        writer.text("T")
        writer.clock(civil, ":")
        writer.text(".")
        writer.number(Int(milliseconds - seconds * 1000), 3)
        writer.text("Z")
        return writer
    }

    /// `20130524T000000Z`, as in SigV4.
    package var iso8601Basic: String {
        var writer = DigitWriter()
        let civil = CivilTime(self)
        writer.date(civil, "")
        writer.text("T")
        writer.clock(civil, "")
        writer.text("Z")
        return writer.string
    }

    /// `20130524`, the date of a SigV4 scope.
    package var basicDate: String {
        var writer = DigitWriter()
        writer.date(CivilTime(self), "")
        return writer.string
    }

    /// `Fri, 24 May 2013 00:00:00 GMT`, as in HTTP (RFC 9110 §5.6.7).
    package var httpDate: String {
        var writer = DigitWriter()
        let civil = CivilTime(self)
        writer.text(Self.weekdays[CivilTime.weekday(of: self)])
        writer.text(", ")
        writer.number(civil.day, 2)
        writer.text(" ")
        writer.text(Self.months[civil.month - 1])
        writer.text(" ")
        writer.number(civil.year, 4)
        writer.text(" ")
        writer.clock(civil, ":")
        writer.text(" GMT")
        return writer.string
    }

    /// Reads `20130524T000000Z`.
    package init?(iso8601Basic text: String) {
        var scanner = ByteScanner(text)
        guard let year = scanner.digits(4), let month = scanner.digits(2), let day = scanner.digits(2),
            scanner.skip("T"), let hour = scanner.digits(2), let minute = scanner.digits(2),
            let second = scanner.digits(2), scanner.skip("Z"), scanner.isAtEnd,
            let time = CivilTime(year: year, month: month, day: day, hour: hour, minute: minute, second: second)
                .timestamp
        else { return nil }
        self = time
    }

    /// Reads `2013-05-24T00:00:00Z`, with or without a fraction of a second, and with an offset instead of the Z.
    package init?(iso8601 text: String) {
        var scanner = ByteScanner(text)
        guard let year = scanner.digits(4), scanner.skip("-"), let month = scanner.digits(2), scanner.skip("-"),
            let day = scanner.digits(2)
        else { return nil }
        var civil = CivilTime(year: year, month: month, day: day)
        var nanoseconds: Int64 = 0
        var offset = 0
        if !scanner.isAtEnd {
            guard scanner.skip("T"), let hour = scanner.digits(2), scanner.skip(":"), let minute = scanner.digits(2)
            else { return nil }
            (civil.hour, civil.minute) = (hour, minute)
            if scanner.skip(":") {
                guard let second = scanner.digits(2) else { return nil }
                civil.second = second
                if scanner.skip(".") {
                    guard let fraction = scanner.fraction() else { return nil }
                    nanoseconds = fraction
                }
            }
            guard let seconds = scanner.offset() else { return nil }
            offset = seconds
        }
        guard scanner.isAtEnd, let time = civil.timestamp else { return nil }
        self.init(nanoseconds: time.nanoseconds + nanoseconds - Int64(offset) * 1_000_000_000)
    }

    /// Reads an HTTP date, as `CivilTime` does.
    package init?(httpDate text: String) {
        guard let time = CivilTime(httpDate: text)?.timestamp else { return nil }
        self = time
    }
}

/// Writes fixed-width fields as ASCII text, at most 32 bytes.
private struct DigitWriter {
    private(set) var bytes = InlineArray<32, UInt8>(repeating: 0)
    private var count = 0

    var string: String {
        let written = [UInt8](capacity: count) { written in
            for index in 0..<count { written.append(bytes[index]) }
        }
        return String(decoding: written, as: UTF8.self)
    }

    mutating func text(_ text: String) {
        for byte in text.utf8 {
            bytes[count] = byte
            count += 1
        }
    }

    /// So many decimal digits of a number that has no more.
    mutating func number(_ number: Int, _ width: Int) {
        var rest = number
        for place in stride(from: count + width - 1, through: count, by: -1) {
            bytes[place] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        count += width
    }

    mutating func date(_ civil: CivilTime, _ separator: String) {
        number(civil.year, 4)
        text(separator)
        number(civil.month, 2)
        text(separator)
        number(civil.day, 2)
    }

    mutating func clock(_ civil: CivilTime, _ separator: String) {
        number(civil.hour, 2)
        text(separator)
        number(civil.minute, 2)
        text(separator)
        number(civil.second, 2)
    }
}

extension CivilTime {
    /// Reads the preferred form of an HTTP date (IMF-fixdate) and the two obsolete forms that RFC 9110 §5.6.7 wants
    /// read. The fields are as they stand there: whether they name a time, and one that can be counted, `timestamp`
    /// tells.
    package init?(httpDate text: String) {
        let words = text.utf8.split { " ,-".utf8.contains($0) }
        let ordered: [Substring.UTF8View]
        if words.count == 6, words[5].elementsEqual("GMT".utf8) {
            ordered = [words[1], words[2], words[3], words[4]]  // Sun, 06 Nov 1994 08:49:37 GMT and Sunday, 06-Nov-94 …
        } else if words.count == 5 {
            ordered = [words[2], words[1], words[4], words[3]]  // Sun Nov  6 08:49:37 1994
        } else {
            return nil
        }
        guard let day = Int(Substring(ordered[0])),
            let month = Timestamp.months.firstIndex(where: { $0.utf8.elementsEqual(ordered[1]) }),
            var year = Int(Substring(ordered[2]))
        else { return nil }
        if ordered[2].count == 2 { year += year < 70 ? 2000 : 1900 }
        let clock = ordered[3].split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard clock.count == 3, clock.allSatisfy({ $0.count == 2 }), let hour = Int(Substring(clock[0])),
            let minute = Int(Substring(clock[1])), let second = Int(Substring(clock[2]))
        else { return nil }
        self.init(year: year, month: month + 1, day: day, hour: hour, minute: minute, second: second)
    }
}

/// Reads fixed-width fields from ASCII text.
private struct ByteScanner {
    private var rest: Substring.UTF8View

    init(_ text: String) {
        rest = Substring(text).utf8
    }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func skip(_ byte: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: byte) else { return false }
        rest.removeFirst()
        return true
    }

    mutating func digits(_ count: Int) -> Int? {
        var value = 0
        for _ in 0..<count {
            guard let byte = rest.popFirst(), byte >= 0x30, byte <= 0x39 else { return nil }
            value = value * 10 + Int(byte - 0x30)
        }
        return value
    }

    /// One to nine digits after the point, in nanoseconds.
    mutating func fraction() -> Int64? {
        var value: Int64 = 0
        var count = 0
        while let byte = rest.first, byte >= 0x30, byte <= 0x39 {
            guard count < 9 else { return nil }
            value = value * 10 + Int64(byte - 0x30)
            count += 1
            rest.removeFirst()
        }
        guard count > 0 else { return nil }
        for _ in count..<9 { value *= 10 }
        return value
    }

    /// `Z`, `+02:00` or `-0200`, in seconds.
    mutating func offset() -> Int? {
        if skip("Z") { return 0 }
        let sign: Int
        if skip("+") { sign = 1 } else if skip("-") { sign = -1 } else { return nil }
        guard let hours = digits(2) else { return nil }
        _ = skip(":")
        guard let minutes = digits(2), hours < 24, minutes < 60 else { return nil }
        return sign * (hours * 3600 + minutes * 60)
    }
}
