extension Span<UInt8> {
    /// Whether another span has exactly these bytes. How long it takes tells where they differ: not for secrets.
    package func hasSameBytes(as other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        for index in indices where self[index] != other[index] { return false }
        return true
    }

    /// Whether every byte is of a kind. Quicker than `allSatisfy` of a string's UTF-8, which asks for each where it
    /// stands.
    package func areAll(_ isOfKind: (UInt8) -> Bool) -> Bool {
        for index in indices where !isOfKind(self[index]) { return false }
        return true
    }

    /// Whether the bytes are text in UTF-8.
    package var isUTF8: Bool {
        // The error says only where the bytes are none.
        (try? UTF8Span(validating: self)) != nil
    }

    package func contains(_ byte: UInt8) -> Bool {
        for index in indices where self[index] == byte { return true }
        return false
    }
}
