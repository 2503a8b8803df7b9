/// What is asked of the lock of one object.
package enum ObjectLockRequest: String, Sendable, Hashable, CaseIterable {
    case getLegalHold = "GetObjectLegalHold"
    case getRetention = "GetObjectRetention"
    case putLegalHold = "PutObjectLegalHold"
    case putRetention = "PutObjectRetention"

    /// The action that it takes, which bears the operation's name.
    package var action: String { "s3:" + rawValue }
}
