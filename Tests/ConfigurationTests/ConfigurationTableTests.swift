import Configuration
import Testing

@Suite("The table of keys")
struct ConfigurationTableTests {
    @Test("explains itself as a file that sets every default")
    func explanation() throws {
        let yaml = ConfigurationExplanation.yaml()
        let explained = try ConfigurationLoader.load(ConfigurationSources(file: ("explained.yaml", yaml)))
        let plain = try ConfigurationLoader.load(ConfigurationSources())
        #expect(explained.configuration == plain.configuration)
        for key in ConfigurationTable.keys {
            if let variable = key.environmentVariable { #expect(yaml.contains("# Environment: \(variable)\n")) }
            #expect(yaml.contains("# Value: \(key.kind.allowed).\n"))
        }
        #expect(yaml.split(separator: "\n").allSatisfy { $0.utf8.count <= 120 })
        // What the file sets is what has a default.
        let set = explained.effective.filter { if case .file = $0.origin { true } else { false } }.map(\.key)
        #expect(set == ConfigurationTable.keys.filter { $0.defaultText != nil }.map(\.name))
    }

    @Test("holds every name once, in the spelling of the others")
    func names() {
        let names = ConfigurationTable.keys.map(\.name)
        #expect(Set(names).count == names.count)
        for name in names {
            #expect(
                name.utf8.allSatisfy {
                    (0x61...0x7A).contains($0) || $0 == 0x2D || $0 == 0x2E || (0x30...0x39).contains($0)
                })
        }
        for key in ConfigurationTable.keys { #expect(key.documentation.hasSuffix(".")) }
    }

    @Test("sizes and durations are read and written", arguments: [("64KiB", 65_536), ("1MiB", 1 << 20), ("100", 100)])
    func sizes(_ text: String, _ bytes: Int64) {
        #expect(ValueText.parseSize(text) == bytes)
        #expect(ValueText.size(bytes) == text)
    }

    @Test(
        "durations are read and written",
        arguments: [("500ms", 500), ("90s", 90_000), ("5m", 300_000), ("2h", 7_200_000)])
    func durations(_ text: String, _ milliseconds: Int64) {
        #expect(ValueText.parseDuration(text) == milliseconds)
        #expect(ValueText.duration(milliseconds) == text)
    }

    @Test(
        "what is no size and no duration is refused",
        arguments: ["", "KiB", "s", "-1s", "1 s", "1.5s", "9223372036854775807h", "1_0"])
    func noNumbers(_ text: String) {
        #expect(ValueText.parseDuration(text) == nil)
        #expect(ValueText.parseSize(text) == nil)
    }

    @Test("numbers with a point are read, and nothing else is")
    func decimals() throws {
        #expect(ValueText.parseDecimal("0.00405") == 0.00405 && ValueText.parseDecimal("12") == 12)
        for text in ["", ".", ".5", "5.", "-1", "+1", "1e3", "1.2.3", "0x1", "inf", "nan", "1,5", " 1", "1_0"] {
            #expect(ValueText.parseDecimal(text) == nil, "\(text)")
        }
        let loaded = try ConfigurationLoader.load(
            ConfigurationSources(settings: ["durability.losses-per-year=0.25", "durability.repair-time=156h"]))
        #expect(loaded.configuration.expectedLosses.lossesPerYear == 0.25)
        #expect(loaded.configuration.expectedLosses.repairTime == .seconds(156 * 3600))
        #expect(throws: (any Error).self) {
            try ConfigurationLoader.load(ConfigurationSources(settings: ["durability.losses-per-year=1001"]))
        }
    }

    @Test(
        "addresses are read and written",
        arguments: [
            ("127.0.0.1:9000", "127.0.0.1", 9000), ("[::1]:0", "::1", 0),
            ("gate.example:65535", "gate.example", 65_535),
        ])
    func addresses(_ text: String, _ host: String, _ port: Int) {
        #expect(ListenAddress(text) == ListenAddress(host: host, port: port))
        #expect(ListenAddress(text)?.description == text)
    }

    @Test(
        "what is no address is refused",
        arguments: ["", ":", ":9000", "a", "a:", "a:b", "a:123456", "::1:9000", "a b:1", "[a:1", "a]:1", "[]:1"])
    func noAddresses(_ text: String) {
        #expect(ListenAddress(text) == nil)
    }
}
