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

    /// Records one refused key of a request that goes on.
    package func refuse(
        _ request: RequestContext, _ error: S3Error, bucket: String, key: ObjectKey, suffix: String
    ) async {
        do throws(S3Error) {
            try await record(request.event(in: gateway, bucket: bucket, key: key, error: error, suffix: suffix))
        } catch {
            // The key was refused and stays so; that the log could not be written is told to the operator.
            gateway.metrics.observe(
                GatewayMetrics.Observation(
                    requestID: request.id, operation: "AuditLog", status: 503, errorCode: error.code.name,
                    reason: "a refusal could not be recorded", bucket: bucket, bytesIn: 0, bytesOut: 0,
                    nanoseconds: 0))
        }
    }
}
