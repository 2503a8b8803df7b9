package import Metadata
package import Primitives
package import Storage

/// Objects of other services that were adopted and stay where they are.
package protocol ForeignObjects: Sendable {
    /// Writes the bytes of a range of the object to a sink in order.
    ///
    /// - Throws: `unavailable` where the service does not answer, the object is another one by now or is gone; `sink`.
    func read(
        _ place: ForeignPlace, range: Range<Int64>, into sink: inout any BodySink
    ) async throws(StorageError)
}

/// Of a gateway that has adopted nothing.
package struct NoForeignObjects: ForeignObjects {
    package init() {}

    package func read(
        _ place: ForeignPlace, range: Range<Int64>, into sink: inout any BodySink
    ) async throws(StorageError) {
        throw .unavailable("the adopted bucket \(place.source) is not attached")
    }
}
