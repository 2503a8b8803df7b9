/// Whether two byte strings are the same, in a time that tells nothing of where they differ (only whether their
/// lengths do).
package func constantTimeEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    OpenSSLFunctions.equal(left.span, right.span)
}
