package import Primitives
package import S3Model

/// Why a form could not be read: its bytes, or what it says.
package enum FormError: Error {
    case body(BodyError)
    case refused(S3Error)
}
