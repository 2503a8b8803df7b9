import Primitives

/// How the body of an answer is delimited (RFC 9112 §6.3).
package enum ResponseFraming: Equatable, Sendable {
    /// No body may follow: an answer to `HEAD`, or a status without one. The length is announced where it is known and
    /// the status may carry it.
    case bodiless(announcedLength: Int64?)
    case length(Int64)
    case chunked
    /// The end of the connection ends the body: HTTP/1.0 and a length that is not known.
    case untilClose

    /// The framing for an answer with `length` bytes of body, or an unknown number of them where nil.
    package init(length: Int64?, status: Int, isHead: Bool, minorVersion: Int) {
        if isHead {
            self = .bodiless(announcedLength: length)
        } else if status == 204 || status == 304 {
            self = .bodiless(announcedLength: nil)
        } else if let length {
            self = .length(length)
        } else {
            self = minorVersion == 1 ? .chunked : .untilClose
        }
    }
}
