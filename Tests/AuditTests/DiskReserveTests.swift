import Glibc
import Testing

@testable import AuditLog

@Suite("The log's reserve of disk")
struct DiskReserveTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    /// What a file takes of the disk.
    private func bytesOnDisk(_ path: String) -> Int64 {
        var status = stat()
        #expect(unsafe stat(path, &status) == 0)
        return Int64(status.st_blocks) * 512
    }

    @Test("is given back slice by slice, so that others cannot take all of it before the log writes")
    func release() throws {
        let size = 3 * DiskReserve.slice
        let folder = PosixDirectory(directory.path)
        var reserve = DiskReserve(in: folder, size: size)
        #expect(try !reserve.release(), "nothing is held yet")
        for left in [size, 2 * DiskReserve.slice, DiskReserve.slice, 0] {
            if left == size { try reserve.acquire() } else { #expect(try reserve.release()) }
            let taken = bytesOnDisk(folder.file(DiskReserve.fileName))
            #expect((left..<left + DiskReserve.slice).contains(taken))
            #expect(reserve.isHeld == (left == size))
        }
        #expect(try !reserve.release())
        // There is room again.
        try reserve.acquire()
        #expect(reserve.isHeld && bytesOnDisk(folder.file(DiskReserve.fileName)) >= size)
    }
}
