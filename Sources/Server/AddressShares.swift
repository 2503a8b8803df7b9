import NIOCore
import Primitives
import Synchronization

/// Where a connection comes from: an address, or of IPv6 the network of 64 bits that one subscriber has.
struct SourceAddress: Sendable, Hashable {
    private let bytes: [UInt8]

    /// Nil for a socket that has no address of the Internet.
    init?(_ address: SocketAddress?) {
        guard let text = address?.ipAddress, let address = IPAddressRange(text) else { return nil }
        bytes = address.subscriber
    }
}

/// How many places of one kind each address has taken, so that none takes all.
final class AddressShares: Sendable {
    private let taken = Mutex<[SourceAddress: Int]>([:])

    /// Takes one of `limit` places of the address, or returns false where it has all of them.
    func enter(_ address: SourceAddress?, limit: Int) -> Bool {
        guard let address else { return true }
        return taken.withLock { taken in
            let count = taken[address, default: 0]
            guard count < limit else { return false }
            taken[address] = count + 1
            return true
        }
    }

    /// Gives a place back.
    func leave(_ address: SourceAddress?) {
        guard let address else { return }
        taken.withLock { taken in
            guard let count = taken[address] else { return }
            taken[address] = count > 1 ? count - 1 : nil
        }
    }

    /// The addresses that have any.
    var count: Int { taken.withLock { $0.count } }
}
