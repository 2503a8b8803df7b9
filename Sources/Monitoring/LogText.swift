package import Primitives

/// Text of others on a line of a log: no client can end a line, move the cursor or turn the order of what is read.
package enum LogText {
    /// The text as a JSON string where it has something that is escaped, or (where asked for) spaces, quotes or
    /// equals signs; as it is otherwise.
    package static func quoted(_ text: String, ifSpaced: Bool) -> String {
        let needsQuotes = text.unicodeScalars.contains { scalar in
            isEscaped(scalar) || ifSpaced && (scalar == " " || scalar == "\"" || scalar == "=")
        }
        guard needsQuotes || ifSpaced && text.utf8.isEmpty else { return text }
        return line(.string(text))
    }

    /// A value on one line: its canonical JSON, with the escapes that JSON permits and does not ask for.
    package static func line(_ value: JSON) -> String {
        var line = String.UnicodeScalarView()
        // What is escaped here can stand in strings alone.
        for scalar in String(decoding: value.canonical, as: UTF8.self).unicodeScalars {
            guard isEscaped(scalar) else {
                line.append(scalar)
                continue
            }
            let digits = Hex.encode([UInt8(truncatingIfNeeded: scalar.value >> 8), UInt8(scalar.value & 0xFF)])
            line.append(contentsOf: "\\u\(digits)".unicodeScalars)
        }
        return String(line)
    }

    /// Control characters (C0, DEL and C1), the separators of lines and paragraphs, and what turns the direction of
    /// text (Unicode Standard Annex 9, section 2).
    private static func isEscaped(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0...0x1F, 0x7F...0x9F, 0x061C, 0x200E...0x200F, 0x2028...0x2029, 0x202A...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}
