import Identity
import Primitives
import S3Model
import S3Wire
import Signing

/// Lets a browser's form in: reads its fields, finds out who signed them, and makes of it the request that it asks for.
/// Everything after that is the way of every other request.
struct FormAdmission: ~Copyable {
    /// The request that the form makes, its caller whoever signed the form's policy.
    let context: RequestContext
    private let file: Body

    /// Reads as much of the body as comes before the file.
    ///
    /// - Parameter context: the POST as its head has it.
    /// - Throws: what reading, authenticating and submitting a form throw; `InvalidArgument` for a request that is
    ///   signed itself, `MissingContentLength`.
    init(
        _ gateway: Gateway, _ context: RequestContext, boundary: FormBoundary, body: consuming Body
    ) async throws(S3Error) {
        // A form is signed by its fields. To let a head's signature count as well would leave it open which one does.
        guard context.caller.isAnonymous else {
            throw S3Error(
                .invalidArgument,
                "Only one auth mechanism allowed; a form is authenticated by its fields and not by the request's head.",
                details: [S3Error.Detail("ArgumentName", "Authorization")])
        }
        guard context.wire.fields.contains("content-length") else { throw S3Error(.missingContentLength) }
        let bucket = try context.wire.requiredBucket()
        let received: ReceivedForm
        do throws(FormError) {
            received = try await FormReader.read(body, boundary: boundary)
        } catch {
            throw S3Error(error)
        }
        let (fields, authenticated) = try Self.authenticate(received.fields, bucket, gateway)
        let caller = Caller(authenticated)
        var wire = try context.wire.submitting(fields)
        wire.isAnonymous = caller.isAnonymous
        self.context = context.resubmitted(wire, by: caller)
        file = received.file(within: authenticated.contentLength)
    }

    private static func authenticate(
        _ fields: [(name: String, value: String)], _ bucket: String, _ gateway: Gateway
    ) throws(S3Error) -> (HeaderFields, AuthenticatedForm) {
        do throws(SigningError) {
            let form = try PostForm(fields)
            // Now, and not when the head came: a slow body must not hold open a policy that has expired meanwhile.
            let now = gateway.environment.now()
            return (form.fields, try gateway.authenticator.authenticate(form, bucket: bucket, at: now))
        } catch {
            throw S3Error(error)
        }
    }

    /// The bytes of the object.
    consuming func takeFile() -> Body { file }
}
