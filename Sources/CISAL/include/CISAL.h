#ifndef CISAL_H
#define CISAL_H
#endif
