import CLinux

/// The memory of the process, which holds secrets and objects.
enum ProcessMemory {
    /// Keeps it out of core dumps, and from being read by other processes of the same user.
    ///
    /// - Returns: False where the system refuses.
    static func forbidDumps() -> Bool { clinux_forbid_dumps() == 0 }

    /// Bounds what lies idle in the C library's heaps. To be called before threads begin.
    ///
    /// By itself it makes eight heaps a processor, and hardly ever gives back what one of them has free: under a mixed
    /// load of hours it held twice of what was in use. With two a processor it stayed flat at half of that.
    static func boundHeaps() -> Bool { clinux_limit_heaps(2) }
}
