#ifndef CXML2_H
#define CXML2_H
#endif
