// Loaded before the C library: writes down every change of files and directories below RECORD_FILES_ROOT, with its
// bytes, in the order in which they happened, so that power_cut.py can make what a disk may hold after a power cut at
// any moment. RECORD_FILES_TO names the recording, to which every process appends; RECORD_FILES_COUNT a file of two
// numbers of 8 bytes, mapped: how many records there are, for whoever wants to know the moment of an answer; and,
// where it is not 0, after how many the process is to be killed. Killed by anybody else, it may have made a change that
// is not recorded yet, which the next process goes on from.
//
// One lock is held around each change and its record; a sync has a record of its begin, which says what it covers, and
// one of its end, and nothing is locked between. Files are told apart by their inodes, so that neither copies of
// descriptors nor names matter. What would change files past this library (a shared mapping that can be written, but
// for SQLite's -shm, which no start reads; io_uring; O_DSYNC) is written down as such, and is an error to whoever reads
// the recording; and whoever reads it compares all of it with the files that came of it.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

// The same as in disk.py.
enum kind { CREATE = 1, MAKE_DIRECTORY, LINK, UNLINK, REMOVE_DIRECTORY, RENAME, WRITE, ZERO, SIZE, ALLOCATE, CLEAR,
            SYNC_BEGIN, SYNC_END, UNSUPPORTED, PROCESS };

