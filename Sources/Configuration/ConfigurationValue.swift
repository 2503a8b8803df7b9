/// A value of the kind that its key takes.
enum ConfigurationValue: Sendable, Hashable {
    case text(String)
    /// A number, bytes or milliseconds.
    case integer(Int64)
    case decimal(Double)
    case address(ListenAddress)
    case list([String])
}

extension ConfigurationKey {
    /// Reads a text; nil where it is not what the key takes.
    func value(of text: String) -> ConfigurationValue? {
        switch kind {
        case .text(let form): form.accepts(text) ? .text(text) : nil
        case .address: ListenAddress(text).map { .address($0) }
        case .integer(let range): number(ValueText.whole(text.utf8[...], times: 1), in: range)
        case .size(let range): number(ValueText.parseSize(text), in: range)
        case .duration(let range): number(ValueText.parseDuration(text), in: range)
        case .decimal(let range):
            ValueText.parseDecimal(text).flatMap { range.contains($0) ? .decimal($0) : nil }
        case .choice(let values): values.contains(text) ? .text(text) : nil
        case .list: value(of: text.utf8.split(separator: UInt8(ascii: ",")).map { Self.trimmed($0) })
        case .accessKeys: nil
        }
    }

    /// Reads a list; nil where an entry is not what the key takes.
    func value(of texts: [String]) -> ConfigurationValue? {
        guard case .list(let form) = kind, texts.count <= 256, texts.allSatisfy({ form.accepts($0) }) else {
            return nil
        }
        return .list(texts)
    }

    private func number(_ number: Int64?, in range: ClosedRange<Int64>) -> ConfigurationValue? {
        guard let number, range.contains(number) else { return nil }
        return .integer(number)
    }

    private static func trimmed(_ text: Substring.UTF8View) -> String {
        let isSpace = { (byte: UInt8) in byte == UInt8(ascii: " ") }
        return String(decoding: text.drop(while: isSpace).reversed().drop(while: isSpace).reversed(), as: UTF8.self)
    }
}
