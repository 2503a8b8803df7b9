// The C side of XML2; see include/CXML2.h.
