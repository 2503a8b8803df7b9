package import Primitives

/// Something that goes wrong in a call of a store.
package enum StoreFault: Sendable {
    /// The call fails and has done nothing.
    case failBefore(StorageError)
    /// The call fails although it has done its work, as when an answer is lost on its way.
    case failAfter(StorageError)
    /// A read delivers at most this many bytes, and then claims to be whole.
    case truncate(Int64)
    /// A read delivers its range with the lowest bit of one byte flipped; the offset counts from the start of the
    /// range.
    case flipBit(at: Int64)
    /// The call begins only after a while of the environment's time.
    case delay(Duration)
}

/// A call of a store, as a plan of faults sees it.
package struct StoreCall: Sendable, Hashable {
    /// Which of the four methods is called.
    package enum Operation: Sendable, Hashable, CaseIterable {
        case write
        case read
        case delete
        case list
    }

    package let operation: Operation
    /// The blob concerned; nil for a listing.
    package let name: BlobName?
    /// 1 for the first call of the store, of whatever operation.
    package let ordinal: Int

    package init(operation: Operation, name: BlobName?, ordinal: Int) {
        (self.operation, self.name, self.ordinal) = (operation, name, ordinal)
    }
}

/// Decides what goes wrong in which call.
package struct FaultPlan: Sendable {
    /// The faults of a call, in the order in which they strike; none for a call that goes well.
    package let faults: @Sendable (StoreCall) -> [StoreFault]

    package init(_ faults: @escaping @Sendable (StoreCall) -> [StoreFault]) {
        self.faults = faults
    }

    /// Nothing goes wrong.
    package static let none = FaultPlan { _ in [] }

    /// The call with this ordinal (1 is the first) goes wrong, and no other.
    package static func call(_ ordinal: Int, _ fault: StoreFault) -> FaultPlan {
        FaultPlan { $0.ordinal == ordinal ? [fault] : [] }
    }

    /// Every call of an operation goes wrong.
    package static func every(_ operation: StoreCall.Operation, _ fault: StoreFault) -> FaultPlan {
        FaultPlan { $0.operation == operation ? [fault] : [] }
    }
}
