/// Why a text is no policy. S3 answers it as `MalformedPolicy`.
package struct PolicyError: Error, Equatable, CustomStringConvertible {
    /// A sentence for whoever wrote the policy, in S3's words where it has some.
    package let message: String

    package init(_ message: String) {
        self.message = message
    }

    package var description: String { message }
}
