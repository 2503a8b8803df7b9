// Loaded before the C library: calls on files whose path has a given part fail. FAIL_FILES_CONTROL names a file of
// lines `CALL PART ERRNO`, where CALL is read, write or sync; it is read again with each call, so that a change shows
// at once.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

typedef ssize_t (*reading)(int, void *, size_t, off_t);
typedef ssize_t (*writing)(int, const void *, size_t, off_t);
typedef ssize_t (*appending)(int, const void *, size_t);
typedef ssize_t (*plain_reading)(int, void *, size_t);
typedef int (*syncing)(int);

// The control file is read by this, since read itself is ours.
static ssize_t real_read(int file, void *bytes, size_t count) {
    static plain_reading real;
    if (!real) real = (plain_reading)dlsym(RTLD_NEXT, "read");
    return real(file, bytes, count);
}

// The error that a call on an open file is to meet, or 0.
static int fault(const char *call, int file) {
    static const char *control;
    if (!control && !(control = getenv("FAIL_FILES_CONTROL"))) return 0;
    char rules[1024] = {0}, link[64], path[512] = {0};
    int opened = open(control, O_RDONLY | O_CLOEXEC);
    if (opened < 0) return 0;
    ssize_t count = real_read(opened, rules, sizeof rules - 1);
    close(opened);
    if (count <= 0) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    if (readlink(link, path, sizeof path - 1) <= 0) return 0;
    char *rest = NULL;
    for (char *line = strtok_r(rules, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char name[16], part[256];
        int error;
        if (sscanf(line, "%15s %255s %d", name, part, &error) != 3) continue;
        if (strcmp(name, call) == 0 && strstr(path, part)) return error;
    }
    return 0;
}

#define FAIL(call, file)                                                                                               \
    do {                                                                                                               \
        int kept = errno, error = fault(call, file);                                                                   \
        errno = error ? error : kept;                                                                                  \
        if (error) return -1;                                                                                          \
    } while (0)

#define REAL(type, name) ((type)dlsym(RTLD_NEXT, name))

ssize_t pread(int file, void *bytes, size_t count, off_t offset) {
    FAIL("read", file);
    return REAL(reading, "pread")(file, bytes, count, offset);
}

ssize_t pread64(int file, void *bytes, size_t count, off_t offset) {
    FAIL("read", file);
    return REAL(reading, "pread64")(file, bytes, count, offset);
}

ssize_t pwrite(int file, const void *bytes, size_t count, off_t offset) {
    FAIL("write", file);
    return REAL(writing, "pwrite")(file, bytes, count, offset);
}

ssize_t pwrite64(int file, const void *bytes, size_t count, off_t offset) {
    FAIL("write", file);
    return REAL(writing, "pwrite64")(file, bytes, count, offset);
}

ssize_t write(int file, const void *bytes, size_t count) {
    FAIL("write", file);
    return REAL(appending, "write")(file, bytes, count);
}

int fsync(int file) {
    FAIL("sync", file);
    return REAL(syncing, "fsync")(file);
}

int fdatasync(int file) {
    FAIL("sync", file);
    return REAL(syncing, "fdatasync")(file);
}
