// Empty on purpose: only the flags of pkg-config are wanted; CXML2 includes the headers itself.
