/// Removes a configuration that no bucket has yet, which succeeds as it does in S3 where there is none.
///
/// Source: the pages of the operations that `UnsetBucketSetting.removal` names.
package enum DeleteBucketSetting: Operation {
    package static let name = "DeleteBucketSetting"
    package static let isReadOnly = false

    /// What it is asked.
    package struct Input: Sendable, Hashable {
        package var bucket: String
        package var setting: UnsetBucketSetting
        package var removal: UnsetBucketSetting.Removal

        package init(bucket: String, setting: UnsetBucketSetting, removal: UnsetBucketSetting.Removal) {
            (self.bucket, self.setting, self.removal) = (bucket, setting, removal)
        }
    }

    /// What it answers: nothing.
    package struct Output: Sendable, Hashable {
        package init() {}
    }

    package static func accesses(of input: Input) -> [RequiredAccess] {
        [RequiredAccess(input.removal.action, bucket: input.bucket)]
    }
}