struct record {
    uint32_t kind;
    uint16_t name_length, other_length;
    // The directory or file; of a rename the other directory; what has the name.
    uint64_t inode, other, child;
    int64_t offset, length;
    // How many bytes follow the names.
    uint64_t bytes;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char root[PATH_MAX];
static int recording = -1;
static volatile uint64_t *count, *limit;

#define REAL(name) ({ static __typeof__(&name) real; if (!real) real = dlsym(RTLD_NEXT, #name); real; })

static void fail(const char *what) {
    dprintf(2, "record_files: %s: %s\n", what, strerror(errno));
    abort();
}

static void prepare(void) {
    const char *at = getenv("RECORD_FILES_ROOT"), *to = getenv("RECORD_FILES_TO"), *of = getenv("RECORD_FILES_COUNT");
    if (!at || !to || !of) fail("RECORD_FILES_ROOT, RECORD_FILES_TO and RECORD_FILES_COUNT must be set");
    if (!realpath(at, root)) fail(at);
    recording = REAL(open)(to, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (recording < 0) fail(to);
    int counter = REAL(open)(of, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (counter < 0 || REAL(ftruncate)(counter, 2 * sizeof *count) != 0) fail(of);
    count = REAL(mmap)(NULL, 2 * sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED, counter, 0);
    if (count == MAP_FAILED) fail(of);
    limit = count + 1;
}

static void enter(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, prepare);
    pthread_mutex_lock(&lock);
}

// Writes a record down; returns its number. The lock is held.
static uint64_t put(struct record record, const char *name, const char *other, const struct iovec *pieces, int n) {
    record.name_length = name ? strlen(name) : 0;
    record.other_length = other ? strlen(other) : 0;
    struct iovec head[3] = {{&record, sizeof record}, {(void *)name, record.name_length},
                            {(void *)other, record.other_length}};
    size_t length = sizeof record + record.name_length + record.other_length;
    if (REAL(writev)(recording, head, 3) != (ssize_t)length) fail("a record cannot be written");
    uint64_t left = record.bytes;
    for (int i = 0; i < n && left > 0; i++) {
        const char *at = pieces[i].iov_base;
        for (size_t rest = pieces[i].iov_len < left ? pieces[i].iov_len : left; rest > 0;) {
            ssize_t written = REAL(write)(recording, at, rest);
            if (written <= 0) fail("a record cannot be written");
            at += written, rest -= (size_t)written, left -= (uint64_t)written;
        }
    }
    *count = *count + 1;
    if (*limit && *count >= *limit) kill(getpid(), SIGKILL);
    return *count;
}

static void unsupported(const char *what) { put((struct record){.kind = UNSUPPORTED}, what, NULL, NULL, 0); }

__attribute__((constructor)) static void begin(void) {
    enter();
    put((struct record){.kind = PROCESS}, NULL, NULL, NULL, 0);
    pthread_mutex_unlock(&lock);
}

// Whether an open file or directory lies below the root, unlinked or not.
static int is_recorded(int file, struct stat *status) {
    if (fstat(file, status) != 0 || !(S_ISREG(status->st_mode) || S_ISDIR(status->st_mode))) return 0;
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    size_t under = strlen(root);
    return strncmp(path, root, under) == 0 && (path[under] == '/' || path[under] == 0);
}

// Splits a path: whether its directory is recorded, the directory's inode, and the last name.
static int place(int directory, const char *path, uint64_t *inode, char name[NAME_MAX + 1]) {
    char parent[PATH_MAX];
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/') length--;
    size_t slash = length;
    while (slash > 0 && path[slash - 1] != '/') slash--;
    if (length == 0 || length >= sizeof parent || length - slash > NAME_MAX) return 0;
    snprintf(name, NAME_MAX + 1, "%.*s", (int)(length - slash), path + slash);
    snprintf(parent, sizeof parent, "%.*s", slash ? (int)slash : 1, slash ? path : ".");
    int opened = REAL(openat)(directory, parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (opened < 0) return 0;
    struct stat status;
    int recorded = is_recorded(opened, &status);
    *inode = status.st_ino;
    close(opened);
    return recorded;
}

static uint64_t inode_at(int directory, const char *path) {
    struct stat status;
    return fstatat(directory, path, &status, AT_SYMLINK_NOFOLLOW) == 0 ? status.st_ino : 0;
}

static int is_changing(int flags) {
    return (flags & (O_CREAT | O_TRUNC | O_DSYNC)) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
}

// Opens by a real call, and writes down what that made, emptied, or may do to files past this library.
#define OPEN(directory, path, flags, call)                                                                             \
    ({                                                                                                                 \
        int opened_, kept_;                                                                                            \
        if (!is_changing((int)(flags))) {                                                                              \
            opened_ = (int)(call);                                                                                     \
        } else {                                                                                                       \
            enter();                                                                                                   \
            int there_ = inode_at(directory, path) != 0;                                                               \
            opened_ = (int)(call);                                                                                     \
            kept_ = errno;                                                                                             \
            if (opened_ >= 0) opened(directory, path, (int)(flags), there_, opened_);                                  \
            pthread_mutex_unlock(&lock);                                                                               \
            errno = kept_;                                                                                             \
        }                                                                                                              \
        opened_;                                                                                                       \
    })

static void opened(int directory, const char *path, int flags, int was_there, int file) {
    struct stat status;
    if (!is_recorded(file, &status)) return;
    char name[NAME_MAX + 1];
    uint64_t parent;
    if (flags & O_DSYNC) unsupported("O_DSYNC");
    if ((flags & O_TMPFILE) == O_TMPFILE) return unsupported("O_TMPFILE");
    if (!was_there && place(directory, path, &parent, name)) {
        put((struct record){.kind = CREATE, .inode = parent, .child = status.st_ino}, name, NULL, NULL, 0);
    } else if (flags & O_TRUNC) {
        put((struct record){.kind = SIZE, .inode = status.st_ino}, NULL, NULL, NULL, 0);
    }
}

#define MODE(flags) ({ mode_t m_ = 0; if (is_changing(flags)) { va_list l_; va_start(l_, flags);                       \
                       m_ = va_arg(l_, mode_t); va_end(l_); } m_; })

int open(const char *path, int flags, ...) {
    mode_t mode = MODE(flags);
    return OPEN(AT_FDCWD, path, flags, REAL(open)(path, flags, mode));
}

int open64(const char *path, int flags, ...) {
    mode_t mode = MODE(flags);
    return OPEN(AT_FDCWD, path, flags, REAL(open64)(path, flags, mode));
}

int openat(int directory, const char *path, int flags, ...) {
    mode_t mode = MODE(flags);
    return OPEN(directory, path, flags, REAL(openat)(directory, path, flags, mode));
}

int openat64(int directory, const char *path, int flags, ...) {
    mode_t mode = MODE(flags);
    return OPEN(directory, path, flags, REAL(openat64)(directory, path, flags, mode));
}

int creat(const char *path, mode_t mode) { return open(path, O_WRONLY | O_CREAT | O_TRUNC, mode); }

int creat64(const char *path, mode_t mode) { return open(path, O_WRONLY | O_CREAT | O_TRUNC, mode); }

