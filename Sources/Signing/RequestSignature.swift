package import Primitives

/// What a request claims about its signer, in one version of the signature. Nothing of it is verified yet.
package enum RequestSignature: Sendable, Hashable {
    case version2(PresentedSignatureV2)
    case version4(PresentedSignature)

    package var version: SignatureVersion {
        switch self {
        case .version2: .version2
        case .version4: .version4
        }
    }

    /// Parameters of the query that act as header fields, since they are signed.
    package var hoisted: HeaderFields {
        switch self {
        case .version2(let presented): presented.hoisted
        case .version4(let presented): presented.hoisted
        }
    }

    /// Where the claim stood.
    package var carrier: PresentedSignature.Carrier {
        switch self {
        case .version2(let presented): presented.carrier
        case .version4(let presented): presented.carrier
        }
    }

    /// Reads the one claim that a request makes, in the `Authorization` header or in the query; nil for an anonymous
    /// one, an empty `Authorization` included.
    ///
    /// CVE-2026-41145: a request of two claims is refused before either is read, so that none is verified while the
    /// other is acted on.
    /// - Parameter allowsVersion2: whether a claim of version 2 is read or refused.
    /// - Throws: `InvalidArgument` for two claims at once and for a scheme that is unknown or malformed;
    ///   `InvalidRequest` for version 2 where it is not allowed; `NotImplemented` for SigV4A;
    ///   `AuthorizationHeaderMalformed` and `AuthorizationQueryParametersError` for malformed claims of version 4,
    ///   `AccessDenied` for those of version 2 and for an absent or malformed date; `InvalidURI` for a query that does
    ///   not decode.
    package static func parse(
        head: RequestHead, allowsVersion2: Bool
    ) throws(SigningError) -> RequestSignature? {
        let query = try head.parameters()
        let isVersion4 = PresignedQuery.markers.contains { query.firstIndex(named: $0) != nil }
        let isVersion2 = PresignedQueryV2.markers.contains { query.firstIndex(named: $0) != nil }
        guard head.fields.values("authorization").count <= 1 else { throw .severalMechanisms }
        if let authorization = head.fields["authorization"], !authorization.isEmpty {
            if isVersion4 || isVersion2 { throw .severalMechanisms }
            guard AuthorizationHeaderV2.isScheme(of: authorization) else {
                return .version4(try AuthorizationHeader(authorization).presented(head: head))
            }
            let header = try AuthorizationHeaderV2(authorization)
            guard allowsVersion2 else { throw .unsupportedMechanism }
            return .version2(try header.presented(head: head, query: query))
        }
        if isVersion4 && isVersion2 { throw .severalMechanisms }
        if isVersion4 { return .version4(try PresignedQuery(query).presented(head: head)) }
        guard isVersion2 else { return nil }
        guard allowsVersion2 else { throw .unsupportedMechanism }
        return .version2(try PresignedQueryV2(query).presented(head: head))
    }
}
