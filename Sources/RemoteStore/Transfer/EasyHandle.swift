import CCurl
import Primitives

/// Owns a handle of libcurl, with what it points to. It stays on the engine's thread.
@safe
final class EasyHandle {
    /// For `MultiHandle`, which lets go of it before this object ends.
    let handle: OpaquePointer
    private var fields: UnsafeMutablePointer<curl_slist>?
    private let errorText: UnsafeMutablePointer<CChar>

    /// Tells handles apart.
    var identity: UInt { unsafe UInt(bitPattern: handle) }

    /// Nil without memory.
    init?() {
        guard let handle = unsafe curl_easy_init() else { return nil }
        // The handle is this object's alone; only `MultiHandle` borrows it.
        unsafe self.handle = handle
        unsafe fields = nil
        unsafe errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        unsafe errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    }

    deinit {
        // In this order: the handle points to the others until it is gone.
        unsafe curl_easy_cleanup(handle)
        unsafe curl_slist_free_all(fields)
        unsafe errorText.deallocate()
    }

    /// Sets the handle up for one request. `context` is called with what comes and for what goes, and outlives the
    /// handle's use.
    ///
    /// - Throws: `notConnected` where libcurl refuses an option.
    func prepare(
        _ request: TransferRequest, _ settings: TransferSettings, context: RunningTransfer
    ) throws(TransferError) {
        guard request.isClean else { throw .notConnected("the request holds a control character") }
        try set(CURLOPT_URL, request.url)
        try set(CURLOPT_CUSTOMREQUEST, request.head.method)
        if let length = request.contentLength {
            try set(CURLOPT_UPLOAD, 1)
            // Safe: the handle is valid as long as this object is.
            try check(unsafe ccurl_set_size(handle, CURLOPT_INFILESIZE_LARGE, length))
        } else if request.head.method.utf8.elementsEqual("HEAD".utf8) {
            try set(CURLOPT_NOBODY, 1)
        }
        try addFields(request.head.fields)
        try restrict(request)
        try setTrust(settings)
        try set(CURLOPT_CONNECTTIMEOUT_MS, settings.connectTimeout.wholeMilliseconds)
        try set(CURLOPT_BUFFERSIZE, 256 << 10)
        try set(CURLOPT_UPLOAD_BUFFERSIZE, 256 << 10)
        try set(CURLOPT_TCP_KEEPALIVE, 1)
        // An empty name turns off the variables of the environment.
        try set(CURLOPT_PROXY, settings.proxy ?? "")
        try set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        let version = settings.offersHTTP2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1
        try set(CURLOPT_HTTP_VERSION, version)
        // Safe: the text lives as long as the handle, and the context's owner lets go of the handle before it.
        try check(unsafe ccurl_set_error_text(handle, errorText))
        try check(unsafe RunningTransfer.setFunctions(of: handle, to: context))
    }

    /// Goes on in the directions that are not named. libcurl may call the functions meanwhile.
    func setPauses(sending: Bool, receiving: Bool) {
        let mask = (sending ? CURLPAUSE_SEND : 0) | (receiving ? CURLPAUSE_RECV : 0)
        // Safe: the handle is valid as long as this object is. A transfer that has failed is reported as ended anyway.
        _ = unsafe curl_easy_pause(handle, mask)
    }

    /// What libcurl says of a failure.
    func describe(_ code: CURLcode) -> String {
        // Safe: the text ends with a zero byte within its capacity, which libcurl keeps; so does its own message.
        let detail = unsafe String(cString: errorText)
        return unsafe Self.clean(detail.isEmpty ? String(cString: curl_easy_strerror(code)) : detail)
    }

    /// What may get into a log or onto a terminal: libcurl's texts may repeat what a server wrote, such as the names in
    /// a certificate.
    static func clean(_ text: String) -> String {
        let bytes = text.utf8.prefix(200).map { (0x20..<0x7f).contains($0) ? $0 : UInt8(ascii: "?") }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The fields of the request, and none of those that libcurl would add by itself: they would not be signed.
    private func addFields(_ wanted: HeaderFields) throws(TransferError) {
        for field in wanted.fields {
            try addField(field.value.isEmpty ? "\(field.name);" : "\(field.name): \(field.value)")
        }
        for name in ["accept", "expect", "content-type", "user-agent"] where !wanted.contains(name) {
            try addField("\(name):")
        }
        // Safe: the list lives as long as the handle.
        try check(unsafe ccurl_set_fields(handle, fields))
    }

    private func addField(_ line: String) throws(TransferError) {
        // Safe: the list is this object's; the text is copied. Null leaves the list as it was.
        guard let longer = unsafe curl_slist_append(fields, line) else { throw .notConnected("there is no memory") }
        unsafe fields = longer
    }

    /// What a server must not make of a request: another one, elsewhere, or with credentials from elsewhere.
    private func restrict(_ request: TransferRequest) throws(TransferError) {
        try set(CURLOPT_PROTOCOLS_STR, request.origin.utf8.starts(with: "https:".utf8) ? "https" : "http")
        try set(CURLOPT_FOLLOWLOCATION, 0)
        try set(CURLOPT_NETRC, 0)
        try set(CURLOPT_PATH_AS_IS, 1)
        try set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1)
        try set(CURLOPT_HTTP09_ALLOWED, 0)
        try set(CURLOPT_NOSIGNAL, 1)
        // Otherwise a name that does not resolve would hold up the thread when its transfer is given up.
        try set(CURLOPT_QUICK_EXIT, 1)
    }

    private func setTrust(_ settings: TransferSettings) throws(TransferError) {
        let leastVersion = settings.requiresTLS13 ? CURL_SSLVERSION_TLSv1_3 : CURL_SSLVERSION_TLSv1_2
        try set(CURLOPT_SSLVERSION, Int(leastVersion))
        try set(CURLOPT_SSL_VERIFYPEER, 1)
        try set(CURLOPT_SSL_VERIFYHOST, 2)
        if case .certificates(let text) = settings.trust {
            // The system's authorities are not trusted beside them.
            try check(unsafe ccurl_set_none(handle, CURLOPT_CAINFO))
            try check(unsafe ccurl_set_none(handle, CURLOPT_CAPATH))
            let bytes = Array(text.utf8)
            // Safe: the bytes are copied before the call returns.
            try check(unsafe ccurl_set_bytes(handle, CURLOPT_CAINFO_BLOB, bytes, bytes.count))
        }
        guard !settings.pinnedKeys.isEmpty else { return }
        try set(
            CURLOPT_PINNEDPUBLICKEY,
            settings.pinnedKeys.map { "sha256//\(Base64.encode($0))" }.joined(separator: ";"))
    }

    private func set(_ option: CURLoption, _ value: Int) throws(TransferError) {
        // Safe: the handle is valid as long as this object is.
        try check(unsafe ccurl_set_long(handle, option, value))
    }

    private func set(_ option: CURLoption, _ text: String) throws(TransferError) {
        // Safe: the text is copied before the call returns.
        try check(unsafe ccurl_set_text(handle, option, text))
    }

    private func check(_ code: CURLcode) throws(TransferError) {
        guard code == CURLE_OK else { throw .notConnected("libcurl refuses an option: \(describe(code))") }
    }
}

extension Duration {
    /// Rounded down, never below one.
    var wholeMilliseconds: Int {
        let (seconds, attoseconds) = components
        return max(1, Int(clamping: seconds &* 1000 &+ attoseconds / 1_000_000_000_000_000))
    }
}
