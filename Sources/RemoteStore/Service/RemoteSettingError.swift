/// A setting of a remote store that cannot be right.
package struct RemoteSettingError: Error, Equatable, CustomStringConvertible {
    /// A sentence for the operator. It repeats no credential.
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}
