/// How many readers may be begun beside slow ones: each reader that a blob needs anyway adds a share of one, and a few
/// may be saved up. So what hedging costs the stores is bounded, also when all of them are slow.
struct HedgeBudget: Sendable, Hashable {
    /// Readers that can be saved up.
    static let most = 10

    private let percent: Int
    private var hundredths: Int

    /// - Parameter percent: of the readers that are needed anyway; 0 for no hedging.
    init(percent: Int) {
        self.percent = max(0, percent)
        hundredths = percent > 0 ? Self.most * 100 : 0
    }

    /// Notes readers that are needed anyway.
    mutating func begun(_ readers: Int) {
        hundredths = min(Self.most * 100, hundredths + readers * percent)
    }

    /// Takes as many of the readers asked for as there are.
    mutating func take(_ readers: Int) -> Int {
        let granted = min(readers, hundredths / 100)
        hundredths -= granted * 100
        return granted
    }

    /// Readers that could be begun now.
    var left: Double { Double(hundredths) / 100 }
}
