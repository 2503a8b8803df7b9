/// A parser, with what must hold of whatever it is fed.
///
/// The fuzzer feeds it bytes that nobody has thought of, and the tests every file of its corpus.
package struct FuzzTarget: Sendable {
    /// What its corpus and its dictionary are called.
    package let name: String
    /// Inputs that it accepts, which a corpus begins with.
    package let examples: @Sendable () throws -> [Example]
    /// Feeds it bytes.
    ///
    /// - Returns: Whether it accepted them.
    /// - Throws: `BrokenProperty`.
    package let run: @Sendable ([UInt8]) throws -> Bool

    /// An input and what it is, which its file is named after.
    package struct Example: Sendable {
        package let name: String
        package let bytes: [UInt8]

        init(_ name: String, _ bytes: some Sequence<UInt8>) {
            (self.name, self.bytes) = (name, Array(bytes))
        }

        init(_ name: String, _ parts: String...) {
            self.init(name, parts.joined().utf8)
        }
    }

    init(
        _ name: String, examples: @escaping @Sendable () throws -> [Example],
        run: @escaping @Sendable ([UInt8]) throws -> Bool
    ) {
        (self.name, self.examples, self.run) = (name, examples, run)
    }

    /// Every parser that is fed.
    package static let all: [FuzzTarget] =
        [requestHead, connection, chunked, awsChunked, signatureClaim, signatureCoverage, operation, form, postPolicy]
        + [range, xml, xmlDelete, xmlComplete, xmlTagging, xmlVersioning, xmlPublicAccess, xmlCreateBucket]
        + [xmlAccessControl, json, time, policy, policyPattern, configuration]
        + [metadataRecord, indexKey, mutations, backupFrame, packRecord, shardHeader, shardFooter, segmentSlot]
        + [auditRecord, auditChain, crushMap, listingPage]

    package static func named(_ name: String) -> FuzzTarget? {
        all.first { $0.name == name }
    }
}

/// Something that must hold of a parser did not.
package struct BrokenProperty: Error, CustomStringConvertible {
    package let description: String
}

/// - Throws: `BrokenProperty` where the condition does not hold.
func require(_ condition: Bool, _ what: @autoclosure () -> String) throws(BrokenProperty) {
    guard condition else { throw BrokenProperty(description: what()) }
}

/// - Throws: `BrokenProperty` where there is nothing.
func require<Value>(_ value: Value?, _ what: @autoclosure () -> String) throws(BrokenProperty) -> Value {
    guard let value else { throw BrokenProperty(description: what()) }
    return value
}
