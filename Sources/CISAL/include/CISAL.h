// ISA-L behind flat buffers: every cell of a stripe lies in one buffer at a fixed stride, so that Swift passes spans
// and no pointers.
#ifndef CISAL_H
#define CISAL_H

#include <lifetimebound.h>
#include <ptrcheck.h>
#include <stdint.h>

// The CRC-64 of ECMA-182, reflected (CRC-64/XZ), continuing from `seed`; 0 begins.
uint64_t cisal_crc64(uint64_t seed, const void *__sized_by(length) bytes __noescape, int length);

// The same over the eight bytes of `word`, most significant first.
uint64_t cisal_crc64_word(uint64_t seed, uint64_t word);

// Fills `matrix`, rows × columns, with the identity above a Cauchy matrix. Does nothing where the lengths do not fit.
void cisal_cauchy(int rows, int columns, void *__sized_by(length) matrix __noescape, int length);

// Inverts the size × size matrix in `input` into `output`. `input` is overwritten.
// Returns 0, or -1 for a singular matrix or lengths that do not fit.
int cisal_invert(
    int size, void *__sized_by(length) input __noescape, int length,
    void *__sized_by(output_length) output __noescape, int output_length);

// The row vector `row` of `size` coefficients times the size × size `matrix`, into `product`.
// Returns 0, or -1 for lengths that do not fit.
int cisal_product(
    int size, const void *__sized_by(row_length) row __noescape, int row_length,
    const void *__sized_by(length) matrix __noescape, int length,
    void *__sized_by(product_length) product __noescape, int product_length);

// Expands `rows` rows of `columns` coefficients into the 32 bytes a coefficient that the kernels want.
// Returns 0, or -1 for lengths that do not fit.
int cisal_tables(
    int rows, int columns, const void *__sized_by(length) coefficients __noescape, int length,
    void *__sized_by(tables_length) tables __noescape, int tables_length);

// Computes `outputs` cells of `cell` bytes from `sources` cells. Cell n begins at n × stride; the outputs follow the
// sources. Returns 0, or -1 for lengths that do not fit.
int cisal_combine(
    int sources, int outputs, const void *__sized_by(tables_length) tables __noescape, int tables_length,
    void *__sized_by(length) cells __noescape, int length, int cell, int stride);

#endif
