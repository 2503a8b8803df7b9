import Testing

@testable import RemoteStore

@Suite struct RemoteEndpointTests {
    @Test(arguments: [
        ("https://s3.example.org", "https://s3.example.org", "s3.example.org"),
        ("HTTPS://S3.Example.org:443/", "https://s3.example.org:443", "s3.example.org"),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000", "127.0.0.1:9000"),
        ("http://[::1]:9000/", "http://[::1]:9000", "[::1]:9000"),
        ("https://[fe80::1]", "https://[fe80::1]", "[fe80::1]"),
    ])
    func readsAURL(_ url: String, _ origin: String, _ host: String) throws {
        let endpoint = try RemoteEndpoint(url: url, bucket: "bucket")
        #expect(endpoint.origin == origin)
        #expect(endpoint.host == host)
        #expect(endpoint.isEncrypted == origin.hasPrefix("https"))
    }

    @Test(arguments: [
        "", "s3.example.org", "ftp://s3.example.org", "file:///etc/passwd", "https://", "https:///bucket",
        "https://user:secret@host", "https://user@host", "https://host/path", "https://host?query", "https://host#a",
        "https://host:0", "https://host:65536", "https://host:", "https://host:80a", "https://ho st",
        "https://host\r\nX: y",
        "https://host\0", "https://-host", "https://host-", "https://a..b", "https://.a", "https://[::1",
        "https://[zz::]",
        "https://h\u{f6}st", "https://host\\@evil", "https://%65vil",
        "https://\(String(repeating: "a", count: 64)).org",
    ])
    func refusesURLs(_ url: String) {
        #expect(throws: RemoteSettingError.self) { try RemoteEndpoint(url: url, bucket: "bucket") }
    }

    @Test(arguments: [
        "ab", "Bucket", "b_cket", "b..cket", ".bucket", "bucket-", "buc/ket", "buck\r\net", "buck%65t", "../etc",
    ])
    func refusesBuckets(_ bucket: String) {
        #expect(throws: RemoteSettingError.self) { try RemoteEndpoint(url: "https://host", bucket: bucket) }
    }

    @Test(arguments: [("", ""), ("a", "a/"), ("a/b/", "a/b/"), ("A-1_2.3~/x", "A-1_2.3~/x/")])
    func endsAPrefixWithASlash(_ given: String, _ prefix: String) throws {
        #expect(try RemoteEndpoint(url: "https://host", bucket: "bucket", prefix: given).prefix == prefix)
    }

    @Test(arguments: [
        "/", "/a", "a//b", "..", "a/../b", "./a", "a b", "a\r\nb", "a\0", "a%2fb", "\u{e4}", "a?b", "a+b",
        String(repeating: "a", count: 513),
    ])
    func refusesPrefixes(_ prefix: String) {
        #expect(throws: RemoteSettingError.self) {
            try RemoteEndpoint(url: "https://host", bucket: "bucket", prefix: prefix)
        }
    }

    @Test(arguments: ["", "eu west", "eu\r\n", "eu/west", String(repeating: "a", count: 65)])
    func refusesRegions(_ region: String) {
        #expect(throws: RemoteSettingError.self) {
            try RemoteEndpoint(url: "https://host", bucket: "bucket", region: region)
        }
    }

    @Test func namesBucketsInEitherWay() throws {
        let path = try RemoteEndpoint(url: "https://host:9000", bucket: "bucket")
        #expect(path.target(key: "a/b") == "/bucket/a/b")
        #expect(
            path.target(key: nil, query: [("prefix", "a/ b"), ("uploads", "")]) == "/bucket?prefix=a%2F%20b&uploads=")
        let host = try RemoteEndpoint(url: "https://host:9000", bucket: "bucket", addressing: .virtualHost)
        #expect(host.origin == "https://bucket.host:9000")
        #expect(host.host == "bucket.host:9000")
        #expect(host.target(key: "a") == "/a")
        #expect(host.target(key: nil) == "/")
    }
}
