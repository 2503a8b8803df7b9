/// Returns what is known of an object, without its bytes.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html>
package enum HeadObject: Operation {
    package static let name = "HeadObject"
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
