import Cryptography
package import Metadata
import Primitives
package import S3Model

/// Which parts make an object, and what they make of its ETag and checksum: pure functions.
package enum PartSelection {
    package struct Chosen: Sendable {
        package var number: Int
        package var part: PartRecord
    }

    /// The parts that a client lists, held against those that there are.
    /// - Throws: `InvalidPartOrder`, `InvalidPart`, `EntityTooSmall`.
    package static func choose(
        _ wanted: [CompleteMultipartUpload.Part], from parts: [(Int, PartRecord)], upload: OpenUpload
    ) throws(S3Error) -> [Chosen] {
        let known = Dictionary(uniqueKeysWithValues: parts)
        var chosen: [Chosen] = []
        for part in wanted {
            if let last = chosen.last, part.number <= last.number { throw S3Error(.invalidPartOrder) }
            guard let stored = known[part.number], part.etag.utf8.elementsEqual(stored.etag.utf8) else {
                throw S3Error(
                    .invalidPart,
                    details: [
                        S3Error.Detail("UploadId", upload.id.description),
                        S3Error.Detail("PartNumber", String(part.number)), S3Error.Detail("ETag", part.etag),
                    ])
            }
            try check(part, against: stored, upload: upload)
            chosen.append(Chosen(number: part.number, part: stored))
        }
        for part in chosen.dropLast() where part.part.size < ServiceLimits.leastPartSize {
            throw S3Error(
                .entityTooSmall,
                details: [
                    S3Error.Detail("ProposedSize", String(part.part.size)),
                    S3Error.Detail("MinSizeAllowed", String(ServiceLimits.leastPartSize)),
                    S3Error.Detail("PartNumber", String(part.number)), S3Error.Detail("ETag", part.part.etag),
                ])
        }
        return chosen
    }

    private static func check(
        _ part: CompleteMultipartUpload.Part, against stored: PartRecord, upload: OpenUpload
    ) throws(S3Error) {
        for (algorithm, value) in part.checksums {
            guard let checksum = stored.checksum, checksum.algorithm == algorithm else {
                guard upload.record.checksumAlgorithm != nil else { continue }
                throw S3Error(.invalidPart)
            }
            guard checksum.value == value else { throw S3Error(.invalidPart) }
        }
        if upload.record.isComposite, upload.record.checksumAlgorithm != nil, part.checksums.isEmpty {
            throw S3Error(
                .invalidRequest,
                "The upload was created using a \(upload.record.checksumAlgorithm?.lowercased() ?? "") checksum. "
                    + "The complete request must include the checksum for each part. It was missing for part "
                    + "\(part.number) in the request."
            )
        }
    }

    /// The MD5 of the parts' MD5s, and their number.
    package static func etag(_ chosen: [Chosen]) throws(S3Error) -> String {
        var digests: [UInt8] = []
        for part in chosen {
            guard let digest = Hex.decode(part.part.etag) else {
                throw S3Error.damagedRecord("the ETag of a part does not parse")
            }
            digests += digest
        }
        return Hex.encode(Digest.hash(.md5, digests)) + "-\(chosen.count)"
    }

    /// The checksum of the whole: of the parts' checksums, or combined from them.
    package static func checksum(_ chosen: [Chosen], upload: OpenUpload) throws(S3Error) -> StoredChecksum? {
        let algorithm = try ObjectWriter.algorithm(upload.record.checksumAlgorithm)
        var values: [[UInt8]] = []
        for part in chosen {
            // A part may have another algorithm than the default where its client chose one for that part alone; then
            // the whole has no checksum.
            guard let checksum = part.part.checksum, checksum.algorithm == algorithm.rawValue else { return nil }
            values.append(checksum.value)
        }
        if upload.record.isComposite {
            return StoredChecksum(
                algorithm: algorithm.rawValue, value: Digest.hash(algorithm, Array(values.joined())), isComposite: true)
        }
        var whole = values.first ?? []
        for (value, part) in zip(values, chosen).dropFirst() {
            guard let combined = ChecksumCombiner.combine(algorithm, whole, value, secondLength: part.part.size) else {
                return nil
            }
            whole = combined
        }
        return StoredChecksum(algorithm: algorithm.rawValue, value: whole, isComposite: false)
    }

    /// Holds the object's checksum against the one that the client gives for it.
    package static func check(
        _ checksum: StoredChecksum?, against request: ChecksumRequest, upload: OpenUpload
    ) throws(S3Error) {
        if let isComposite = request.isComposite, isComposite != upload.record.isComposite {
            throw S3Error(
                .invalidRequest, "The upload was created using another checksum type than the one of this request.")
        }
        guard let expected = request.value, let algorithm = request.algorithm else { return }
        guard let checksum, checksum.algorithm == algorithm, checksum.value == expected else {
            throw S3Error(
                .badDigest, "The \(algorithm.lowercased()) you specified did not match the calculated checksum.")
        }
    }
}
