/// The header fields of a message, in the order in which they came.
///
/// Names are lower-case ASCII tokens. Values are valid UTF-8 without leading or trailing white space and without
/// control characters other than tab; whoever builds a list from outside input (the codec) has checked that.
package struct HeaderFields: Sendable, Hashable, ExpressibleByDictionaryLiteral {
    package struct Field: Sendable, Hashable {
        package var name: String
        package var value: String

        package init(name: String, value: String) {
            (self.name, self.value) = (name, value)
        }

        /// Names are ASCII, so that their bytes say whether they are the same.
        fileprivate func isNamed(_ name: String) -> Bool {
            self.name.utf8.span.hasSameBytes(as: name.utf8.span)
        }
    }

    package private(set) var fields: [Field] = []

    package init() {}

    /// - Parameter capacity: how many fields are expected.
    package init(capacity: Int) {
        fields.reserveCapacity(capacity)
    }

    package init(_ fields: [Field]) {
        self.fields = fields
    }

    package init(dictionaryLiteral elements: (String, String)...) {
        fields = elements.map { Field(name: $0.0, value: $0.1) }
    }

    /// The first value under a lower-case name. Setting replaces every field of the name, or removes them.
    package subscript(name: String) -> String? {
        get { fields.first { $0.isNamed(name) }?.value }
        set {
            fields.removeAll { $0.isNamed(name) }
            if let newValue { fields.append(Field(name: name, value: newValue)) }
        }
    }

    /// Every value under a lower-case name, in order.
    package func values(_ name: String) -> [String] {
        fields.filter { $0.isNamed(name) }.map(\.value)
    }

    package func contains(_ name: String) -> Bool {
        fields.contains { $0.isNamed(name) }
    }

    package mutating func append(_ name: String, _ value: String) {
        fields.append(Field(name: name, value: value))
    }
}
