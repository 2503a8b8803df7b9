import Primitives
import S3Model

/// Header fields that several answers share.
enum ResponseHeaders {
    static func version(_ id: VersionID?, _ response: inout WireResponse) {
        response.fields["x-amz-version-id"] = id?.description
    }

    static func checksum(_ checksum: Checksum?, _ response: inout WireResponse, withType: Bool = true) {
        guard let checksum else { return }
        response.fields[ChecksumDecoding.headerName(checksum.algorithm)] = checksum.value
        if withType { response.fields["x-amz-checksum-type"] = checksum.isComposite ? "COMPOSITE" : "FULL_OBJECT" }
    }

    /// The head of an answer to GetObject and HeadObject. `content-length` is set by whoever sends the bytes.
    static func object(_ output: ObjectRead.Output, for input: ObjectRead.Input) -> WireResponse {
        let (summary, range, partNumber) = (output.summary, output.range, input.partNumber)
        var response = WireResponse(status: range == nil && partNumber == nil ? 200 : 206)
        var fields = HeaderFields(capacity: 16)
        fields.append("accept-ranges", "bytes")
        fields.append("last-modified", summary.modified.httpDate)
        fields.append("etag", "\"\(summary.etag)\"")
        var headers = summary.attributes.headers
        headers["content-type"] = headers["content-type"] ?? "binary/octet-stream"
        headers.merge(input.overrides) { _, override in override }
        for (name, value) in headers.sorted(by: { $0.key < $1.key }) { fields.append(name, value) }
        for (name, value) in summary.attributes.metadata.sorted(by: { $0.key < $1.key }) {
            fields.append("x-amz-meta-" + name, value)
        }
        if let storageClass = summary.attributes.storageClass { fields.append("x-amz-storage-class", storageClass) }
        if output.tagCount > 0 { fields.append("x-amz-tagging-count", String(output.tagCount)) }
        if partNumber != nil, let count = summary.partCount { fields.append("x-amz-mp-parts-count", String(count)) }
        if let recovered = summary.recovered { fields.append("x-tidegate-recovered", recovered.iso8601) }
        let length = range.map { $0.upperBound - $0.lowerBound } ?? summary.size
        fields.append("content-length", String(length))
        if let range, !range.isEmpty {
            fields.append("content-range", "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(summary.size)")
        }
        response.fields = fields
        version(summary.versionID, &response)
        if input.wantsChecksum { checksum(output.checksum, &response) }
        return response
    }
}
