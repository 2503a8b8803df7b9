// The C side of SQLite; see include/CSQLite.h.
#define _GNU_SOURCE
#include "CSQLite.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <unistd.h>

int csqlite_bind_blob(sqlite3_stmt *statement, int index, const void *bytes, size_t count) {
    if (count == 0) return sqlite3_bind_zeroblob(statement, index, 0);
    return sqlite3_bind_blob64(statement, index, bytes, count, SQLITE_TRANSIENT);
}

int csqlite_bind_text(sqlite3_stmt *statement, int index, const void *text, size_t count) {
    return sqlite3_bind_text64(statement, index, text ? text : "", count, SQLITE_TRANSIENT, SQLITE_UTF8);
}

int csqlite_disable_checkpoint_on_close(sqlite3 *connection) {
    return sqlite3_db_config(connection, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)0);
}

int csqlite_take_pages_written(sqlite3 *connection) {
    int pages = 0, highest = 0;
    if (sqlite3_db_status(connection, SQLITE_DBSTATUS_CACHE_WRITE, &pages, &highest, 1) != SQLITE_OK) return 0;
    return pages;
}

int csqlite_pages_in_log(sqlite3 *connection) {
    enum { page = 8192 };
    sqlite3_file *log = NULL;
    sqlite3_int64 size = 0;
    // In WAL mode, the log is what is asked for; it is open once something was read.
    if (sqlite3_file_control(connection, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) != SQLITE_OK) return 0;
    if (!log || !log->pMethods || log->pMethods->xFileSize(log, &size) != SQLITE_OK) return 0;
    return (int)(size / page);
}

int csqlite_lock_file(const char *path, int *holder) {
    char text[16] = {0};
    *holder = -1;
    int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0) return -errno;
    if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
        int error = errno;
        if (error == EWOULDBLOCK) *holder = pread(descriptor, text, sizeof text - 1, 0) > 0 ? atoi(text) : 0;
        close(descriptor);
        return -error;
    }
    // Only a message is made of it: where it cannot be written, whoever is refused learns less.
    int count = snprintf(text, sizeof text, "%d\n", (int)getpid());
    if (ftruncate(descriptor, 0) == 0) {
        ssize_t written = pwrite(descriptor, text, (size_t)count, 0);
        (void)written;
    }
    return descriptor;
}

int csqlite_create_file(const char *path) {
    int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0) return -errno;
    close(descriptor);
    return 0;
}

void csqlite_close(int descriptor) { close(descriptor); }

int csqlite_event_create(void) {
    int descriptor = eventfd(0, EFD_SEMAPHORE | EFD_CLOEXEC);
    return descriptor < 0 ? -errno : descriptor;
}

void csqlite_event_signal(int descriptor) {
    uint64_t one = 1;
    while (write(descriptor, &one, sizeof one) < 0 && errno == EINTR) {
    }
}

void csqlite_event_wait(int descriptor) {
    uint64_t value;
    while (read(descriptor, &value, sizeof value) < 0 && errno == EINTR) {
    }
}

struct csqlite_start {
    void (*function)(void *);
    void *context;
    char name[16];
};

static void *csqlite_thread_main(void *argument) {
    struct csqlite_start start = *(struct csqlite_start *)argument;
    free(argument);
    // By itself: whoever started the thread may look at it only once it has ended, and is gone.
    pthread_setname_np(pthread_self(), start.name);
    start.function(start.context);
    return 0;
}

int csqlite_start_thread(const char *name, void (*function)(void *), void *context) {
    struct csqlite_start *start = malloc(sizeof *start);
    if (!start) return -ENOMEM;
    start->function = function;
    start->context = context;
    snprintf(start->name, sizeof start->name, "%s", name);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    // Signals are for the main thread: these threads block in the kernel.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    int error = pthread_create(&thread, &attributes, csqlite_thread_main, start);
    pthread_sigmask(SIG_SETMASK, &before, 0);
    pthread_attr_destroy(&attributes);
    if (error != 0) {
        free(start);
        return -error;
    }
    return 0;
}
