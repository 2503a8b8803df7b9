import FoundationEssentials
import Metadata
import NIOCore
import RemoteStore

/// What comes from services that a pool is made of, and from their operators.
extension FuzzTarget {
    /// What `ceph osd crush dump` gives.
    static let crushMap = FuzzTarget("crush-map") {
        let types = #""types":[{"type_id":0,"name":"osd"},{"type_id":1,"name":"host"},{"type_id":10,"name":"root"}]"#
        let hosts =
            #"{"id":-1,"name":"root","type_name":"root","items":[{"id":-2},{"id":-3}]},"#
            + #"{"id":-2,"name":"a","type_name":"host","items":[{"id":0},{"id":1}]},"#
            + #"{"id":-3,"name":"b~ssd","type_name":"host","items":[{"id":2}]}"#
        let steps =
            #"{"op":"take","item":-1},{"op":"chooseleaf_firstn","num":0,"type":"host"},{"op":"emit"}"#
        let rule = #""rules":[{"rule_name":"r","steps":[\#(steps)]}]"#
        return [
            Example("whole", "{\(types),\"buckets\":[\(hosts)],\(rule)}"),
            Example("empty", #"{"types":[],"buckets":[],"rules":[]}"#),
            Example(
                "circle", #"{"types":[],"rules":[],"buckets":[{"id":-1,"name":"a","type_name":"b","#,
                #""items":[{"id":-1}]}]}"#),
            Example("no-rules", "{\(types),\"buckets\":[\(hosts)]}"),
        ]
    } run: { bytes in
        guard let map = decoded(CrushMap.self, bytes) else { return false }
        let again = decoded(CrushMap.self, Array(try JSONEncoder().encode(map)))
        try require(again == map, "another map once it is written")
        let domains: CrushDomains
        do throws(CrushError) {
            domains = try CrushDomains(map)
        } catch {
            try require(!error.description.isEmpty, "a map that is refused without a word")
            return false
        }
        let found = map.ruleNames.compactMap { rule in
            Result { () throws(CrushError) in try domains.domains(ofRules: [rule], cluster: "c") }.success
        }
        for domains in found {
            try require(!domains.isEmpty && Set(domains).count == domains.count, "a rule without domains, or one twice")
            try require(domains.allSatisfy { $0.hasPrefix("c/") }, "a domain of no cluster")
        }
        return !found.isEmpty
    }

    /// A page of the listing of a backend.
    static let listingPage = FuzzTarget("listing-page") {
        let entries =
            "<Contents><Key>p/b</Key><Size>3</Size></Contents><Contents><Key>p/c%20+</Key><Size>0</Size></Contents>"
        return [
            Example("last", "<ListBucketResult><IsTruncated>false</IsTruncated>\(entries)</ListBucketResult>"),
            Example(
                "more",
                "<ListBucketResult><IsTruncated>true</IsTruncated><EncodingType>url</EncodingType>\(entries)",
                "<NextContinuationToken>t</NextContinuationToken></ListBucketResult>"),
            Example("endless", "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>"),
            Example(
                "backwards", "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>p/a</Key>",
                "<Size>1</Size></Contents></ListBucketResult>"),
        ]
    } run: { bytes in
        let after = Array("p/a".utf8)
        let read = Result { () throws(ListingPage.Wrong) in
            try ListingPage(ByteBuffer(bytes: bytes), prefix: "p/", after: after)
        }
        switch read {
        case .success(let page):
            var last = after
            for entry in page.entries {
                try require(last.lexicographicallyPrecedes(entry.key), "a page whose keys go back")
                try require(entry.key.starts(with: "p/".utf8) && entry.size >= 0, "an entry that is none")
                last = entry.key
            }
            try require(page.token?.isEmpty != true, "a page that goes on nowhere")
            return true
        case .failure(let wrong):
            try require(!wrong.detail.isEmpty, "a page that is refused without a word")
            return false
        }
    }

    private static func decoded<Value: Decodable>(_ type: Value.Type, _ bytes: [UInt8]) -> Value? {
        // What is no JSON, or another document, is refused by the command in its own words.
        try? JSONDecoder().decode(type, from: Data(bytes))
    }
}

extension Result {
    /// What came of it; nil where it failed.
    fileprivate var success: Success? {
        if case .success(let value) = self { value } else { nil }
    }
}
