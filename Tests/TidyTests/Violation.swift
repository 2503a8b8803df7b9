import Foundation
import Testing

/// A place where a rule is broken.
struct Violation: Sendable, CustomStringConvertible {
    let path: String
    /// From 1.
    let line: Int
    let reason: String

    var description: String { "\(path):\(line): \(reason)" }
}

extension Issue {
    /// Fails the test that first reads the tree: no file read is no rule kept.
    static func recordUnreadable(_ root: URL, _ error: any Error) {
        record("The tree at \(root.path) could not be read: \(error)")
    }
}
