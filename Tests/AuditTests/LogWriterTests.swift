import Audit
import Glibc
import Testing

@testable import AuditLog

@Suite("The end of the log")
struct LogWriterTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    private func record(_ number: Int) throws -> LinkableRecord { try LinkableRecord(Samples.record(number)) }

    @Test("tells of no record any more once a write has failed, since those after it are not in the file")
    func failure() throws {
        let options = AuditLogOptions(directory: directory.path, node: "gate-1", epoch: 1, region: "us-east-1")
        let lock = try PosixFile(PosixDirectory(directory.path).file("lock"), .updating)
        var writer = try LogWriter(options, after: LogEnd(), lock: lock)
        let first = try record(1)
        let status = try writer.perform { writer throws(PosixFailure) in
            try writer.append([first])
            try writer.synchronize()
        }
        #expect(status.head?.sequence == 0)
        let failure = PosixFailure(call: "write", path: "segment", code: EIO)
        var met: [Int32] = []
        do throws(PosixFailure) {
            _ = try writer.perform { _ throws(PosixFailure) in throw failure }
        } catch {
            met.append(error.code)
        }
        // What was scheduled before the failure comes after it.
        do throws(PosixFailure) {
            _ = try writer.perform { writer throws(PosixFailure) in try writer.synchronize() }
        } catch {
            met.append(error.code)
        }
        #expect(met == [EIO, EIO])
    }
}
