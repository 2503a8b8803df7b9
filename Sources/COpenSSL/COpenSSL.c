// The C side of OpenSSL; see include/COpenSSL.h.
