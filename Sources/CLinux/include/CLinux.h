#ifndef CLinux_H
#define CLinux_H

// The calls of Linux that blob stores and logs need, so that Swift sees no variadic function, no macro and no errno.
//
// Every function that can fail returns a value of 0 or more, or the error number negated; a call that a signal
// interrupts is repeated. Names of files are relative to a descriptor of a directory; only clinux_open_root takes a
// path of the host.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// How clinux_open_beneath opens.
enum clinux_mode {
    /// For reading; the file must be there.
    CLINUX_READ = 0,
    /// A directory, for reading its names and for syncing it.
    CLINUX_DIRECTORY = 1,
    /// For reading and writing; the file must not be there yet.
    CLINUX_CREATE = 2,
    /// For reading and writing; the file must be there.
    CLINUX_UPDATE = 3,
    /// For reading and writing; made where it is not there.
    CLINUX_ENSURE = 4,
};

/// What clinux_status says of an open file.
struct clinux_status {
    int64_t size;
    uint64_t links;
    uint64_t device;
    uint64_t inode;
    int32_t is_regular;
    int32_t is_directory;
};

/// Opens a directory of the host by its path.
int clinux_open_root(const char *path);
/// Makes a directory of the host by its path; its parent must be there.
int clinux_make_root(const char *path);
/// Opens a file below a directory with openat2: no symbolic link on the way or at its end, nothing outside the
/// directory. A pipe or a device is opened without waiting; the caller checks what it has.
int clinux_open_beneath(int directory, const char *path, enum clinux_mode mode);
int clinux_close(int descriptor);

int clinux_make_directory(int directory, const char *name);
int clinux_remove_file(int directory, const char *name);
int clinux_remove_directory(int directory, const char *name);
/// Renames, replacing what is there. A symbolic link is renamed or replaced itself, never followed.
int clinux_rename(int from_directory, const char *from, int to_directory, const char *to);
/// Renames to a name that is free; -EEXIST where it is taken.
int clinux_rename_new(int from_directory, const char *from, int to_directory, const char *to);

int clinux_status_of(int descriptor, struct clinux_status *status);
/// The room of the file system that an open file is on, in bytes: what is taken, and what whoever asks may still write.
int clinux_space_of(int descriptor, int64_t *used, int64_t *available);
/// The status of a name in a directory, a symbolic link not being followed.
int clinux_status_at(int directory, const char *name, struct clinux_status *status);
/// Fills the buffer with names of a directory, each ended by a zero byte; returns the bytes filled, 0 at the end of the
/// directory. `.` and `..` are left out. The capacity must be at least 32 KiB.
int64_t clinux_next_names(int directory, char *names, size_t capacity);

/// Takes the exclusive lock of an open file, or returns -EWOULDBLOCK where another holds it.
int clinux_lock(int descriptor);

/// Reads up to `count` bytes, fewer only at the end of the file.
int64_t clinux_read(int descriptor, void *bytes, size_t count, int64_t offset);
/// Reads exactly `count` bytes where memory holds them all; -EAGAIN where the disk would have to be waited for, where
/// the file is shorter, and where its file system cannot tell.
int64_t clinux_read_cached(int descriptor, void *bytes, size_t count, int64_t offset);
/// Writes all bytes.
int clinux_write(int descriptor, const void *bytes, size_t count, int64_t offset);
int clinux_sync(int descriptor);
int clinux_sync_data(int descriptor);
/// Begins to write the dirty pages of a range to the disk, without waiting.
int clinux_start_writeback(int descriptor, int64_t offset, int64_t count);
/// Takes room on the disk for a file; succeeds without doing so where the file system knows no such thing.
int clinux_allocate(int descriptor, int64_t size);
int clinux_truncate(int descriptor, int64_t size);

/// A counter that a thread waits on until it is above zero and then takes one from.
int clinux_make_bell(void);
int clinux_ring(int bell, uint32_t times);
int clinux_await_ring(int bell);
/// Starts a detached thread with every signal blocked. `name` has at most 15 bytes.
int clinux_start_thread(const char *name, void (*body)(void *), void *context);

/// A sentence for an error number.
void clinux_describe(int error, char *text, size_t capacity);

/// Error numbers that Swift decides by.
extern const int clinux_not_found, clinux_exists, clinux_no_space, clinux_quota, clinux_would_block, clinux_is_link,
    clinux_not_directory, clinux_not_empty, clinux_crosses, clinux_io_error;

/// Keeps the process's memory from being dumped and from being read by other processes of the same user. Returns 0 or
/// minus errno.
int clinux_forbid_dumps(void);

/// Has the C library spread what is asked for over at most so many heaps per processor, of which each keeps what was
/// given back to it. Returns whether it does.
bool clinux_limit_heaps(int perProcessor);

#endif
