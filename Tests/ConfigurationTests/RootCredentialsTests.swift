import Configuration
import Foundation
import Primitives
import Testing
import TidegateTesting

@Suite("Root credentials")
struct RootCredentialsTests {
    private let directory: String
    private var path: String { directory + "/root-credentials" }

    init() throws {
        directory = FileManager.default.temporaryDirectory.path + "/tidegate-root-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    }

    private func permit(_ mode: Int) throws {
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }

    @Test("are drawn once, and kept in a file of mode 0600")
    func drawing() throws {
        let first = try RootCredentials.loadOrCreate(in: directory, environment: SimulatedEnvironment(seed: 1))
        #expect(first.isNew)
        #expect(first.key.accessKey.utf8.count == 20)
        #expect(first.key.secretKey.reveal().utf8.count == 40)
        let second = try RootCredentials.loadOrCreate(in: directory, environment: SimulatedEnvironment(seed: 2))
        #expect(!second.isNew)
        #expect(second.key == first.key)
        #expect(second.path == path)
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["root-credentials"])
        #expect(!"\(first)".contains(first.key.secretKey.reveal()))
        try FileManager.default.removeItem(atPath: directory)
    }

    @Test("are not taken from a file that others can use", arguments: [0o640, 0o604, 0o660, 0o602, 0o610, 0o644])
    func permissions(_ mode: Int) throws {
        _ = try RootCredentials.loadOrCreate(in: directory, environment: SimulatedEnvironment(seed: 1))
        try permit(mode)
        #expect(throws: PrivateFileError.self) {
            _ = try RootCredentials.loadOrCreate(in: directory, environment: SimulatedEnvironment(seed: 1))
        }
        try permit(0o400)
        _ = try RootCredentials.loadOrCreate(in: directory, environment: SimulatedEnvironment(seed: 1))
        try FileManager.default.removeItem(atPath: directory)
    }

    @Test(
        "are not taken from a damaged file",
        arguments: [
            "", "access-key: abc\n", "secret-key: abcdefgh\n", "access-key: a\nsecret-key: abcdefgh\n",
            "access-key: abc\nsecret-key: \n",
        ])
    func damage(_ text: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        try permit(0o600)
        #expect(throws: PrivateFileError.self) {
            _ = try RootCredentials.loadOrCreate(in: directory, environment: SimulatedEnvironment(seed: 1))
        }
        // It is refused, not replaced.
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data(text.utf8))
        try FileManager.default.removeItem(atPath: directory)
    }

    @Test("are not written through a link, nor read through one")
    func links() throws {
        let target = directory + "/target"
        try Data("access-key: abc\nsecret-key: abcdefgh\n".utf8).write(to: URL(fileURLWithPath: target))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: target)
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: target)
        #expect(throws: PrivateFileError.self) {
            _ = try RootCredentials.loadOrCreate(in: directory, environment: SimulatedEnvironment(seed: 1))
        }
        try FileManager.default.removeItem(atPath: directory)
    }

    @Test("secret files end where their text ends")
    func secretFiles() throws {
        try Data("the-secret \r\n\n".utf8).write(to: URL(fileURLWithPath: path))
        try permit(0o600)
        #expect(try PrivateFile.read(path) == "the-secret")
        #expect(throws: PrivateFileError.self) { _ = try PrivateFile.read(directory) }
        #expect(throws: PrivateFileError.self) { _ = try PrivateFile.read(directory + "/none") }
        try FileManager.default.removeItem(atPath: directory)
    }
}
