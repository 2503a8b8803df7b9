package import Metadata

/// What every conformer of `MetadataIndex` must keep; each law begins with an empty index of its own.
///
/// A test target runs them with `@Test(arguments: candidates, MetadataIndexLaws.all)`: a new conformer adds one line.
package enum MetadataIndexLaws {
    /// Every law.
    package static var all: [MetadataIndexLaw] { conditions + commits + scans + histories + models }
}

/// One law: a name, and a check that throws `LawViolation`.
package struct MetadataIndexLaw: Sendable, CustomStringConvertible {
    package let name: String
    package let check: @Sendable (any MetadataIndex) async throws -> Void

    package init(_ name: String, check: @escaping @Sendable (any MetadataIndex) async throws -> Void) {
        (self.name, self.check) = (name, check)
    }

    package var description: String { name }
}

/// Throws where two values differ.
func expect<Value: Equatable>(
    _ seen: Value, is expected: Value, _ what: String, line: UInt = #line, file: StaticString = #fileID
) throws(LawViolation) {
    guard seen == expected else {
        throw LawViolation("\(file):\(line): \(what): expected \(expected), saw \(seen)")
    }
}

/// Throws unless the operation throws a `MetadataError` that satisfies the predicate.
func expectError(
    _ what: String, where matches: (MetadataError) -> Bool, line: UInt = #line,
    _ operation: () async throws(MetadataError) -> Void
) async throws(LawViolation) {
    do {
        try await operation()
    } catch {
        guard matches(error) else { throw LawViolation("line \(line): \(what): threw \(error)") }
        return
    }
    throw LawViolation("line \(line): \(what): nothing was thrown")
}

/// Commits with ids of its own: a short way to write laws.
final class LawWriter: Sendable {
    private let index: any MetadataIndex
    private let ids: TransactionIDs

    init(_ index: any MetadataIndex, epoch: UInt32 = 1) {
        self.index = index
        ids = TransactionIDs(epoch: epoch)
    }

    @discardableResult
    func commit(
        _ mutations: [Mutation], if conditions: [Condition] = []
    ) async throws(MetadataError) -> CommitVersion {
        try await index.commit(Transaction(id: ids.next(), conditions: conditions, mutations: mutations))
    }

    @discardableResult
    func put(
        _ key: String, _ value: String, if conditions: [Condition] = []
    ) async throws(MetadataError) -> CommitVersion {
        try await commit([.put(bytes(key), bytes(value))], if: conditions)
    }

    func entry(_ key: String) async throws(MetadataError) -> Entry? {
        try await index.values(of: [bytes(key)])[0]
    }

    func nextID() -> TransactionID { ids.next() }
}

/// The bytes of a text.
func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
