#if PLANTED_BUGS
    import Metadata
    internal import Synchronization

    /// What `PlantedBug.staleListing` needs: the page that was read the last time for the same bounds.
    package enum StaleListing {
        private static let pages = Mutex<[Range<KeyBound>: Page]>([:])

        /// The page that was read before this one, and remembers this one.
        static func page(_ range: Range<KeyBound>, instead fresh: Page) -> Page {
            pages.withLock { pages in
                defer { pages[range] = fresh }
                return pages[range] ?? fresh
            }
        }

        /// Another deployment comes: nothing of this one is to be seen there.
        package static func forget() {
            pages.withLock { $0 = [:] }
        }
    }
#endif
