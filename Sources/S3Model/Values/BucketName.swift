/// The rules for names of buckets.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
package enum BucketName {
    /// Whether a bucket may be created under this name.
    package static func isValid(_ name: String) -> Bool {
        let bytes = Array(name.utf8)
        guard (3...63).contains(bytes.count), bytes.allSatisfy(isAllowed), let first = bytes.first,
            let last = bytes.last,
            isAlphanumeric(first), isAlphanumeric(last), !looksLikeAddress(bytes)
        else { return false }
        // Between dots stand labels of a host name, which are not empty and neither begin nor end with a hyphen.
        for (left, right) in zip(bytes, bytes.dropFirst())
        where left == UInt8(ascii: ".") && !isAlphanumeric(right)
            || right == UInt8(ascii: ".") && !isAlphanumeric(left)
        { return false }
        let prefixes = ["xn--", "sthree-", "amzn-s3-demo-"]
        let suffixes = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"]
        return !prefixes.contains { name.utf8.starts(with: $0.utf8) }
            && !suffixes.contains { name.utf8.reversed().starts(with: $0.utf8.reversed()) }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        isAlphanumeric(byte) || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-")
    }

    /// Whether it has the form of an IPv4 address, which no bucket may have.
    private static func looksLikeAddress(_ bytes: [UInt8]) -> Bool {
        let groups = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return groups.count == 4
            && groups.allSatisfy {
                (1...3).contains($0.count) && $0.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            }
    }
}
