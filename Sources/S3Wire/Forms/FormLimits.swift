/// The bounds of a form beside its file.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTForms.html>
package enum FormLimits {
    /// Bytes before the file's first one: fields, headers and boundaries.
    package static let bytesBeforeFile: Int64 = 20 << 10
    /// Fields before the file.
    package static let fields = 128
    /// Bytes after the file's last one. S3 ignores what fields stand there; so do we, and take no more of them.
    package static let bytesAfterFile: Int64 = 20 << 10
}
