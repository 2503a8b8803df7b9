import Storage

/// A call of the operating system that failed.
struct SystemError: Error, Sendable, CustomStringConvertible {
    /// The error number.
    let number: Int32
    /// The name of the call.
    let call: StaticString

    var description: String { "\(call): \(LinuxCalls.describe(number))" }

    /// What a caller of the store is told: no room, or no service.
    var storageError: StorageError {
        switch number {
        case LinuxCalls.noSpace, LinuxCalls.quota: .full
        default: .unavailable(description)
        }
    }

    var isNotFound: Bool { number == LinuxCalls.notFound || number == LinuxCalls.notDirectory }

    /// Whether a name led over a symbolic link or out of the root, which our own files never do.
    var isEscape: Bool { number == LinuxCalls.isLink || number == LinuxCalls.crosses }

    /// Runs calls whose failures are the store's.
    static func translated<Value>(_ work: () throws(SystemError) -> Value) throws(StorageError) -> Value {
        do throws(SystemError) {
            return try work()
        } catch {
            throw error.storageError
        }
    }
}
