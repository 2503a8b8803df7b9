package import Audit
package import Primitives
package import S3Model

/// Writes the records of what changed nothing: reads, refusals, failures.
package struct Recorder: Sendable {
    private let gateway: Gateway

    package init(_ gateway: Gateway) {
        self.gateway = gateway
    }

    /// Records a request that was answered without a commit.
    /// - Throws: `ServiceUnavailable` where the log takes no records: then nothing is answered either.
    package func record(_ event: AuditEvent) async throws(S3Error) {
        do {
            _ = try await gateway.audit.append(AuditRecord(event), durability: gateway.settings.auditDurability)
        } catch {
            throw S3Error.hidden(.serviceUnavailable, "audit: \(error)")
        }
    }

    /// Records one refused key of a request that goes on, which then needs no record of its own.
    ///
    /// - Returns: what the client is told of the key: `error`, or that the service is not available where the log took
    ///   no record.
    package func refuse(
        _ request: RequestContext, _ error: S3Error, bucket: String, key: ObjectKey, suffix: String
    ) async -> S3Error {
        do throws(S3Error) {
            // A commit whose outcome nobody knows may have put a record of this name into the outbox.
            let suffix = request.isUndecided ? suffix + "-failed" : suffix
            try await record(request.event(in: gateway, bucket: bucket, key: key, error: error, suffix: suffix))
            request.markRecorded()
            return error
        } catch let failure {
            gateway.metrics.observe(
                GatewayMetrics.Observation(
                    requestID: request.id, operation: "AuditLog", status: 503, errorCode: failure.code.name,
                    reason: "a refusal could not be recorded", bucket: bucket, key: key.description,
                    peerAddress: request.incoming.peerAddress, bytesIn: 0, bytesOut: 0,
                    nanoseconds: 0))
            return failure
        }
    }
}
