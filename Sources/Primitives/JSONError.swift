/// Why bytes are not the JSON text that was asked for.
package struct JSONError: Error, Equatable, CustomStringConvertible {
    package enum Kind: String, Sendable, CaseIterable {
        /// More bytes than the limit.
        case tooLarge
        /// Arrays and objects nested deeper than the limit.
        case tooDeep
        /// The bytes end inside a value.
        case unexpectedEnd
        /// A byte that the grammar does not allow there.
        case unexpectedByte
        /// Bytes that are not UTF-8.
        case invalidUTF8
        /// A string with a bad escape, a control character or half of a surrogate pair.
        case invalidString
        /// A number that is not in JSON's form, or too large for a double.
        case invalidNumber
        /// An object with two members of one name.
        case duplicateName
        /// Something other than white space after the value.
        case trailingBytes
    }

    package let kind: Kind
    /// The offset in bytes at which it was noticed.
    package let offset: Int

    package init(_ kind: Kind, at offset: Int) {
        (self.kind, self.offset) = (kind, offset)
    }

    package var description: String { "\(kind.rawValue) at byte \(offset)" }
}
