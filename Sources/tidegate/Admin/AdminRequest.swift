import Primitives

/// What is asked of the management interface: which of its operations, and of which backend.
struct AdminRequest: Sendable, Hashable {
    enum Operation: String, Sendable {
        case list = "ListBackends"
        case attach = "AttachBackend"
        case probe = "ProbeBackend"
        case rotate = "RotateBackendCredentials"
        case drain = "DrainBackend"
        case detach = "DetachBackend"
        case weigh = "SetBackendWeight"
        case limit = "SetBackendCapacity"
        case stores = "ListStores"
        case recoveryKey = "GetRecoveryKey"
        case renewRecoveryKey = "RenewRecoveryKey"
        case durability = "GetDurability"
        case rebalancing = "GetRebalance"
        case rebalance = "StartRebalance"
        case stopRebalance = "StopRebalance"

        var isReadOnly: Bool { [.list, .stores, .recoveryKey, .durability, .rebalancing].contains(self) }
        /// As policies name it.
        var action: String { "tidegate:\(rawValue)" }
    }

    /// Where the interface begins.
    static let prefix = "/v1/"
    private static let backends = "backends"
    private static let recoveryKey = "recovery-key"
    static let durability = "durability"
    static let stores = "stores"
    static let rebalance = "rebalance"

    var operation: Operation
    /// The backend that the path names, or the position of a directory.
    var backend: String?

    /// As policies name what it is about.
    var resource: String {
        switch operation {
        case .recoveryKey, .renewRecoveryKey: "arn:aws:tidegate:::recovery-key"
        case .durability: "arn:aws:tidegate:::durability"
        case .stores: "arn:aws:tidegate:::stores"
        case .rebalancing, .rebalance, .stopRebalance: "arn:aws:tidegate:::rebalance"
        default: "arn:aws:tidegate:::backend/\(backend ?? "*")"
        }
    }

    /// - Throws: `NotFound`, `MethodNotAllowed`.
    init(_ head: RequestHead) throws(AdminRefusal) {
        let path = head.rawPath.utf8.dropFirst(Self.prefix.utf8.count)
        let parts = path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        if parts == [Self.durability] {
            operation = try Self.only("GET", head.method, .durability)
            return
        }
        if parts == [Self.stores] {
            operation = try Self.only("GET", head.method, .stores)
            return
        }
        if parts == [Self.recoveryKey] {
            switch head.method {
            case "GET": operation = .recoveryKey
            case "PUT": operation = .renewRecoveryKey
            default: throw .wrongMethod("GET, PUT")
            }
            return
        }
        if parts == [Self.rebalance] {
            switch head.method {
            case "GET": operation = .rebalancing
            case "PUT": operation = .rebalance
            case "DELETE": operation = .stopRebalance
            default: throw .wrongMethod("GET, PUT, DELETE")
            }
            return
        }
        guard parts.first == Self.backends, parts.count <= 3 else { throw .noSuchPath }
        if parts.count > 1 {
            guard BackendDeclaration.isName(parts[1]) || PoolStoreView.isPosition(parts[1]) else { throw .noSuchPath }
            backend = parts[1]
        }
        operation = try Self.operation(head.method, parts.count > 2 ? parts[2] : nil, isOfOne: backend != nil)
    }

    private static func operation(
        _ method: String, _ verb: String?, isOfOne: Bool
    ) throws(AdminRefusal) -> Operation {
        switch (verb, isOfOne) {
        case (nil, false):
            switch method {
            case "GET": return .list
            case "POST": return .attach
            default: throw .wrongMethod("GET, POST")
            }
        case (nil, true):
            switch method {
            case "GET": return .list
            case "DELETE": return .detach
            default: throw .wrongMethod("GET, DELETE")
            }
        case ("probe", true): return try only("POST", method, .probe)
        case ("drain", true): return try only("POST", method, .drain)
        case ("credentials", true): return try only("PUT", method, .rotate)
        case ("weight", true): return try only("PUT", method, .weigh)
        case ("capacity", true): return try only("PUT", method, .limit)
        default: throw .noSuchPath
        }
    }

    private static func only(
        _ wanted: String, _ method: String, _ operation: Operation
    ) throws(AdminRefusal) -> Operation {
        guard method.utf8.elementsEqual(wanted.utf8) else { throw .wrongMethod(wanted) }
        return operation
    }
}

/// Why the management interface does not do what it is asked.
struct AdminRefusal: Error, Sendable {
    var status: Int
    /// A stable name, for programs.
    var code: String
    /// A sentence, for people.
    var message: String
    var fields = HeaderFields()

    init(_ status: Int, _ code: String, _ message: String) {
        (self.status, self.code, self.message) = (status, code, message)
    }

    init(_ error: BackendError) {
        switch error.kind {
        case .invalid: self.init(400, "InvalidRequest", error.description)
        case .unknown: self.init(404, "NoSuchBackend", error.description)
        case .conflict: self.init(409, "Conflict", error.description)
        case .refused: self.init(422, "BackendRefused", error.description)
        case .unavailable: self.init(503, "ServiceUnavailable", error.description)
        }
    }

    static let noSuchPath = AdminRefusal(
        404, "NotFound",
        "There are /v1/backends, /v1/backends/NAME, its /probe, /credentials, /weight, /capacity and /drain, "
            + "/v1/stores, /v1/rebalance, /v1/recovery-key and /v1/durability.")
    static let accessDenied = AdminRefusal(403, "AccessDenied", "Access Denied")

    static func wrongMethod(_ allowed: String) -> AdminRefusal {
        var refusal = AdminRefusal(405, "MethodNotAllowed", "Only \(allowed) is served here.")
        refusal.fields["allow"] = allowed
        return refusal
    }
}
