#ifndef CSQLite_H
#define CSQLite_H

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

/// Binds a copy of the bytes. `bytes` may be null where `count` is 0: an empty blob is bound then, not NULL.
int csqlite_bind_blob(sqlite3_stmt *statement, int index, const void *bytes, size_t count);

/// Binds a copy of the UTF-8 text.
int csqlite_bind_text(sqlite3_stmt *statement, int index, const void *text, size_t count);

/// Keeps the connection from checkpointing when it is the last one to be closed. Returns an SQLite result code.
int csqlite_disable_checkpoint_on_close(sqlite3 *connection);

/// Counts the pages that the connection has written since the last call.
int csqlite_take_pages_written(sqlite3 *connection);

/// How many pages the write-ahead log's file has room for: at least as many as are in it. 0 where there is none.
int csqlite_pages_in_log(sqlite3 *connection);

/// Creates the file for this user alone where it does not exist, and locks it against other processes for as long as
/// the descriptor is open; the file then names this process. Returns the descriptor, or minus errno. `holder` is then
/// the id of the process that holds the lock, 0 where that one is not known, and -1 where none holds it.
int csqlite_lock_file(const char *path, int *holder);

/// Creates the file for this user alone where it does not exist. Returns 0 or minus errno.
int csqlite_create_file(const char *path);

/// Closes a descriptor of this header.
void csqlite_close(int descriptor);

/// Makes a semaphore of the kernel's (an eventfd). Returns its descriptor, or minus errno.
int csqlite_event_create(void);

/// Lets one waiter pass, now or later.
void csqlite_event_signal(int descriptor);

/// Waits until it is let pass.
void csqlite_event_wait(int descriptor);

/// Starts a detached thread that calls the function once. Returns 0 or minus errno; the function is not called then.
int csqlite_start_thread(const char *name, void (*function)(void *), void *context);

/// For tests: registers a file system under the name "faulty", which does what the system's does and fails when it is
/// told to. Returns an SQLite result code.
int csqlite_faults_register(void);

/// For tests: lets the n-th write, truncation or sync from now fail, for good where `persists`, with SQLITE_FULL where
/// `code` is that and it is a write, and with an I/O error otherwise. 0 calls: nothing fails.
void csqlite_faults_set(int calls, int code, int persists);

#endif
