package import Storage

/// One promise that every blob store keeps, and how to check it on a fresh store.
package struct BlobStoreLaw: Sendable, CustomStringConvertible {
    /// The promise, as a sentence.
    package let description: String
    private let body: @Sendable (any BlobStore, inout SeededGenerator) async throws -> Void

    init(
        _ description: String, _ body: @escaping @Sendable (any BlobStore, inout SeededGenerator) async throws -> Void
    ) {
        self.description = description
        self.body = body
    }

    /// Checks the law on a store that nobody else uses meanwhile.
    ///
    /// - Throws: `LawViolation` where it is broken, and whatever the store throws where it should not.
    package func check(_ store: any BlobStore, seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        try await body(store, &generator)
    }
}

/// A law that a store did not keep.
package struct LawViolation: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }

    /// Throws unless the condition holds.
    package static func unless(_ condition: Bool, _ description: @autoclosure () -> String) throws {
        guard condition else { throw LawViolation(description()) }
    }
}
