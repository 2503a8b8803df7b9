import NIOCore
import Primitives
import Signing

/// Who answers, and whether it takes us: nothing is written yet.
extension Probing {
    /// How far a clock may be off before that is worth telling. The field `date` has whole seconds.
    private static let skewTold = Duration.seconds(5)
    /// How far what a request is signed for may be off.
    private static let skewTaken = Duration.seconds(900)

    mutating func reach() async throws(ProbeStop) -> ProbeOutcome {
        let call = RemoteCall.listing(prefix: folder, after: [], token: nil, limit: 1)
        let first = try await calls.result(of: call, limit: ListingPage.byteLimit)
        self.first = first
        let place = "\(probe.name) (\(probe.endpoint.origin))"
        switch first {
        case .success(let answer):
            abilities.server = Self.serverName(answer.head)
            do throws(ListingPage.Wrong) {
                _ = try ListingPage.entries(answer.body)
            } catch {
                return .refused(
                    "Something answers at \(place), but not as an S3 service does: \(error.detail). Is it another "
                        + "port of the service, such as its console, or a web server?")
            }
            return .good("An S3 service answers at \(place).")
        case .failure(let fault): return Self.reach(place, fault)
        }
    }

    private static func reach(_ place: String, _ fault: RemoteFault) -> ProbeOutcome {
        switch fault.kind {
        case .transfer(.notConnected(let detail)):
            .refused(
                "No connection to \(place) came about: \(detail). Check its address and port, whether it speaks TLS "
                    + "there, and which certificates are trusted.")
        case .transfer: .refused("\(place) takes connections, but gives no answer that can be read: \(fault).")
        case .wrong(let detail): .refused("Something answers at \(place), but not as an S3 service does: \(detail).")
        case .refused(let answer) where answer.code == nil && !answer.isRedirect:
            .refused(
                "Something answers at \(place) with the status \(answer.status), but without an error of S3's. Is it "
                    + "another port of the service, a port for TLS, or a proxy that stands before it?")
        case .refused: .good("An S3 service answers at \(place).")
        }
    }

    mutating func tls() async throws(ProbeStop) -> ProbeOutcome {
        guard probe.endpoint.isEncrypted else {
            return .limited(
                "It is reached over plain HTTP: shards and their keys can be read on the way, and answers can be "
                    + "forged. That is for the loopback interface and for networks that are trusted.")
        }
        // A server that does not speak the newest version refuses it, and has taken the one before, as we speak no
        // other.
        guard let client = probe.client({ $0.requiresTLS13 = true }) else {
            return .unknown("The system has no thread left.")
        }
        let newest = ProbeCalls(client: client, environment: calls.environment, deadline: calls.deadline)
        let call = RemoteCall.listing(prefix: folder, after: [], token: nil, limit: 1)
        let result = try await newest.result(of: call, limit: ListingPage.byteLimit)
        client.engine.close()
        if case .failure(let fault) = result, case .transfer(let error) = fault.kind {
            guard case .notConnected = error else { throw .fault(fault) }
            abilities.tls = "TLSv1.2"
            return .good("It speaks TLS 1.2, and not TLS 1.3; its certificate is trusted.")
        }
        abilities.tls = "TLSv1.3"
        return .good("It speaks TLS 1.3, and its certificate is trusted.")
    }

    mutating func clock() -> ProbeOutcome {
        let followed = calls.client.clock.skew
        var told: Timestamp?
        switch first {
        case .success(let answer): told = answer.head.fields["date"].flatMap { Timestamp(httpDate: $0) }
        case .failure(let fault):
            var isForTime = fault.hasCode("RequestTimeTooSkewed")
            if case .refused(let answer) = fault.kind {
                told = answer.time
                // Not every server has the code. One that was followed answered by the time that it told.
                let skew = told.map { $0 - calls.client.clock.now() } ?? .zero
                isForTime = isForTime || (answer.status == 403 && !(.zero - Self.skewTaken...Self.skewTaken ~= skew))
            }
            guard !isForTime else {
                abilities.clockSkew = told.map { .seconds(($0 - calls.environment.now()).components.seconds) }
                let skew = abilities.clockSkew.map { "\(Self.text($0)) than ours" } ?? "not ours"
                return .refused(
                    "Its clock is \(skew), so that it takes nothing that we sign. Signing by its clock, which is done "
                        + "where it is at most a day off, did not help. Set both clocks.")
            }
        case nil: break
        }
        guard followed == .zero else {
            abilities.clockSkew = followed
            return .limited(
                "Its clock is \(Self.text(followed)) than ours, more than it allows: what is sent to it is signed by "
                    + "its own clock from now on. Set both clocks.")
        }
        guard let told else { return .good("It does not tell its time, but takes what is signed by our clock.") }
        let skew = told - calls.environment.now()
        abilities.clockSkew = .seconds(skew.components.seconds)
        guard skew > Self.skewTold || skew < .zero - Self.skewTold else {
            return .good("Its clock is within \(Self.skewTold.components.seconds) s of ours.")
        }
        return .limited(
            "Its clock is \(Self.text(skew)) than ours. It takes nothing any more where that grows to 15 minutes: set "
                + "both clocks.")
    }

