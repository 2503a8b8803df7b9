/// How a remote store works: its bounds, and how its backend is reached.
package struct RemoteStoreSettings: Sendable {
    package var transfer = TransferSettings()
    package var retry = RetryPolicy()
    /// A blob of at most so many bytes is held in memory and sent by one request, which can be made again.
    package var bufferedBytes = 1 << 20
    /// A longer one whose length is known goes out as it comes, by one request of at most so many bytes. Over plain
    /// HTTP none does (the page RemoteStore of Decisions).
    package var streamedBytes: Int64 = 1 << 30
    /// Any other goes out in parts of so many bytes, two of which are held in memory: one is sent while the next one
    /// fills. S3 wants at least 5 MiB, and at most 10,000 parts.
    package var partBytes = 5 << 20

    package init() {}
}
