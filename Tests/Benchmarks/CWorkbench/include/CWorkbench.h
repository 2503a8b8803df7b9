// What the workbench holds the product against, and the clocks that it measures both by.
#ifndef CWORKBENCH_H
#define CWORKBENCH_H

#include <stdint.h>

/// Nanoseconds of the processor that the calling thread, or all threads of the process, have used.
uint64_t bench_thread_nanoseconds(void);
uint64_t bench_process_nanoseconds(void);

/// What of ISA-L is called on each stripe.
enum bench_work {
    /// `ec_encode_data`, to the parity cells.
    bench_encode = 0,
    /// The same, from the other cells to the first data cells, as many as there is parity.
    bench_decode = 1,
    /// `ec_encode_data` to the parity cells, and `crc64_ecma_refl` over each cell.
    bench_seal = 2,
};

/// Calls ISA-L's functions alone, for some seconds of the thread's time, on stripes in aligned cells that lie as they
/// do best. Their data is copied to where it is just before. Returns bytes of data a second of what the calls took; the
/// copies do not count. 0 where something failed: a lack of memory, or a wrong result.
double bench_isal(enum bench_work work, int data, int parity, int cell, double seconds);

#endif
