import Metadata
import Pools

/// What commands print of backends.
enum BackendText {
    static func print(_ findings: [BackendView.Finding]) {
        let width = findings.map(\.ability.utf8.count).max() ?? 0
        for finding in findings {
            Swift.print("\(padded(finding.ability, width))  \(padded(finding.verdict, 7))  \(finding.detail)")
        }
    }

    static func print(_ views: [BackendView], isLive: Bool) {
        guard !views.isEmpty else {
            Swift.print("No backend is attached.")
            return
        }
        for view in views {
            if view.shownIn != nil {
                printAdopted(view)
                continue
            }
            let place = "\(view.url)/\(view.bucket)" + (view.prefix.isEmpty ? "" : "/\(view.prefix)")
            let state =
                view.standing.utf8.elementsEqual("detached".utf8)
                ? "detached"
                : [
                    view.standing, view.left.map { "\(Counted($0, "blob")) left" }, view.durability,
                    view.weight.flatMap { $0 == Int(StoreRecord.usualWeight) ? nil : "weight \($0)" },
                    room(view.usedBytes, view.capacityBytes, view.usedPercent, view.fill),
                    isLive ? (view.absence.map { "away: \($0)" } ?? "attached") : nil,
                    view.firstCellMilliseconds.map { "answers reads in \(Self.rounded($0)) ms" },
                ]
                .compactMap(\.self).joined(separator: ", ")
            Swift.print("\(view.name): store \(view.store ?? 0), \(place) (\(view.profile)); \(state)")
            let domain =
                [("region", view.region), ("zone", view.zone), ("provider", view.provider)]
                .filter { !$0.1.isEmpty }.map { "\($0.0) \($0.1)" } + view.hosts.map { "host \($0)" }
            if !domain.isEmpty { Swift.print("  \(domain.joined(separator: ", "))") }
            for finding in view.findings where !finding.verdict.utf8.elementsEqual("good".utf8) {
                Swift.print("  \(finding.ability), \(finding.verdict): \(finding.detail)")
            }
        }
    }

    static func print(_ views: [PoolStoreView]) {
        for view in views {
            let place = view.backend ?? view.directory ?? ""
            let state = [
                view.standing, "weight \(view.weight)",
                room(view.usedBytes, view.capacityBytes, view.usedPercent, view.fill),
                view.absence.map { "away: \($0)" },
            ]
            Swift.print("store \(view.store): \(place); \(state.compactMap(\.self).joined(separator: ", "))")
        }
    }

    static func print(_ view: RebalanceView) {
        guard view.state.utf8.elementsEqual("wanted".utf8) else {
            Swift.print("Nothing is being rebalanced.")
            return
        }
        let parts = [
            view.began.map { "asked for \($0)" },
            view.toMove.map { "\(Counted($0, "blob")) to move" } ?? "nothing is counted yet",
            view.moved.map { "\($0) moved" },
            view.left.flatMap { $0 > 0 ? "\($0) could not be moved when it was tried" : nil },
        ]
        Swift.print("Rebalancing: " + parts.compactMap(\.self).joined(separator: ", "))
    }

    /// How full a store is; nil where nothing is known of it.
    private static func room(_ used: Int64?, _ capacity: Int64?, _ percent: Int?, _ fill: String?) -> String? {
        let sizes = [used.map { "\(size($0)) used" }, capacity.map { "of \(size($0))" }].compactMap(\.self)
        guard !sizes.isEmpty else { return nil }
        let level = fill.flatMap { $0.utf8.elementsEqual(FillLevel.normal.rawValue.utf8) ? nil : $0 }
        return sizes.joined(separator: " ") + (percent.map { " (\($0) %)" } ?? "") + (level.map { ", \($0)" } ?? "")
    }

    /// Bytes in the largest unit that leaves one at least, with one decimal, rounded down.
    static func size(_ bytes: Int64) -> String {
        let units = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"]
        let unit = max(0, min(units.count - 1, (63 - max(1, bytes).leadingZeroBitCount) / 10))
        guard unit > 0 else { return "\(bytes) bytes" }
        let tenths = ((bytes >> Int64(10 * unit - 4)) * 10) >> 4
        return "\(tenths / 10).\(tenths % 10) \(units[unit])"
    }

    private static func printAdopted(_ view: BackendView) {
        let place = "\(view.url)/\(view.bucket)" + (view.prefix.isEmpty ? "" : "/\(view.prefix)")
        let counts = "\(Counted(Int(clamping: view.objects ?? 0), "object")), \(view.bytes ?? 0) bytes"
        let state = [
            view.standing, counts, view.passedOver.flatMap { $0 > 0 ? "\($0) passed over" : nil },
            view.left.map { "\($0) left to be moved" },
        ]
        Swift.print(
            "\(view.name): \(place), adopted as the bucket \(view.shownIn ?? ""); "
                + state.compactMap(\.self).joined(separator: ", "))
    }

    /// With three digits at most.
    private static func rounded(_ number: Double) -> String {
        number < 10 ? "\((number * 10).rounded() / 10)" : "\(Int(number.rounded()))"
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.utf8.count))
    }
}