// openat2 has no function of its own in the C library.
long syscall(long number, ...) {
    long a[6];
    va_list list;
    va_start(list, number);
    for (int i = 0; i < 6; i++) a[i] = va_arg(list, long);
    va_end(list);
    if (number == SYS_openat2) {
        const struct open_how *how = (const struct open_how *)a[2];
        return OPEN((int)a[0], (const char *)a[1], how->flags, REAL(syscall)(number, a[0], a[1], a[2], a[3]));
    }
    if (number == SYS_io_uring_setup) {
        enter();
        unsupported("io_uring");
        pthread_mutex_unlock(&lock);
    }
    return REAL(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

// What the bytes of a write are, once it is done: all zeros are only counted.
static void wrote(int file, int64_t offset, const struct iovec *pieces, int n, ssize_t length) {
    struct stat status;
    if (length <= 0 || !is_recorded(file, &status)) return;
    if (offset < 0) offset = lseek(file, 0, SEEK_CUR) - length;
    size_t left = (size_t)length, zeros = 1;
    for (int i = 0; i < n && left > 0 && zeros; i++) {
        const char *bytes = pieces[i].iov_base;
        size_t size = pieces[i].iov_len < left ? pieces[i].iov_len : left;
        if (size > 0 && (bytes[0] != 0 || memcmp(bytes, bytes + 1, size - 1) != 0)) zeros = 0;
        left -= size;
    }
    struct record record = {.kind = zeros ? ZERO : WRITE, .inode = status.st_ino, .offset = offset, .length = length,
                            .bytes = zeros ? 0 : (uint64_t)length};
    put(record, NULL, NULL, pieces, n);
}

// Calls, and writes down what came of it while nobody else changes anything.
#define CHANGING(call, note)                                                                                           \
    ({                                                                                                                 \
        enter();                                                                                                       \
        __typeof__(call) result = (call);                                                                              \
        int kept_ = errno;                                                                                             \
        note;                                                                                                          \
        pthread_mutex_unlock(&lock);                                                                                   \
        errno = kept_;                                                                                                 \
        result;                                                                                                        \
    })

// Sockets and pipes may block, and are written to without the lock.
static int is_file(int file) {
    struct stat status;
    return fstat(file, &status) == 0 && S_ISREG(status.st_mode);
}

ssize_t write(int file, const void *bytes, size_t size) {
    struct iovec piece = {(void *)bytes, size};
    if (!is_file(file)) return REAL(write)(file, bytes, size);
    return CHANGING(REAL(write)(file, bytes, size), wrote(file, -1, &piece, 1, result));
}

ssize_t writev(int file, const struct iovec *pieces, int n) {
    if (!is_file(file)) return REAL(writev)(file, pieces, n);
    return CHANGING(REAL(writev)(file, pieces, n), wrote(file, -1, pieces, n, result));
}

#define PWRITE(name)                                                                                                   \
    ssize_t name(int file, const void *bytes, size_t size, off_t offset) {                                             \
        struct iovec piece = {(void *)bytes, size};                                                                    \
        return CHANGING(REAL(name)(file, bytes, size, offset), wrote(file, offset, &piece, 1, result));                \
    }
PWRITE(pwrite)
PWRITE(pwrite64)

#define PWRITEV(name)                                                                                                  \
    ssize_t name(int file, const struct iovec *pieces, int n, off_t offset) {                                          \
        return CHANGING(REAL(name)(file, pieces, n, offset), wrote(file, offset, pieces, n, result));                  \
    }
PWRITEV(pwritev)
PWRITEV(pwritev64)

#define PWRITEV2(name)                                                                                                 \
    ssize_t name(int file, const struct iovec *pieces, int n, off_t offset, int flags) {                               \
        return CHANGING(REAL(name)(file, pieces, n, offset, flags), wrote(file, offset, pieces, n, result));           \
    }
PWRITEV2(pwritev2)
PWRITEV2(pwritev64v2)

// What the kernel copied into a file is read from there.
static void copied(int file, int64_t offset, ssize_t length) {
    struct stat status;
    if (length <= 0 || !is_recorded(file, &status)) return;
    if (offset < 0) offset = lseek(file, 0, SEEK_CUR) - length;
    char link[64], *bytes = malloc((size_t)length);
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    int again = REAL(open)(link, O_RDONLY | O_CLOEXEC);
    if (!bytes || again < 0 || pread(again, bytes, (size_t)length, offset) != length) fail("a copy cannot be read");
    close(again);
    wrote(file, offset, &(struct iovec){bytes, (size_t)length}, 1, length);
    free(bytes);
}

#define SENDFILE(name)                                                                                                 \
    ssize_t name(int to, int from, off_t *offset, size_t size) {                                                       \
        if (!is_file(to)) return REAL(name)(to, from, offset, size);                                                   \
        return CHANGING(REAL(name)(to, from, offset, size), copied(to, -1, result));                                   \
    }
SENDFILE(sendfile)
SENDFILE(sendfile64)

ssize_t copy_file_range(int from, off_t *from_offset, int to, off_t *to_offset, size_t size, unsigned flags) {
    int64_t offset = to_offset ? *to_offset : -1;
    return CHANGING(REAL(copy_file_range)(from, from_offset, to, to_offset, size, flags), copied(to, offset, result));
}

// Anything about one open file that has an offset and a length.
static void note(int file, enum kind kind, int64_t offset, int64_t length) {
    struct stat status;
    if (is_recorded(file, &status)) {
        put((struct record){.kind = kind, .inode = status.st_ino, .offset = offset, .length = length}, 0, 0, 0, 0);
    }
}

#define TRUNCATE(name)                                                                                                 \
    int name(int file, off_t size) {                                                                                   \
        return CHANGING(REAL(name)(file, size), if (result == 0) note(file, SIZE, 0, size));                           \
    }
TRUNCATE(ftruncate)
TRUNCATE(ftruncate64)

static void allocated(int file, int mode, off_t offset, off_t length) {
    if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) return unsupported("fallocate");
    if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) note(file, CLEAR, offset, length);
    if (!(mode & FALLOC_FL_KEEP_SIZE)) note(file, ALLOCATE, offset, length);
}

