extension Range where Bound == KeyBound {
    /// The keys from `lower` and below `upper`: none where `lower` is not below it.
    ///
    /// Bounds that come from a request (a marker behind the end of its prefix) are no trap here, as they are for `..<`.
    package static func keys(from lower: Key, below upper: Key) -> Range<KeyBound> {
        let start = KeyBound(lower)
        return start..<Swift.max(start, KeyBound(upper))
    }

    /// Every key that there can be.
    package static var everything: Range<KeyBound> {
        KeyBound([])..<KeyBound(Key(repeating: 0xFF, count: MetadataLimits.keyLength + 1))
    }
}
