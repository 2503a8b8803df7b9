/// The room of a file system, in bytes. What is kept back for the system's own use is in neither number.
package struct DirectorySpace: Sendable, Hashable {
    /// What is taken, by whomever.
    package var used: Int64
    /// What this process may still write.
    package var available: Int64

    package init(used: Int64, available: Int64) {
        (self.used, self.available) = (used, available)
    }
}
