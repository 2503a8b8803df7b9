import Pools
import Testing

/// A fault of the proxies, and what is to come of it.
struct Lie<Outcome: Sendable>: Sendable, CustomTestStringConvertible {
    let name: String
    /// As JSON, the members of `Tests/Remote/faults.py`.
    let fault: String
    let outcome: Outcome

    init(_ name: String, _ fault: String, _ outcome: Outcome) {
        (self.name, self.fault, self.outcome) = (name, "{\(fault)}", outcome)
    }

    var testDescription: String { name }
}

/// What a read comes to; its bytes are right in any case.
enum ReadOutcome: Sendable {
    /// Reads tell of damage of one of these kinds, and a scrub finds the shard.
    case damage(Set<ShardDamage.Kind>)
    /// The store is asked again, or is right after all: neither reads nor scrubs have anything to tell.
    case passes
    /// Reads go round the store. A scrub waits for it, and finds nothing.
    case late
}

extension Lie where Outcome == ReadOutcome {
    static let aboutReading: [Lie] = [
        get("cut off, and says so", #""kind": "truncate", "at": -1"#, .damage([.unavailable])),
        get("a little of it, and says so", #""kind": "truncate", "at": 2"#, .damage([.unavailable])),
        get(
            "breaks off", #""kind": "truncate", "at": 0, "honest": false, "closes": true"#, .damage([.unavailable])),
        get(
            "breaks off once",
            #""kind": "truncate", "at": 3, "honest": false, "closes": true, "times": 1"#, .passes),
        get("a bit", #""kind": "flip""#, .damage([.corrupt])),
        get("many bits", #""kind": "flip", "at": 0, "count": 10000"#, .damage([.corrupt])),
        get("more bytes", #""kind": "append", "count": 10"#, .damage([.unavailable])),
        get("more bytes than it says", #""kind": "append", "count": 10, "honest": false"#, .passes),
        get("another shard", #""kind": "swap""#, .damage([.corrupt])),
        get("what was there before", #""kind": "stale""#, .damage([.missing])),
        get("an error behind 200", #""kind": "error""#, .damage([.unavailable])),
        get("an error", #""kind": "error", "status": 500"#, .damage([.unavailable])),
        get("an error once", #""kind": "error", "status": 500, "times": 2"#, .passes),
        get("no access", #""kind": "error", "status": 403, "code": "AccessDenied""#, .damage([.unavailable])),
        get("no bucket", #""kind": "error", "status": 404, "code": "NoSuchBucket""#, .damage([.unavailable])),
        get("no key", #""kind": "error", "status": 404, "code": "NoSuchKey""#, .damage([.missing])),
        get("a page", #""kind": "html""#, .damage([.unavailable])),
        get("slow down", #""kind": "throttle", "seconds": 30"#, .damage([.unavailable])),
        get("slow down once", #""kind": "throttle", "times": 2"#, .passes),
        get("reset", #""kind": "reset", "at": 0"#, .damage([.unavailable])),
        get("reset once", #""kind": "reset", "at": 300, "times": 1"#, .passes),
        get("cut before the answer", #""kind": "cut""#, .damage([.unavailable])),
        get("slow", #""kind": "slow", "seconds": 0.4"#, .late),
        Lie("refuses", #""kind": "refuse""#, .damage([.unavailable])),
    ]

    private static func get(_ name: String, _ fault: String, _ outcome: ReadOutcome) -> Lie {
        Lie(name, #""operation": "GetObject", "# + fault, outcome)
    }
}

/// Where the shards of an acknowledged write are.
enum WriteOutcome: Sendable {
    /// Where they belong.
    case home
    /// On stores that did not lie.
    case elsewhere
    /// Nowhere: a scrub finds that.
    case lost
}

extension Lie where Outcome == WriteOutcome {
    /// What is sent in one request.
    static let aboutWriting: [Lie] = [
        put("lost", #""kind": "lost""#, .lost),
        put("done, and cut before the answer", #""kind": "cut""#, .home),
        put("done, and an error", #""kind": "error", "status": 500, "forwards": true"#, .home),
        put("an error", #""kind": "error", "status": 500"#, .elsewhere),
        put("an error once", #""kind": "error", "status": 500, "times": 1"#, .home),
        put("no access", #""kind": "error", "status": 403, "code": "AccessDenied""#, .elsewhere),
        put("full", #""kind": "error", "status": 507, "code": "QuotaExceeded""#, .elsewhere),
        put("an error behind 200", #""kind": "error""#, .elsewhere),
        put("no access behind 200", #""kind": "error", "code": "AccessDenied""#, .elsewhere),
        put("done, and an error behind 200", #""kind": "error", "forwards": true"#, .home),
        put("a page", #""kind": "html""#, .elsewhere),
        put("done, and a page", #""kind": "html", "forwards": true"#, .home),
        put("slow down", #""kind": "throttle", "seconds": 30"#, .elsewhere),
        put("slow down once", #""kind": "throttle", "times": 1"#, .home),
        put("reset", #""kind": "reset", "at": 100, "where": "request""#, .elsewhere),
        put("slow", #""kind": "slow", "seconds": 0.3, "where": "request""#, .home),
        Lie("refuses", #""kind": "refuse""#, .elsewhere),
    ]

    /// What is sent in parts.
    static let aboutParts: [Lie] = [
        part("UploadPart", "a lost part", #""kind": "lost""#, .elsewhere),
        part("UploadPart", "a part with an error behind 200", #""kind": "error""#, .elsewhere),
        part("UploadPart", "a part that is reset", #""kind": "reset", "at": 100, "where": "request""#, .elsewhere),
        part("CompleteMultipartUpload", "a lost completion", #""kind": "lost""#, .lost),
        part("CompleteMultipartUpload", "a completion with an error behind 200", #""kind": "error""#, .elsewhere),
        part(
            "CompleteMultipartUpload", "done, with an error behind 200", #""kind": "error", "forwards": true"#, .home),
        part("CompleteMultipartUpload", "done, and cut before the answer", #""kind": "cut""#, .home),
        part("CompleteMultipartUpload", "a completion with a page", #""kind": "html""#, .elsewhere),
        part("CreateMultipartUpload", "an upload with a page", #""kind": "html""#, .elsewhere),
    ]

    private static func put(_ name: String, _ fault: String, _ outcome: WriteOutcome) -> Lie {
        Lie(name, #""operation": "PutObject", "# + fault, outcome)
    }

    private static func part(
        _ operation: String, _ name: String, _ fault: String, _ outcome: WriteOutcome
    ) -> Lie {
        Lie(name, #""operation": "\#(operation)", "# + fault, outcome)
    }
}

/// What a listing of a store that lies comes to.
enum ListingOutcome: Sendable {
    /// It is named.
    case named
    /// It cannot be told from a right one by itself, and has less in it.
    case less
}

extension Lie where Outcome == ListingOutcome {
    static let aboutListing: [Lie] = [
        list("in disorder", #""kind": "reordered""#, .named),
        list("twice the same", #""kind": "duplicated""#, .named),
        list("another's key", #""kind": "outside""#, .named),
        list("the same page again", #""kind": "endless""#, .named),
        list("nobody's keys without end", #""kind": "onward""#, .named),
        list("cut off", #""kind": "truncate", "at": -9"#, .named),
        list("more bytes", #""kind": "append", "count": 20"#, .named),
        list("an error behind 200", #""kind": "error""#, .named),
        list("an error", #""kind": "error", "status": 500"#, .named),
        list("a page", #""kind": "html""#, .named),
        list("slow down", #""kind": "throttle", "seconds": 30"#, .named),
        list("without some", #""kind": "missing""#, .less),
        list("what was there before", #""kind": "stale""#, .less),
    ]

    private static func list(_ name: String, _ fault: String, _ outcome: ListingOutcome) -> Lie {
        Lie(name, #""operation": "ListObjectsV2", "# + fault, outcome)
    }
}

/// What a removal comes to.
enum RemovalOutcome: Sendable {
    case done
    /// It is acknowledged, and the shard is there still: an orphan, which a listing shows.
    case orphan
    /// It is refused, and done when it is repeated.
    case refused
}

extension Lie where Outcome == RemovalOutcome {
    static let aboutRemoving: [Lie] = [
        remove("lost", #""kind": "lost""#, .orphan),
        remove("done, and cut before the answer", #""kind": "cut", "times": 2"#, .done),
        remove("an error", #""kind": "error", "status": 500"#, .refused),
        remove("an error behind 200", #""kind": "error", "code": "AccessDenied""#, .refused),
        remove("done, and an error behind 200", #""kind": "error", "forwards": true, "times": 1"#, .done),
        remove("a page", #""kind": "html""#, .refused),
        remove("no bucket", #""kind": "error", "status": 404, "code": "NoSuchBucket""#, .refused),
    ]

    private static func remove(_ name: String, _ fault: String, _ outcome: RemovalOutcome) -> Lie {
        Lie(name, #""operation": "DeleteObject", "# + fault, outcome)
    }
}
