import Metadata
import Policy
package import Primitives
package import S3Model
import S3Wire

extension ListBuckets: ServedOperation {
    package static func perform(
        _ input: Input, body: consuming Body, for request: RequestContext, in gateway: Gateway
    ) async throws(S3Error) -> Reply<Output> {
        // Only what the caller may see: buckets of the caller's account (NooBaa 0e5ffbdac).
        let account = request.caller.principal.accountID
        var buckets: [ListedBucket] = []
        var next: String?
        if input.region == nil || input.region == gateway.settings.region {
            var range = Keys.buckets(prefix: input.prefix)
            if let token = input.token {
                let after = KeyBound(
                    Keys.bucket(String(decoding: try ListingDecoding.key(ofToken: token), as: UTF8.self)) + [0])
                range = max(range.lowerBound, after)..<max(range.upperBound, after)
            }
            repeat {
                let page = try await gateway.versions.scan(Scan(range, limit: 1000))
                for entry in page.entries {
                    let record = try decode(entry)
                    guard record.account == account else { continue }
                    if buckets.count == input.limit {
                        next = buckets.last.map { ListingDecoding.token(Array($0.name.utf8)) }
                        break
                    }
                    buckets.append(
                        ListedBucket(
                            name: Keys.bucketName(entry.key), created: record.created, region: gateway.settings.region))
                }
                guard next == nil, let start = page.next else { break }
                range = KeyBound(start)..<range.upperBound
            } while true
        }
        return Reply(Output(owner: gateway.owner(account), buckets: buckets, token: next, prefix: input.prefix))
    }

    private static func decode(_ entry: Entry) throws(S3Error) -> BucketRecord {
        do throws(RecordError) {
            return try BucketRecord(encoded: entry.value)
        } catch {
            throw S3Error.damagedRecord("the record of a bucket does not parse")
        }
    }
}
