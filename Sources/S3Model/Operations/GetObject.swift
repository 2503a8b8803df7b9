/// Returns an object or a range of it.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>
package enum GetObject: Operation {
    package static let name = "GetObject"
    package static let isReadOnly = true
    package static let headerUse = HeaderUse.read

    /// What it is asked.
    package typealias Input = ObjectRead.Input
    /// What it answers.
    package typealias Output = ObjectRead.Output

    package static func accesses(of input: Input) -> [RequiredAccess] {
        ObjectRead.accesses(of: input)
    }
}
