/// Whether a bucket keeps versions.
package enum VersioningState: String, Sendable, Hashable {
    case enabled = "Enabled"
    case suspended = "Suspended"
}
