import Audit
import Configuration
import Gateway
import Metadata
import Primitives
import RemoteStore
import S3Model
import Storage
import Workers

/// How the objects of an existing bucket are shown, moved and let go.
extension BackendDesk {
    /// Shows the objects of a bucket of another service in one of ours; the gateway works on it.
    ///
    /// - Throws: `invalid`, `conflict`, `refused` where the bucket cannot be listed, `unavailable`.
    func adopt(_ declaration: BackendDeclaration, _ recording: Recording) async throws(BackendError) -> BackendView {
        try await alone { () throws(BackendError) in
            var record = try declaration.record()
            let credentials = try declaration.checkedCredentials()
            let bucket = declaration.adoptedAs ?? record.bucket
            guard BucketName.isValid(bucket) else { throw .invalid("`\(bucket)` is no name of a bucket.") }
            try await refuseTwins(of: record)
            try await refuseSelf(record, credentials)
            let vault = try vault()
            let remote: RemoteStore
            do throws(StartError) {
                try vault.seal(credentials, into: &record)
            } catch {
                throw BackendError(.unavailable, error.description)
            }
            do throws(StorageError) {
                remote = try vault.store(record)
                // Whether it lets itself be read is found before anything is decided.
                _ = try await remote.objectKeys(from: nil)
            } catch {
                throw BackendError(.refused, "The bucket cannot be listed: \(error).")
            }
            let number = try await registry().sources.keys.max().map { $0 + 1 } ?? 0
            let source = SourceRecord(backend: record, bucket: bucket, adopted: launch.environment.now())
            var parameters = Self.parameters(record, number)
            parameters["store"] = nil
            (parameters["source"], parameters["bucketName"]) = (String(number), bucket)
            let (conditions, mutations) = try await making(bucket)
            try await commit(
                conditions + [.absent(Keys.source(number))],
                mutations + [.put(Keys.source(number), source.encoded)], [recording("AdoptBucket", parameters)])
            if let live { live.adopted.attach(remote, as: number) } else { remote.close() }
            return sourceView(number, source)
        }
    }

    /// What makes the bucket, where there is none.
    private func making(_ bucket: String) async throws(BackendError) -> ([Condition], [Mutation]) {
        let account = launch.configuration.accountID
        guard let entry = try await entry(Keys.bucket(bucket)) else {
            let record = BucketRecord(
                id: BucketID(launch.environment.random()), account: account, created: launch.environment.now())
            return ([.absent(Keys.bucket(bucket))], [.put(Keys.bucket(bucket), record.encoded)])
        }
        let owner: String
        do throws(RecordError) {
            owner = try BucketRecord(encoded: entry.value).account
        } catch {
            throw BackendError(.unavailable, "The index: \(error)")
        }
        guard owner.utf8.elementsEqual(account.utf8) else {
            throw BackendError(.conflict, "The bucket `\(bucket)` belongs to another account.")
        }
        return ([.version(entry.key, entry.version)], [])
    }

    /// The adopted bucket of this name; nil where that is another backend's, or nobody's.
    func findSource(_ name: String) async throws(BackendError) -> (number: UInt16, record: SourceRecord)? {
        for (number, record) in try await registry().sources where record.standing != .detached {
            if record.backend.name.utf8.elementsEqual(name.utf8) { return (number, record) }
        }
        return nil
    }

    func sourceView(_ number: UInt16, _ record: SourceRecord) -> BackendView {
        BackendView(record, left: record.standing == .moving ? live?.adopted.left(of: number) : nil)
    }

    /// Has what is shown moved into the pool. Returns at once; the gateway works on it.
    func moveAdopted(
        _ number: UInt16, _ record: SourceRecord, _ recording: Recording
    ) async throws(BackendError) -> BackendView {
        switch record.standing {
        case .listing:
            throw BackendError(.conflict, "`\(record.backend.name)` is still being gone through; try again.")
        case .moving, .detached: return sourceView(number, record)
        case .shown: break
        }
        var changed = record
        changed.standing = .moving
        try await replace(number, record, changed, recording("DrainBackend", Self.parameters(record.backend, number)))
        return sourceView(number, changed)
    }

    /// Lets go of an adopted bucket from which nothing is served any more. What lies in it stays there.
    func detachAdopted(
        _ number: UInt16, _ record: SourceRecord, _ recording: Recording
    ) async throws(BackendError) -> BackendView {
        let left: Int
        do throws(AdoptionError) {
            left = try await Adoption.countRuns(of: number, in: commits.index)
        } catch {
            throw BackendError(.unavailable, "\(error)")
        }
        guard left == 0, record.standing != .listing else {
            let name = record.backend.name
            throw BackendError(
                .conflict,
                record.standing == .listing
                    ? "`\(name)` is still being gone through; try again."
                    : "\(Counted(left, "object")) are still served from `\(name)`; `tidegate backend drain \(name)` "
                        + "moves them into the pool.")
        }
        var gone = record
        gone.standing = .detached
        gone.backend.credentials = []
        try await replace(number, record, gone, recording("DetachBackend", Self.parameters(record.backend, number)))
        live?.adopted.detach(number)
        return sourceView(number, gone)
    }

    func replace(
        _ number: UInt16, _ known: SourceRecord, _ next: SourceRecord, _ record: AuditRecord
    ) async throws(BackendError) {
        guard let entry = try await entry(Keys.source(number)), entry.value == known.encoded else {
            throw BackendError(.conflict, "The backend was changed meanwhile; look at it again.")
        }
        try await commit([.version(entry.key, entry.version)], [.put(entry.key, next.encoded)], [record])
    }
}
