/// Answers for a configuration that no bucket has yet, as S3 does for one that was never set.
///
/// Source: the pages of the operations that `UnsetBucketSetting.operation` names.
package enum GetBucketSetting: Operation {
    package static let name = "GetBucketSetting"
    package static let isReadOnly = true

    /// What it is asked.
    package struct Input: Sendable, Hashable {
        package var bucket: String
        package var setting: UnsetBucketSetting

        package init(bucket: String, setting: UnsetBucketSetting) {
            (self.bucket, self.setting) = (bucket, setting)
        }
    }

    /// What it answers.
    package struct Output: Sendable, Hashable {
        package var owner: Owner

        package init(owner: Owner) {
            self.owner = owner
        }
    }

    package static func accesses(of input: Input) -> [RequiredAccess] {
        [RequiredAccess(input.setting.action, bucket: input.bucket)]
    }
}
