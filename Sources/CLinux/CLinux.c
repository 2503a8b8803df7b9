// The C side of Linux; see include/CLinux.h.
#define _GNU_SOURCE
#include "CLinux.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

const int clinux_not_found = ENOENT, clinux_exists = EEXIST, clinux_no_space = ENOSPC, clinux_quota = EDQUOT,
          clinux_would_block = EWOULDBLOCK, clinux_is_link = ELOOP, clinux_not_directory = ENOTDIR,
          clinux_not_empty = ENOTEMPTY, clinux_crosses = EXDEV, clinux_io_error = EIO;

/// Repeats a call while a signal interrupts it, and turns -1 into the negated error number.
#define RETRY(call)                                  \
    ({                                               \
        __typeof__(call) result;                     \
        do result = (call);                          \
        while (result == -1 && errno == EINTR);      \
        result == -1 ? (__typeof__(call))-errno : result; \
    })

int clinux_open_root(const char *path) { return RETRY(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)); }

int clinux_make_root(const char *path) { return RETRY(mkdir(path, 0700)); }

int clinux_open_beneath(int directory, const char *path, enum clinux_mode mode) {
    struct open_how how = {
        .flags = O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
    switch (mode) {
    case CLINUX_READ: how.flags |= O_RDONLY; break;
    case CLINUX_DIRECTORY: how.flags |= O_RDONLY | O_DIRECTORY; break;
    case CLINUX_CREATE: how.flags |= O_RDWR | O_CREAT | O_EXCL; break;
    case CLINUX_UPDATE: how.flags |= O_RDWR; break;
    case CLINUX_ENSURE: how.flags |= O_RDWR | O_CREAT; break;
    }
    if (how.flags & O_CREAT) how.mode = 0600;
    // EAGAIN says that a rename elsewhere raced with the lookup of "..", which our paths do not hold; it is tried again
    // all the same, a bounded number of times.
    for (int attempt = 0;; attempt++) {
        long result = RETRY(syscall(SYS_openat2, directory, path, &how, sizeof how));
        if (result != -EAGAIN || attempt == 16) return (int)result;
    }
}

// Linux frees the descriptor even where close is interrupted, so that it is never repeated.
int clinux_close(int descriptor) { return close(descriptor) == -1 ? -errno : 0; }

int clinux_make_directory(int directory, const char *name) { return RETRY(mkdirat(directory, name, 0700)); }

int clinux_remove_file(int directory, const char *name) { return RETRY(unlinkat(directory, name, 0)); }

int clinux_remove_directory(int directory, const char *name) { return RETRY(unlinkat(directory, name, AT_REMOVEDIR)); }

int clinux_rename(int from_directory, const char *from, int to_directory, const char *to) {
    return RETRY(renameat(from_directory, from, to_directory, to));
}

// Some file systems know no such rename: there, a name that is taken is found beforehand.
int clinux_rename_new(int from_directory, const char *from, int to_directory, const char *to) {
    int result = RETRY(renameat2(from_directory, from, to_directory, to, RENAME_NOREPLACE));
    if (result != -EINVAL && result != -ENOSYS) return result;
    struct stat found;
    result = RETRY(fstatat(to_directory, to, &found, AT_SYMLINK_NOFOLLOW));
    if (result != -ENOENT) return result == 0 ? -EEXIST : result;
    return clinux_rename(from_directory, from, to_directory, to);
}

static void fill(struct clinux_status *status, const struct stat *found) {
    status->size = found->st_size;
    status->links = found->st_nlink;
    status->device = found->st_dev;
    status->inode = found->st_ino;
    status->is_regular = S_ISREG(found->st_mode);
    status->is_directory = S_ISDIR(found->st_mode);
}

int clinux_status_of(int descriptor, struct clinux_status *status) {
    struct stat found;
    int result = RETRY(fstat(descriptor, &found));
    if (result == 0) fill(status, &found);
    return result;
}

static int64_t bytes_of(uint64_t blocks, uint64_t size) {
    int64_t bytes;
    return __builtin_mul_overflow(blocks, size, &bytes) ? INT64_MAX / 2 : bytes;
}

int clinux_space_of(int descriptor, int64_t *used, int64_t *available) {
    struct statvfs found;
    int result = RETRY(fstatvfs(descriptor, &found));
    if (result < 0) return result;
    *used = bytes_of(found.f_blocks > found.f_bfree ? found.f_blocks - found.f_bfree : 0, found.f_frsize);
    *available = bytes_of(found.f_bavail, found.f_frsize);
    return 0;
}

int clinux_status_at(int directory, const char *name, struct clinux_status *status) {
    struct stat found;
    int result = RETRY(fstatat(directory, name, &found, AT_SYMLINK_NOFOLLOW));
    if (result == 0) fill(status, &found);
    return result;
}

int64_t clinux_next_names(int directory, char *names, size_t capacity) {
    struct entry {
        uint64_t inode;
        int64_t offset;
        uint16_t length;
        uint8_t type;
        char name[];
    };
    _Alignas(struct entry) char entries[1 << 15];
    if (capacity < sizeof entries) return -EINVAL;
    for (;;) {
        long count = RETRY(syscall(SYS_getdents64, directory, entries, sizeof entries));
        if (count <= 0) return count;
        size_t filled = 0;
        for (long at = 0; at < count;) {
            const struct entry *entry = (const struct entry *)(entries + at);
            at += entry->length;
            if (strcmp(entry->name, ".") == 0 || strcmp(entry->name, "..") == 0) continue;
            // A name and its zero byte are shorter than the entry that held them, so that they always fit.
            size_t length = strlen(entry->name) + 1;
            memcpy(names + filled, entry->name, length);
            filled += length;
        }
        if (filled > 0) return (int64_t)filled;
    }
}

int clinux_lock(int descriptor) { return RETRY(flock(descriptor, LOCK_EX | LOCK_NB)); }

int64_t clinux_read(int descriptor, void *bytes, size_t count, int64_t offset) {
    size_t done = 0;
    while (done < count) {
        ssize_t result = RETRY(pread(descriptor, (char *)bytes + done, count - done, offset + (int64_t)done));
        if (result < 0) return result;
        if (result == 0) break;
        done += (size_t)result;
    }
    return (int64_t)done;
}

int64_t clinux_read_cached(int descriptor, void *bytes, size_t count, int64_t offset) {
    struct iovec piece = {bytes, count};
    ssize_t result = preadv2(descriptor, &piece, 1, offset, RWF_NOWAIT);
    // Whatever else keeps it from reading so is for the ordinary read to find.
    if (result < 0) return errno == EIO ? -EIO : -EAGAIN;
    return (size_t)result == count ? (int64_t)count : -EAGAIN;
}

int clinux_write(int descriptor, const void *bytes, size_t count, int64_t offset) {
    size_t done = 0;
    while (done < count) {
        ssize_t result = RETRY(pwrite(descriptor, (const char *)bytes + done, count - done, offset + (int64_t)done));
        if (result < 0) return (int)result;
        if (result == 0) return -EIO;
        done += (size_t)result;
    }
    return 0;
}

// A failed sync is never repeated: the kernel may have dropped the pages and would report success. EINTR says that
// nothing was decided.
int clinux_sync(int descriptor) { return RETRY(fsync(descriptor)); }

int clinux_sync_data(int descriptor) { return RETRY(fdatasync(descriptor)); }

int clinux_start_writeback(int descriptor, int64_t offset, int64_t count) {
    return RETRY(sync_file_range(descriptor, offset, count, SYNC_FILE_RANGE_WRITE));
}

int clinux_allocate(int descriptor, int64_t size) {
    int result = RETRY(fallocate(descriptor, 0, 0, size));
    return result == -EOPNOTSUPP ? 0 : result;
}

int clinux_truncate(int descriptor, int64_t size) { return RETRY(ftruncate(descriptor, size)); }

int clinux_make_bell(void) { return RETRY(eventfd(0, EFD_CLOEXEC | EFD_SEMAPHORE)); }

int clinux_ring(int bell, uint32_t times) {
    uint64_t value = times;
    ssize_t result = RETRY(write(bell, &value, sizeof value));
    return result < 0 ? (int)result : 0;
}

int clinux_await_ring(int bell) {
    uint64_t value;
    ssize_t result = RETRY(read(bell, &value, sizeof value));
    return result < 0 ? (int)result : 0;
}

struct start {
    void (*body)(void *);
    void *context;
    char name[16];
};

static void *run(void *argument) {
    struct start start = *(struct start *)argument;
    free(argument);
    // By itself: whoever started the thread may look at it only once it has ended, and is gone.
    pthread_setname_np(pthread_self(), start.name);
    start.body(start.context);
    return NULL;
}

int clinux_start_thread(const char *name, void (*body)(void *), void *context) {
    struct start *start = malloc(sizeof *start);
    if (start == NULL) return -ENOMEM;
    *start = (struct start){body, context, ""};
    snprintf(start->name, sizeof start->name, "%s", name);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    int result = pthread_create(&thread, &attributes, run, start);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (result != 0) free(start);
    return -result;
}

void clinux_describe(int error, char *text, size_t capacity) {
    char buffer[128];
    const char *message = strerror_r(error, buffer, sizeof buffer);
    strncpy(text, message, capacity - 1);
    text[capacity - 1] = 0;
}

int clinux_forbid_dumps(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 ? 0 : -errno; }

bool clinux_limit_heaps(int perProcessor) {
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    return mallopt(M_ARENA_MAX, (processors > 0 ? (int)processors : 1) * perProcessor) == 1;
}
