/// Starts tasks that no request's own task holds: those that call stores and may outlive whoever wanted the call, where
/// a store hangs, and those that compute beside a request. A simulation replaces it, so that these tasks run on its
/// executor too.
package struct TaskLauncher: Sendable {
    private let start: @Sendable (@escaping @Sendable () async -> Void) -> Task<Void, Never>

    package init(_ start: @escaping @Sendable (@escaping @Sendable () async -> Void) -> Task<Void, Never>) {
        self.start = start
    }

    /// Tasks of the runtime's own pool of threads.
    package static let concurrent = TaskLauncher { work in Task { await work() } }

    package func callAsFunction(_ work: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
        start(work)
    }
}