#define ALLOCATING(name)                                                                                               \
    int name(int file, int mode, off_t offset, off_t length) {                                                         \
        return CHANGING(REAL(name)(file, mode, offset, length),                                                        \
                        if (result == 0) allocated(file, mode, offset, length));                                       \
    }
ALLOCATING(fallocate)
ALLOCATING(fallocate64)

#define POSIX_ALLOCATING(name)                                                                                         \
    int name(int file, off_t offset, off_t length) {                                                                   \
        return CHANGING(REAL(name)(file, offset, length), if (result == 0) allocated(file, 0, offset, length));        \
    }
POSIX_ALLOCATING(posix_fallocate)
POSIX_ALLOCATING(posix_fallocate64)

// A sync covers what was done before it began, and is known to have done so when it has ended well.
static int synced(int file, int (*real)(int)) {
    struct stat status;
    enter();
    uint64_t begin = is_recorded(file, &status)
                         ? put((struct record){.kind = SYNC_BEGIN, .inode = status.st_ino}, NULL, NULL, NULL, 0)
                         : 0;
    pthread_mutex_unlock(&lock);
    int result = real(file), kept = errno;
    if (begin && result == 0) {
        enter();
        put((struct record){.kind = SYNC_END, .inode = status.st_ino, .offset = (int64_t)begin}, NULL, NULL, NULL, 0);
        pthread_mutex_unlock(&lock);
    }
    errno = kept;
    return result;
}

int fsync(int file) { return synced(file, REAL(fsync)); }

int fdatasync(int file) { return synced(file, REAL(fdatasync)); }

// Whatever it makes durable is taken for unsynced: nothing here may rely on it.
int syncfs(int file) { return REAL(syncfs)(file); }

// Changes of one name.
#define NAMED(kind_, directory, path, before, call)                                                                    \
    ({                                                                                                                 \
        char name_[NAME_MAX + 1];                                                                                      \
        uint64_t parent_ = 0, child_ = 0;                                                                              \
        CHANGING(((child_ = (before) ? inode_at(directory, path) : 0), (call)),                                        \
                 if (result == 0 && place(directory, path, &parent_, name_)) {                                         \
                     if (!child_) child_ = inode_at(directory, path);                                                  \
                     put((struct record){.kind = kind_, .inode = parent_, .child = child_}, name_, NULL, NULL, 0);     \
                 });                                                                                                   \
    })

