import Foundation
import FuzzTargets

/// The parser that this process feeds, chosen by its environment.
enum Subject {
    static let name = ProcessInfo.processInfo.environment["FUZZ_TARGET"]
    static let target = name.flatMap { FuzzTarget.named($0) }

    /// Ends the process where a property does not hold.
    static func feed(_ bytes: [UInt8]) {
        do {
            _ = try target?.run(bytes)
        } catch {
            fatalError("\(error)")
        }
    }
}
