import Primitives

/// Where things lie in a store's directory.
///
/// ```
/// lock        held by the process that has the store open
/// identity    whose the store is
/// tmp/        files that are being written: <16 hexadecimal digits>-<number>.part
/// segments/   small blobs, many to a file: <number, 16 digits>.segment
/// files/      other blobs: <the first 23 digits of the name>/<the name, 34 or 38 digits>
/// ```
///
/// The 23 digits hold kind, epoch and all but 12 bits of the counter: a directory holds what one writer drew in a row
/// (4,096 blobs, and the shards and attempts of each), directories and files sort as names do, and writers that work at
/// the same time mostly share a directory and with it the syncs of it.
enum FileLayout {
    static let lock = "lock"
    static let identity = "identity"
    static let temporary = "tmp"
    static let files = "files"
    static let segments = "segments"

    private static let temporarySuffix = ".part"
    private static let prefixDigits = 23

    /// The directory, below `files`, of a blob.
    static func directory(of name: BlobName) -> String {
        String(decoding: name.description.utf8.prefix(prefixDigits), as: UTF8.self)
    }

    /// The path, below `files`, of a blob.
    static func path(of name: BlobName) -> String {
        "\(directory(of: name))/\(name)"
    }

    /// Whether a name below `files` may be a directory of ours.
    static func isDirectory(_ name: String) -> Bool {
        name.utf8.count == prefixDigits && name.utf8.allSatisfy(isDigit)
    }

    /// The name of a temporary file.
    static func temporary(_ session: UInt64, _ number: UInt64) -> String {
        "\(digits(session))-\(number)\(temporarySuffix)"
    }

    /// The name of a segment.
    static func segment(_ number: UInt64) -> String {
        "\(digits(number)).segment"
    }

    /// The number of a segment; nil for a name below `segments` that is none of ours.
    static func segmentNumber(_ name: String) -> UInt64? {
        guard name.utf8.count == 24, name.utf8.prefix(16).allSatisfy(isDigit),
            name.utf8.suffix(8).elementsEqual(".segment".utf8)
        else { return nil }
        return Hex.decode(Substring(name.utf8.prefix(16)))?.reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static func digits(_ number: UInt64) -> String {
        Hex.encode(stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: number >> UInt64($0)) })
    }

    /// Whether a name in `tmp` is one that `temporary` gives. Others are not ours to remove.
    static func isTemporary(_ name: String) -> Bool {
        let bytes = Array(name.utf8)
        guard bytes.count > 22, bytes[..<16].allSatisfy(isDigit), bytes[16] == UInt8(ascii: "-") else { return false }
        guard bytes.suffix(5).elementsEqual(temporarySuffix.utf8) else { return false }
        return bytes[17..<(bytes.count - 5)].allSatisfy { (0x30...0x39).contains($0) }
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
    }
}
