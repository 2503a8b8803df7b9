import Configuration

extension FuzzTarget {
    /// The text of a configuration file.
    static let configuration = FuzzTarget("configuration") {
        [
            Example(
                "all",
                "region: eu-1\nlisten: 127.0.0.1:9000\ndomains: [a.example, b.example]\nlimits:\n  header-count: 64\n",
                "keys:\n  - access-key: AAAAAAAAAAAAAAAA\n    secret: a-secret-of-forty-characters-and-a-bit\n",
                "    user: alice\n    account: '111122223333'\n    policies: [read, {Version: ",
                "'2012-10-17', Statement: []}]\n"
            ),
            Example("flow", "{region: \"eu\\x2d1\", \"pool\": {cell-size: 64KiB}}\n"),
            Example("alias", "a: &a [x, x]\nb: [*a, *a]\n"), Example("unknown", "reigon: a\n"),
            Example("empty", "# nothing\n"),
        ]
    } run: { bytes in
        guard let text = String(validating: bytes, as: UTF8.self) else { return false }
        let loaded: LoadedConfiguration
        do throws(ConfigurationError) {
            loaded = try load(text: text, settings: [])
        } catch {
            try require(!error.problems.isEmpty, "a configuration that is refused for nothing")
            try require(error.problems.allSatisfy { !"\($0)".isEmpty }, "a problem without a word")
            return false
        }
        // What is shown of it can be set again, and is the same.
        let settings = loaded.effective.compactMap { key, value, origin -> String? in
            guard case .file = origin, value != "(secret)", !value.hasPrefix("["), key != "keys" else { return nil }
            return "\(key)=\(value)"
        }
        let again = Result { () throws(ConfigurationError) in try load(text: text, settings: settings) }
        switch again {
        case .success(let again):
            try require(again.configuration == loaded.configuration, "another configuration from what is shown of it")
        case .failure(let error): throw BrokenProperty(description: "what is shown cannot be set: \(error)")
        }
        return true
    }

    private static func load(text: String, settings: [String]) throws(ConfigurationError) -> LoadedConfiguration {
        try ConfigurationLoader.load(
            ConfigurationSources(file: ("f.yaml", text), settings: settings) { path throws(PrivateFileError) in
                throw PrivateFileError("`\(path)` is not there")
            })
    }
}
