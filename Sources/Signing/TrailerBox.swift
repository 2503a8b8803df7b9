package import Primitives
import Synchronization

/// The trailer of a payload, once the payload was read to its end.
package final class TrailerBox: Sendable {
    private let storage = Mutex<HeaderFields?>(nil)

    package init() {}

    /// The fields, names in lower case; nil until the body has answered nil, by which everything in it was verified.
    package var fields: HeaderFields? { storage.withLock { $0 } }

    func set(_ fields: HeaderFields) {
        storage.withLock { $0 = fields }
    }
}
