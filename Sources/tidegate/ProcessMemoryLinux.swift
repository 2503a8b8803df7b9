import CLinux

/// The memory of the process, which holds secrets and objects.
enum ProcessMemory {
    /// Keeps it out of core dumps, and from being read by other processes of the same user.
    ///
    /// - Returns: False where the system refuses.
    static func forbidDumps() -> Bool { clinux_forbid_dumps() == 0 }
}
