/// Writes canonical JSON (RFC 8785) member by member, for what is written often and always in the same form.
///
/// The caller names the members in the order of the UTF-16 code units of their names, and each once; nothing is sorted
/// here. `JSON.canonical` is the same text of a value.
package struct JSONWriter {
    package private(set) var bytes: [UInt8] = []
    /// Whether something stands before what comes next, in the same object or array.
    private var needsComma = false

    /// - Parameter capacity: how many bytes are expected.
    package init(capacity: Int) {
        bytes.reserveCapacity(capacity)
    }

    /// The name of a member; its value is to follow.
    package mutating func name(_ name: String) {
        separate()
        JSON.append(name, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    package mutating func string(_ text: String) {
        separate()
        JSON.append(text, to: &bytes)
    }

    package mutating func integer(_ number: Int64) {
        separate()
        bytes += String(number).utf8
    }

    package mutating func bool(_ value: Bool) {
        separate()
        bytes += (value ? "true" : "false").utf8
    }

    package mutating func null() {
        separate()
        bytes += "null".utf8
    }

    /// Begins an object; `endObject` ends it.
    package mutating func beginObject() { open(UInt8(ascii: "{")) }

    package mutating func endObject() { close(UInt8(ascii: "}")) }

    /// Begins an array; `endArray` ends it.
    package mutating func beginArray() { open(UInt8(ascii: "[")) }

    package mutating func endArray() { close(UInt8(ascii: "]")) }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
    }

    private mutating func open(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        needsComma = false
    }

    private mutating func close(_ bracket: UInt8) {
        bytes.append(bracket)
        needsComma = true
    }
}
