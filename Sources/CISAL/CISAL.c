// The C side of ISAL; see include/CISAL.h.