int mkdir(const char *path, mode_t mode) { return NAMED(MAKE_DIRECTORY, AT_FDCWD, path, 0, REAL(mkdir)(path, mode)); }

int mkdirat(int directory, const char *path, mode_t mode) {
    return NAMED(MAKE_DIRECTORY, directory, path, 0, REAL(mkdirat)(directory, path, mode));
}

int rmdir(const char *path) { return NAMED(REMOVE_DIRECTORY, AT_FDCWD, path, 1, REAL(rmdir)(path)); }

int unlink(const char *path) { return NAMED(UNLINK, AT_FDCWD, path, 1, REAL(unlink)(path)); }

int unlinkat(int directory, const char *path, int flags) {
    if (flags & AT_REMOVEDIR) {
        return NAMED(REMOVE_DIRECTORY, directory, path, 1, REAL(unlinkat)(directory, path, flags));
    }
    return NAMED(UNLINK, directory, path, 1, REAL(unlinkat)(directory, path, flags));
}

int link(const char *old, const char *new) { return NAMED(LINK, AT_FDCWD, new, 0, REAL(link)(old, new)); }

int linkat(int from, const char *old, int to, const char *new, int flags) {
    return NAMED(LINK, to, new, 0, REAL(linkat)(from, old, to, new, flags));
}

static void renamed(int from, const char *old, int to, const char *new, unsigned flags) {
    uint64_t parent, other;
    char name[NAME_MAX + 1], new_name[NAME_MAX + 1];
    int is_from = place(from, old, &parent, name), is_to = place(to, new, &other, new_name);
    if (!is_from && !is_to) return;
    if (!is_from || !is_to || (flags & ~RENAME_NOREPLACE)) return unsupported("a rename across the root, or exchange");
    struct record record = {.kind = RENAME, .inode = parent, .other = other, .child = inode_at(to, new)};
    put(record, name, new_name, NULL, 0);
}

int rename(const char *old, const char *new) {
    return CHANGING(REAL(rename)(old, new), if (result == 0) renamed(AT_FDCWD, old, AT_FDCWD, new, 0));
}

int renameat(int from, const char *old, int to, const char *new) {
    return CHANGING(REAL(renameat)(from, old, to, new), if (result == 0) renamed(from, old, to, new, 0));
}

int renameat2(int from, const char *old, int to, const char *new, unsigned flags) {
    return CHANGING(REAL(renameat2)(from, old, to, new, flags), if (result == 0) renamed(from, old, to, new, flags));
}

// Calls that the gateway has no use for; where it had, they would show here.
static void refuse_below(int directory, const char *path, const char *what) {
    char name[NAME_MAX + 1];
    uint64_t parent;
    if (place(directory, path, &parent, name)) unsupported(what);
}

int symlink(const char *target, const char *path) {
    return CHANGING(REAL(symlink)(target, path), refuse_below(AT_FDCWD, path, "symlink"));
}

#define TRUNCATE_PATH(name)                                                                                            \
    int name(const char *path, off_t size) {                                                                           \
        return CHANGING(REAL(name)(path, size), refuse_below(AT_FDCWD, path, "truncate of a path"));                   \
    }
TRUNCATE_PATH(truncate)
TRUNCATE_PATH(truncate64)

static void *mapped(void *at, size_t size, int access, int flags, int file, off_t offset, __typeof__(&mmap) real) {
    char link[64], path[PATH_MAX] = {0};
    if ((access & PROT_WRITE) && (flags & MAP_SHARED) && file >= 0) {
        struct stat status;
        enter();
        snprintf(link, sizeof link, "/proc/self/fd/%d", file);
        ssize_t length = readlink(link, path, sizeof path - 1);
        int is_shm = length > 4 && strcmp(path + length - 4, "-shm") == 0;
        if (!is_shm && is_recorded(file, &status)) unsupported("a shared mapping that can be written");
        pthread_mutex_unlock(&lock);
    }
    return real(at, size, access, flags, file, offset);
}

void *mmap(void *at, size_t size, int access, int flags, int file, off_t offset) {
    return mapped(at, size, access, flags, file, offset, REAL(mmap));
}

void *mmap64(void *at, size_t size, int access, int flags, int file, off_t offset) {
    return mapped(at, size, access, flags, file, offset, REAL(mmap64));
}
