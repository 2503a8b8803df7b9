package import Primitives

/// Deletes up to 1,000 objects; each is authorised, done and recorded by itself.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>
package enum DeleteObjects: Operation {
    package static let name = "DeleteObjects"
    package static let isReadOnly = false

    /// What it is asked.
    package struct Input: Sendable, Hashable {
        package var bucket: String
        package var items: [Item]
        package var isQuiet: Bool

        package init(bucket: String, items: [Item] = [], isQuiet: Bool) {
            (self.bucket, self.items, self.isQuiet) = (bucket, items, isQuiet)
        }
    }

    /// What it answers.
    package struct Output: Sendable, Hashable {
        package var results: [Result]
        package var isQuiet: Bool

        package init(results: [Result] = [], isQuiet: Bool) {
            (self.results, self.isQuiet) = (results, isQuiet)
        }
    }

    package static func accesses(of input: Input) -> [RequiredAccess] {
        // Every key is authorised by itself while it is deleted (SeaweedFS 8e4022d5c): the request as a whole needs
        // nothing more.
        []
    }

    /// One key to delete.
    package struct Item: Sendable, Hashable {
        package var key: ObjectKey
        package var versionID: VersionID?
        /// The version id as the client wrote it, where it is none of ours.
        package var invalidVersion: String?
        package var preconditions: DeletePreconditions

        package init(
            key: ObjectKey, versionID: VersionID?, invalidVersion: String? = nil,
            preconditions: DeletePreconditions = DeletePreconditions()
        ) {
            (self.key, self.versionID, self.invalidVersion) = (key, versionID, invalidVersion)
            self.preconditions = preconditions
        }
    }

    /// What became of one key.
    package struct Result: Sendable, Hashable {
        package var item: Item
        package var outcome: Outcome

        package enum Outcome: Sendable, Hashable {
            case deleted(DeleteObject.Output)
            case failed(code: String, message: String)
        }

        package init(item: Item, outcome: Outcome) {
            (self.item, self.outcome) = (item, outcome)
        }
    }
}
