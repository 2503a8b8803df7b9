// A file system for SQLite that fails on purpose; see csqlite_faults_* in include/CSQLite.h.
#include "CSQLite.h"

#include <stdatomic.h>
#include <string.h>

static sqlite3_vfs *base;
static sqlite3_vfs faulty;
// Calls until the fault, counted down by writes, truncations and syncs together; nothing fails while it is 0.
static _Atomic int countdown;
static _Atomic int fault_code;
static _Atomic int stays;

struct faulty_file {
    sqlite3_file file;
    sqlite3_file *real;
};

static sqlite3_file *real_of(sqlite3_file *file) { return ((struct faulty_file *)file)->real; }

// SQLITE_OK, or the code that the call is to fail with.
static int strike(void) {
    int left = atomic_load(&countdown);
    while (left > 0) {
        if (left == 1 && atomic_load(&stays)) return atomic_load(&fault_code);
        if (atomic_compare_exchange_weak(&countdown, &left, left - 1)) {
            return left == 1 ? atomic_load(&fault_code) : SQLITE_OK;
        }
    }
    return SQLITE_OK;
}

static int faulty_close(sqlite3_file *file) { return real_of(file)->pMethods->xClose(real_of(file)); }
static int faulty_read(sqlite3_file *file, void *bytes, int count, sqlite3_int64 offset) {
    return real_of(file)->pMethods->xRead(real_of(file), bytes, count, offset);
}
static int faulty_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 offset) {
    int code = strike();
    // A disk that fills up or breaks may still have taken the beginning.
    if (code != SQLITE_OK) {
        real_of(file)->pMethods->xWrite(real_of(file), bytes, count / 2, offset);
        return code == SQLITE_FULL ? SQLITE_FULL : SQLITE_IOERR_WRITE;
    }
    return real_of(file)->pMethods->xWrite(real_of(file), bytes, count, offset);
}
static int faulty_truncate(sqlite3_file *file, sqlite3_int64 size) {
    return strike() != SQLITE_OK ? SQLITE_IOERR_TRUNCATE : real_of(file)->pMethods->xTruncate(real_of(file), size);
}
static int faulty_sync(sqlite3_file *file, int flags) {
    return strike() != SQLITE_OK ? SQLITE_IOERR_FSYNC : real_of(file)->pMethods->xSync(real_of(file), flags);
}
static int faulty_size(sqlite3_file *file, sqlite3_int64 *size) {
    return real_of(file)->pMethods->xFileSize(real_of(file), size);
}
static int faulty_lock(sqlite3_file *file, int level) { return real_of(file)->pMethods->xLock(real_of(file), level); }
static int faulty_unlock(sqlite3_file *file, int level) {
    return real_of(file)->pMethods->xUnlock(real_of(file), level);
}
static int faulty_check(sqlite3_file *file, int *result) {
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), result);
}
static int faulty_control(sqlite3_file *file, int operation, void *argument) {
    return real_of(file)->pMethods->xFileControl(real_of(file), operation, argument);
}
static int faulty_sector(sqlite3_file *file) { return real_of(file)->pMethods->xSectorSize(real_of(file)); }
static int faulty_device(sqlite3_file *file) {
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}
static int faulty_map(sqlite3_file *file, int page, int size, int extend, void volatile **memory) {
    return real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, memory);
}
static int faulty_shm_lock(sqlite3_file *file, int offset, int count, int flags) {
    return real_of(file)->pMethods->xShmLock(real_of(file), offset, count, flags);
}
static void faulty_barrier(sqlite3_file *file) { real_of(file)->pMethods->xShmBarrier(real_of(file)); }
static int faulty_unmap(sqlite3_file *file, int removes) {
    return real_of(file)->pMethods->xShmUnmap(real_of(file), removes);
}

static const sqlite3_io_methods methods = {
    2,             faulty_close,  faulty_read,   faulty_write,   faulty_truncate, faulty_sync,
    faulty_size,   faulty_lock,   faulty_unlock, faulty_check,   faulty_control,  faulty_sector,
    faulty_device, faulty_map,    faulty_shm_lock, faulty_barrier, faulty_unmap,  0,
    0,
};

static int faulty_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out) {
    (void)vfs;
    struct faulty_file *opened = (struct faulty_file *)file;
    opened->file.pMethods = 0;
    opened->real = (sqlite3_file *)(opened + 1);
    int code = base->xOpen(base, name, opened->real, flags, out);
    if (opened->real->pMethods) opened->file.pMethods = &methods;
    return code;
}

int csqlite_faults_register(void) {
    if (base) return SQLITE_OK;
    base = sqlite3_vfs_find(0);
    if (!base) return SQLITE_ERROR;
    memcpy(&faulty, base, sizeof faulty);
    faulty.pNext = 0;
    faulty.zName = "faulty";
    faulty.szOsFile = (int)sizeof(struct faulty_file) + base->szOsFile;
    faulty.xOpen = faulty_open;
    return sqlite3_vfs_register(&faulty, 0);
}

void csqlite_faults_set(int calls, int code, int persists) {
    atomic_store(&fault_code, code);
    atomic_store(&stays, persists);
    atomic_store(&countdown, calls);
}
