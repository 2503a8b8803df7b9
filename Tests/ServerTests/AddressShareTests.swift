import NIOCore
import Testing

@testable import Server

/// What counts as one address, and that none takes all.
@Suite("Address shares")
struct AddressShareTests {
    private static func source(_ address: String) throws -> SourceAddress {
        try #require(SourceAddress(try SocketAddress(ipAddress: address, port: 7)))
    }

    @Test("Addresses of IPv4 count alone, of IPv6 by their network of 64 bits")
    func networks() throws {
        #expect(try Self.source("10.0.0.1") == Self.source("10.0.0.1"))
        #expect(try Self.source("10.0.0.1") == Self.source("::ffff:10.0.0.1"))
        #expect(try Self.source("2001:db8:0:1::1") == Self.source("2001:db8:0:1:ffff:ffff:ffff:ffff"))
        let all = try [
            "10.0.0.1", "10.0.0.2", "1.0.0.10", "0.0.0.0", "255.255.255.255", "::1", "2001:db8:0:1::1",
            "2001:db8:0:2::1", "fe80::1", "0:0:0:1::",
        ].map { try Self.source($0) }
        #expect(Set(all).count == all.count)
    }

    @Test("Places are taken up to the limit, given back, and forgotten")
    func places() throws {
        let shares = AddressShares()
        let (one, other) = (try Self.source("10.0.0.1"), try Self.source("10.0.0.2"))
        for _ in 0..<3 { #expect(shares.enter(one, limit: 3)) }
        #expect(!shares.enter(one, limit: 3))
        #expect(shares.enter(other, limit: 1))
        #expect(!shares.enter(other, limit: 1))
        shares.leave(one)
        #expect(shares.enter(one, limit: 3))
        #expect(!shares.enter(one, limit: 3))
        for _ in 0..<3 { shares.leave(one) }
        #expect(shares.count == 1)
        shares.leave(other)
        shares.leave(other)
        #expect(shares.count == 0)
        #expect(shares.enter(nil, limit: 0), "a socket without an address has no share")
    }
}
