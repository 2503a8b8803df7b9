// The C side of SQLite; see include/CSQLite.h.
