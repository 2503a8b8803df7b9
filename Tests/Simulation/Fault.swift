import Primitives
import TidegateTesting

/// What can go wrong in a simulation.
package enum Fault: String, CaseIterable, Sendable {
    /// A process ends between two steps.
    case kill
    /// The host of process and stores goes down, and what was not synced is lost.
    case hostCrash = "host-crash"
    /// The disk of the index is lost with its process.
    case indexLoss = "index-loss"
    case storeDown = "store-down"
    /// A store's host crashes and is back at once.
    case storeCrash = "store-crash"
    /// Calls of a store fail, before or after they took effect.
    case storeErrors = "store-errors"
    case slowStores = "slow-stores"
    /// Writes take effect after their callers have given up or died.
    case lateWrites = "late-writes"
    /// Bits of a store's blobs flip, or their ends go.
    case damage
    /// A store loses everything.
    case storeLoss = "store-loss"
    /// A store acknowledges writes and keeps other bytes.
    case lyingStore = "lying-store"
    /// Commits fail, or succeed without an answer.
    case indexErrors = "index-errors"
    case slowIndex = "slow-index"
    case logErrors = "log-errors"
    case clockJump = "clock-jump"

    /// Whether requests may fail while it lasts, and not only take longer.
    var impairs: Bool {
        switch self {
        case .slowStores, .slowIndex, .clockJump: false
        default: true
        }
    }
}

/// Brings faults about, when a seed says.
struct FaultDriver {
    let world: SimulatedWorld
    /// The store that may lose or damage what it acknowledged. A write needs one shard more than a read, so that one
    /// store's loss is what any object survives at any moment, before a repair has brought back what was missing.
    let fragile: SimulatedStore

    private var host: SimulatedHost { world.host }

    init(_ world: SimulatedWorld) {
        (self.world, fragile) = (world, world.host.one(of: world.stores))
    }

    /// The faults of a run, in their order: of several kinds first.
    func plan() -> [Fault] {
        var kinds = Fault.allCases.filter { $0 != .indexLoss || world.shape.isJournalled }
        var planned: [Fault] = []
        while planned.count < 5 { planned.append(kinds.remove(at: host.number(0...(kinds.count - 1)))) }
        for _ in 0..<host.number(0...4) { planned.append(host.one(of: planned + kinds)) }
        // The index is lost at most once: recovering twice from copies that the first recovery has yet to renew is
        // what an operator waits with.
        let first = planned.firstIndex(of: .indexLoss)
        return planned.enumerated().filter { $0.element != .indexLoss || $0.offset == first }.map(\.element)
    }

    /// Does one, and returns when it is over. Others may be under way.
    func strike(_ fault: Fault) async {
        // Nobody recovers an index while stores are known to be away.
        while world.isRecovering { await host.wait(.milliseconds(10)) }
        let impairment = fault.impairs ? world.impair() : nil
        switch fault {
        case .kill: await restart {}
        case .hostCrash:
            await restart {
                world.log.crash()
                for store in world.stores where host.chance(0.6) { store.crash() }
            }
        case .indexLoss:
            await restart {
                for store in world.stores { store.recover() }
                world.loseIndex()
            }
        case .clockJump:
            let seconds = host.number(-3600...3600)
            host.environment.setWallClock(host.environment.now() + .seconds(seconds))
        case .storeCrash: host.one(of: world.stores).crash()
        case .damage: fragile.damage(share: host.chance(0.3) ? 0.8 : 0.2)
        case .storeLoss: fragile.lose()
        default: await last(fault)
        }
        // What met the fault may be told of it a little later.
        await host.wait(fault == .lateWrites ? .seconds(2) : .milliseconds(host.number(1...50)))
        if let impairment { world.recovered(impairment) }
    }

    /// What goes on for a while.
    private func last(_ fault: Fault) async {
        let index = world.index
        let stores: [SimulatedStore] =
            switch fault {
            case .lyingStore: [fragile]
            case .slowStores: world.stores.filter { _ in host.chance(0.6) }
            default: [host.one(of: world.stores)]
            }
        for store in stores { store.change { set(fault, &$0, isOn: true) } }
        switch fault {
        case .indexErrors:
            index.change { weather in
                (weather.refuses, weather.losesAnswers, weather.losesRequests) = (0.05, 0.2, 0.2)
                weather.forgetsOutcomes = 0.2
            }
        case .slowIndex: index.change { $0.isSlow = 0.3 }
        case .logErrors: world.log.refuses = 0.3
        default: break
        }
        await host.wait(.milliseconds(host.number(20...1500)))
        for store in stores { store.change { set(fault, &$0, isOn: false) } }
        switch fault {
        case .indexErrors: index.change { $0 = SimulatedIndex.Weather(isSlow: $0.isSlow) }
        case .slowIndex: index.change { $0.isSlow = 0 }
        case .logErrors: world.log.refuses = 0
        default: break
        }
    }

    private func set(_ fault: Fault, _ weather: inout SimulatedStore.Weather, isOn: Bool) {
        switch fault {
        case .storeDown: weather.isDown = isOn
        case .storeErrors:
            weather.failsBefore = isOn ? 0.25 : 0
            weather.failsAfter = isOn ? 0.25 : 0
        case .slowStores: weather.isSlow = isOn ? 0.3 : 0
        case .lateWrites: weather.isLate = isOn ? 0.5 : 0
        case .lyingStore: weather.lies = isOn ? 0.6 : 0
        default: break
        }
    }

    /// Makes everything work again; what was lost or damaged stays so.
    func heal() {
        for store in world.stores { store.change { $0 = .fair } }
        world.index.change { $0 = .fair }
        world.log.refuses = 0
    }

    private func restart(_ between: () -> Void) async {
        world.kill()
        between()
        await world.start(after: .milliseconds(host.number(0...100)))
    }
}
