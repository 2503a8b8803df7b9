/// Which of the header fields that several operations share an operation looks at. Policies may ask for these, and for
/// no other: a field without effect satisfies no policy.
package enum HeaderUse: Sendable, Hashable {
    /// None of them.
    case none
    /// Those of reading an object.
    case read
    /// Those of storing an object, or of beginning an upload.
    case write
    /// Those of storing a copy.
    case copy
    /// Those of storing a part.
    case part
    /// Those of making parts an object.
    case completion
    /// Those of an access control list.
    case accessControl
    /// Those of creating a bucket.
    case bucketCreation
}