    /// `12 s later`
    private static func text(_ skew: Duration) -> String {
        let seconds = skew.components.seconds
        return seconds < 0 ? "\(seconds.magnitude) s earlier" : "\(seconds) s later"
    }

    mutating func credentials() async throws(ProbeStop) -> ProbeOutcome {
        if case .failure(let fault) = first { return credentials(refusedBy: fault) }
        // Whoever knows the id of a key, which is no secret, must not get any further.
        var forged = probe.credentials
        forged = SigningCredentials(
            accessKeyID: forged.accessKeyID, secret: SecretKey(Hex.encode(calls.environment.randomBytes(20))),
            sessionToken: forged.sessionToken)
        calls.client.use(forged)
        let call = RemoteCall.listing(prefix: folder, after: [], token: nil, limit: 1)
        let result: Result<RemoteAnswer, RemoteFault>
        do throws(ProbeStop) {
            result = try await calls.result(of: call, limit: ListingPage.byteLimit)
        } catch {
            calls.client.use(probe.credentials)
            throw error
        }
        calls.client.use(probe.credentials)
        switch result {
        case .success:
            abilities.checksSignatures = false
            return .limited(
                "It takes the credentials, but also a request with a wrong signature: whoever reaches it can read, "
                    + "forge and remove what it holds.")
        case .failure(let fault):
            guard case .refused = fault.kind else { throw .fault(fault) }
            abilities.checksSignatures = true
            return .good("It takes the credentials, and refuses a wrong signature.")
        }
    }

    private func credentials(refusedBy fault: RemoteFault) -> ProbeOutcome {
        guard case .refused(let answer) = fault.kind, let code = answer.code else {
            return .unknown("It could not be measured: \(fault).")
        }
        switch code {
        case "InvalidAccessKeyId": return .refused("It does not know the access key: \(fault).")
        case "SignatureDoesNotMatch":
            return .refused(
                "The secret key is not that of the access key, or something on the way changes requests, such as a "
                    + "proxy that sets another Host: \(fault).")
        case "ExpiredToken", "InvalidToken", "TokenRefreshRequired":
            return .refused("The session of the credentials is over, or unknown: \(fault).")
        case "AuthorizationHeaderMalformed", "AuthorizationQueryParametersError":
            let wanted = answer.region.map { ", and the backend's is \($0)" } ?? ""
            return .refused(
                "The request was signed for the region \(probe.endpoint.region)\(wanted), or the access key is none "
                    + "that it reads: \(fault). Set the region of the backend.")
        case "AccessDenied", "AllAccessDisabled", "AccountProblem", "NotSignedUp":
            return .refused(
                "The credentials may not list the bucket \(probe.endpoint.bucket): \(fault). They need s3:ListBucket "
                    + "on it and s3:GetObject, s3:PutObject, s3:DeleteObject and s3:AbortMultipartUpload on its "
                    + "objects.")
        default: return .unknown("It refused the first request for another reason: \(fault).")
        }
    }

    func bucket() -> ProbeOutcome {
        let bucket = probe.endpoint.bucket
        guard case .failure(let fault) = first else { return .good("The bucket \(bucket) is there.") }
        if fault.hasCode("NoSuchBucket") {
            return .refused("There is no bucket \(bucket): \(fault). It is not made by us.")
        }
        if case .refused(let answer) = fault.kind, answer.isRedirect {
            let place = answer.region.map { " It says that the bucket is in \($0)." } ?? ""
            return .refused(
                "It sends us elsewhere for the bucket \(bucket), and redirects are not followed: \(fault).\(place) "
                    + "Name the address and the region of the bucket's own.")
        }
        return .refused("The bucket \(bucket) cannot be listed: \(fault).")
    }

    /// What may be told of the field `server`.
    private static func serverName(_ head: ResponseHead) -> String? {
        let bytes = Array((head.fields["server"] ?? "").utf8.filter { (0x20..<0x7f).contains($0) }.prefix(64))
        return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
    }
}

extension ErrorAnswer {
    /// Whether it names another place to ask.
    fileprivate var isRedirect: Bool { (300..<400).contains(status) || code == "PermanentRedirect" }
}
