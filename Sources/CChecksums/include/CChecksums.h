#ifndef CChecksums_H
#define CChecksums_H
#endif
