/// Why a text is no policy. S3 answers it as `MalformedPolicy`.
package struct PolicyError: Error, Equatable, CustomStringConvertible {
    /// A sentence for whoever wrote the policy, in S3's words where it has some.
    package let message: String
    /// The statement that is wrong: its number, from 1, and its `Sid`. Nil where it is not one statement.
    package private(set) var statement: String?

    package init(_ message: String) {
        self.message = message
    }

    func located(in statement: String) -> PolicyError {
        var error = self
        error.statement = self.statement ?? statement
        return error
    }

    /// Place and message.
    package var description: String { statement.map { "statement \($0): \(message)" } ?? message }
}
