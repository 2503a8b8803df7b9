import Configuration
import Logging
import Monitoring
import Primitives

/// One log record a line on standard error, as text or as JSON, with its metadata.
///
/// Whatever a client put into a message or a value is escaped, so that a record is always one line. Values under names
/// of credentials are not written.
struct StructuredLogHandler: LogHandler {
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    private let label: String
    private let format: TidegateConfiguration.Format
    private let environment = SystemEnvironment()

    init(label: String, level: Logger.Level, format: TidegateConfiguration.Format) {
        (self.label, logLevel, self.format) = (label, level, format)
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { _, new in new } }
        if let own = event.metadata { all.merge(own) { _, new in new } }
        if let error = event.error { all["error"] = "\(error)" }
        let pairs = Self.members(all)
        let time = environment.now().iso8601
        switch format {
        case .text: StandardError.write(text(time, event, pairs))
        case .json: StandardError.write(json(time, event, pairs))
        }
    }

    private func text(_ time: String, _ event: LogEvent, _ pairs: [Member]) -> String {
        var line = "\(time) \(event.level.rawValue) \(label) \(LogText.quoted("\(event.message)", ifSpaced: false))"
        for pair in pairs {
            line += Self.text(pair.value, named: pair.name)
        }
        return line + "\n"
    }

    private func json(_ time: String, _ event: LogEvent, _ pairs: [Member]) -> String {
        var object = JSONObject(pairs.map { ($0.name, $0.value) })
        object["time"] = .string(time)
        object["level"] = .string(event.level.rawValue)
        object["logger"] = .string(label)
        object["message"] = .string("\(event.message)")
        return LogText.line(.object(object)) + "\n"
    }

    private typealias Member = (name: String, value: JSON)

    /// Metadata by name, without what is secret. What was given as a number stays one.
    private static func members(_ metadata: Logger.Metadata) -> [Member] {
        metadata.map { (name: $0.key, value: isSecret($0.key) ? .string("(secret)") : json($0.value)) }
            .sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    private static func json(_ value: Logger.MetadataValue) -> JSON {
        switch value {
        case .string(let text): .string(text)
        case .stringConvertible(let value as Int64): .integer(value)
        case .stringConvertible(let value): .string("\(value)")
        case .array(let values): .array(values.map { json($0) })
        case .dictionary(let metadata): .object(JSONObject(members(metadata).map { ($0.name, $0.value) }))
        }
    }

    /// ` name=value`; what has members of its own as ` name.member=value`.
    private static func text(_ value: JSON, named name: String) -> String {
        switch value {
        case .object(let object): object.members.map { text($0.value, named: "\(name).\($0.name)") }.joined()
        case .string(let text): " \(LogText.quoted(name, ifSpaced: true))=\(LogText.quoted(text, ifSpaced: true))"
        default: " \(LogText.quoted(name, ifSpaced: true))=\(LogText.line(value))"
        }
    }

    private static func isSecret(_ name: String) -> Bool {
        let lowered = String(decoding: name.utf8.map { $0 >= 0x41 && $0 <= 0x5A ? $0 | 0x20 : $0 }, as: UTF8.self)
        return ["authorization", "secret", "secret-key", "token", "password", "signature"].contains(lowered)
    }
}

extension Logger.MetadataValue {
    /// A number, which is one in JSON too.
    static func count(_ number: some BinaryInteger) -> Logger.MetadataValue {
        .stringConvertible(Int64(clamping: number))
    }
}
