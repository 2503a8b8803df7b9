#ifndef CSQLite_H
#define CSQLite_H
#endif
