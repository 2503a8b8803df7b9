/// What a store would fail together with: two stores that share one of these may be lost at once. Empty where nothing
/// is said of it.
package struct FailureDomain: Sendable, Hashable {
    package var region: String
    package var zone: String
    package var provider: String
    /// The machines that it runs on, or on whose disks it lies.
    package var hosts: [String]

    package init(region: String = "", zone: String = "", provider: String = "", hosts: [String] = []) {
        (self.region, self.zone, self.provider, self.hosts) = (region, zone, provider, hosts)
    }

    func write(to writer: inout RecordWriter) {
        if !region.isEmpty { writer.text(1, region) }
        if !zone.isEmpty { writer.text(2, zone) }
        if !provider.isEmpty { writer.text(3, provider) }
        for host in hosts { writer.text(4, host) }
    }

    init(_ reader: RecordReader) throws(RecordError) {
        var reader = reader
        self.init()
        while let (field, value) = try reader.next() {
            switch field {
            case 1: region = value.text
            case 2: zone = value.text
            case 3: provider = value.text
            case 4: hosts.append(value.text)
            default: break
            }
        }
    }
}
