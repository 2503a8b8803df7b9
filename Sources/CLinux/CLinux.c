// The C side of Linux; see include/CLinux.h.
