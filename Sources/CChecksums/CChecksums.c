// The C side of Checksums; see include/CChecksums.h.
