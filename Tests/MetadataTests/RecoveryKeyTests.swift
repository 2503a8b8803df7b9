import Cryptography
import IndexBackup
import Primitives
import Testing
import TidegateTesting

@Suite struct RecoveryKeyTests {
    private let environment = SimulatedEnvironment(seed: 5)
    private let deployment = [UInt8](repeating: 7, count: 16)

    private func refusal(_ text: String) -> String? {
        do throws(RecoveryKeyError) {
            _ = try RecoveryKey(text: text)
            return nil
        } catch {
            return error.description
        }
    }

    @Test func isFourteenGroupsOfFour() {
        let text = RecoveryKey(drawnFrom: environment).text
        let groups = text.split(separator: "-")
        #expect(groups.count == 14)
        #expect(groups.allSatisfy { $0.utf8.count == 4 })
        #expect(!text.utf8.contains { "ILOUilou".utf8.contains($0) })
        #expect(RecoveryKey(drawnFrom: environment).text != text)
    }

    @Test func isReadAsPeopleWriteIt() throws {
        for _ in 0..<200 {
            let drawn = RecoveryKey(drawnFrom: environment)
            let sealed = try drawn.seal([1, 2, 3], of: deployment, environment)
            let copies = [
                drawn.text, drawn.text.lowercased(), drawn.text.filter { $0 != "-" },
                " " + drawn.text.replacing("-", with: " \n") + "\r\n",
                drawn.text.replacing("0", with: "o").replacing("1", with: "l"),
            ]
            for text in copies { #expect(try RecoveryKey(text: text).open(sealed, of: deployment) == [1, 2, 3]) }
        }
    }

    @Test func aSlipOfThePenIsToldFromAnotherKey() {
        let letters = Array(RecoveryKey(drawnFrom: environment).text.utf8)
        for place in letters.indices where letters[place] != UInt8(ascii: "-") {
            var wrong = letters
            wrong[place] = letters[place] == UInt8(ascii: "7") ? UInt8(ascii: "8") : UInt8(ascii: "7")
            #expect(refusal(String(decoding: wrong, as: UTF8.self))?.contains("is wrong") == true)
        }
    }

    @Test func whatIsNoKeyIsRefusedWithoutBeingRepeated() {
        let text = RecoveryKey(drawnFrom: environment).text
        let noKeys = [
            "", "-", String(text.dropLast()), text + "0", text + text, String(repeating: "0", count: 1_000_000),
            text.replacing("-", with: "_"), "ü" + text.dropFirst(), String(text.dropLast()) + "U",
            String(repeating: "Z", count: 56),
        ]
        for text in noKeys {
            let message = refusal(text)
            #expect(message != nil, "\(text.prefix(80)) is taken for a key.")
            #expect(text.count < 10 || message?.contains(text) == false)
        }
    }

    @Test func opensItsOwnDeploymentAlone() throws {
        let key = RecoveryKey(drawnFrom: environment)
        let secret = environment.randomBytes(32)
        let sealed = try key.seal(secret, of: deployment, environment)
        #expect(try key.open(sealed, of: deployment) == secret)
        #expect(try key.seal(secret, of: deployment, environment) != sealed)
        #expect(throws: CryptographyError.self) {
            try key.open(sealed, of: [UInt8](repeating: 8, count: 16))
        }
        #expect(throws: CryptographyError.self) {
            try RecoveryKey(drawnFrom: environment).open(sealed, of: deployment)
        }
        for cut in 0..<sealed.count {
            #expect(throws: CryptographyError.self) { try key.open(Array(sealed.prefix(cut)), of: deployment) }
        }
        for place in sealed.indices {
            var changed = sealed
            changed[place] ^= 1
            #expect(throws: CryptographyError.self) { try key.open(changed, of: deployment) }
        }
    }

    @Test func isInNoDescription() {
        let key = RecoveryKey(drawnFrom: environment)
        #expect("\(key)" == "(secret)")
        #expect(String(reflecting: key) == "(secret)")
        #expect(Mirror(reflecting: key).children.isEmpty)
    }

    @Test func aFingerprintTellsSealingKeysApart() {
        let (first, second) = (environment.randomBytes(32), environment.randomBytes(32))
        #expect(RecoveryKey.fingerprint(of: first) == RecoveryKey.fingerprint(of: first))
        #expect(RecoveryKey.fingerprint(of: first) != RecoveryKey.fingerprint(of: second))
        #expect(RecoveryKey.fingerprint(of: first).count == 16)
    }
}
