import Audit
import Identity
import Metadata
import NIOCore
import Pools
package import Primitives
import S3Model
import S3Wire
import Signing

/// Serves every request, by one path: authenticate, route, decode, authorise, perform, record, encode.
///
/// An operation is never called before the steps that come before it, and never answers without its record.
package struct Pipeline: RequestHandler {
    private let gateway: Gateway
    private let operations: [String: any ServedOperation.Type]

    package init(_ gateway: Gateway) {
        self.gateway = gateway
        var operations: [String: any ServedOperation.Type] = [:]
        for operation in ServedOperations.all {
            for route in operation.routes { operations[route] = operation }
        }
        self.operations = operations
    }

    package func handle(
        _ request: IncomingRequest, body: consuming Body, response: any ResponseChannel
    ) async {
        let answer = Answer(
            gateway, response, id: RequestID.draw(gateway.environment), received: gateway.environment.now(),
            startedNanoseconds: gateway.environment.monotonicNanoseconds(), incoming: request)
        do throws(S3Error) {
            try await serve(request, body: body, answer)
        } catch {
            await answer.fail(error)
        }
    }

    private func serve(
        _ request: IncomingRequest, body: consuming Body, _ answer: Answer
    ) async throws(S3Error) {
        var wire = try WireRequest(
            request.head, domains: gateway.settings.domains, region: gateway.settings.region)
        answer.named(wire)
        let authenticated: AuthenticatedRequest
        do {
            authenticated = try gateway.authenticator.authenticate(
                request.head, bucketOfHost: wire.bucketOfHost, at: answer.received)
        } catch {
            throw S3Error(error)
        }
        let caller = Caller(authenticated)
        wire.isAnonymous = caller.isAnonymous
        for field in authenticated.hoisted.fields { wire.fields[field.name] = field.value }
        let wrapped = authenticated.payload.wrap(body)
        let trailer = wrapped.trailer
        let context = RequestContext(
            id: answer.id, received: answer.received, startedNanoseconds: answer.startedNanoseconds,
            incoming: request, wire: wire, caller: caller, trailer: trailer.map { box in { @Sendable in box.fields } })
        answer.authenticated(context)
        try QueryCoverage.check(wire.query, signedBy: caller)
        try RepeatedHeaders.check(wire.fields)
        let name = try Router.operation(of: wire)
        context.describe(name, isReadOnly: wire.method == "GET" || wire.method == "HEAD")
        guard let operation = operations[name] else {
            throw S3Error(.notImplemented, "\(name) is not implemented.")
        }
        guard name.utf8.elementsEqual(PostObject.name.utf8), let boundary = try FormBoundary(wire.fields) else {
            return try await run(operation, context, body: wrapped.takeBody(), answer)
        }
        let form = try await FormAdmission(gateway, context, boundary: boundary, body: wrapped.takeBody())
        answer.authenticated(form.context)
        let submitted = form.context
        try await run(operation, submitted, body: form.takeFile(), answer)
    }

    private func run<O: ServedOperation>(
        _ operation: O.Type, _ context: RequestContext, body: consuming Body, _ answer: Answer
    ) async throws(S3Error) {
        defer { context.endSharing() }
        var document: [UInt8] = []
        var payload = Body.empty
        let authorizer = Authorizer(gateway, context)
        switch O.payload {
        case .none: break
        case .stream: payload = body
        case .document(let limit):
            try await authorizer.refuseHopelessStranger(creatingBucket: O.self == CreateBucket.self)
            document = try await DocumentReader.read(
                body, limit: limit, checksumIsOfDocument: O.checksumIsOfDocument, context, gateway.environment)
        }
        // Taken before the index is asked, and after what a slow client sends: whoever only sends bytes reads none, so
        // that a slow upload keeps nothing that was deleted meanwhile.
        let reading = O.payload == .stream ? nil : gateway.horizon.begin()
        defer { if let reading { gateway.horizon.end(reading) } }
        let input = try O.decode(context.wire, document: document)
        context.describe(O.eventName(of: input), isReadOnly: O.isReadOnly(input))
        for access in O.accesses(of: input) { try await authorizer.require(access) }
        try await checkOwner(context)
        try await AskedHeaders(gateway, context).check(O.headerUse, document: document)
        if !O.isReadOnly(input), !gateway.audit.acceptsMutations {
            throw S3Error.hidden(.serviceUnavailable, "audit: the log takes no mutations")
        }
        let reply = try await O.perform(input, body: payload, for: context, in: gateway)
        try await answer.succeed(O.encode(reply.output, for: input), content: reply.content)
    }

    /// `x-amz-expected-bucket-owner`: the bucket must belong to this account.
    private func checkOwner(_ context: RequestContext) async throws(S3Error) {
        let expected = ExpectedOwner(context.wire, ExpectedOwner.ofBucket)
        guard expected.isGiven, let name = context.wire.bucket, let bucket = try await gateway.buckets.find(name)
        else { return }
        try expected.check(bucket)
    }
}

/// The id of a request, as answers and records name it.
enum RequestID {
    /// 16 upper-case hexadecimal digits.
    static func draw(_ environment: any Environment) -> String {
        let word = environment.random()
        let digits = [UInt8](capacity: 16) { digits in
            for shift in stride(from: 60, through: 0, by: -4) {
                let digit = UInt8(truncatingIfNeeded: word >> UInt64(shift)) & 15
                digits.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "A") + digit - 10)
            }
        }
        return String(decoding: digits, as: UTF8.self)
    }
}
