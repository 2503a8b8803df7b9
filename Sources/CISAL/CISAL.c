// The C side of CISAL; see include/CISAL.h.
#include "include/CISAL.h"

#include <isa-l/crc64.h>
#include <isa-l/erasure_code.h>

enum { most_sources = 32, most_outputs = 32, bytes_per_coefficient = 32 };

uint64_t cisal_crc64(uint64_t seed, const void *bytes, int length) {
    return length <= 0 ? seed : crc64_ecma_refl(seed, bytes, (uint64_t)length);
}

uint64_t cisal_crc64_word(uint64_t seed, uint64_t word) {
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++) bytes[i] = (unsigned char)(word >> (56 - 8 * i));
    return crc64_ecma_refl(seed, bytes, sizeof bytes);
}

void cisal_cauchy(int rows, int columns, void *matrix, int length) {
    if (columns < 1 || rows < columns || rows > 255 || length != rows * columns) return;
    gf_gen_cauchy1_matrix(matrix, rows, columns);
}

int cisal_invert(int size, void *input, int length, void *output, int output_length) {
    if (size < 1 || size > most_sources || length != size * size || output_length != length) return -1;
    return gf_invert_matrix(input, output, size);
}

int cisal_product(
    int size, const void *row, int row_length, const void *matrix, int length, void *product, int product_length) {
    if (size < 1 || size > most_sources || row_length != size || length != size * size || product_length != size)
        return -1;
    const unsigned char *left = row, *right = matrix;
    unsigned char *result = product;
    for (int column = 0; column < size; column++) {
        unsigned char sum = 0;
        for (int i = 0; i < size; i++) sum ^= gf_mul(left[i], right[i * size + column]);
        result[column] = sum;
    }
    return 0;
}

int cisal_tables(
    int rows, int columns, const void *coefficients, int length, void *tables, int tables_length) {
    if (rows < 1 || rows > most_outputs || columns < 1 || columns > most_sources || length != rows * columns ||
        tables_length != length * bytes_per_coefficient)
        return -1;
    // The library only reads the coefficients; its prototype lacks the const.
    ec_init_tables(columns, rows, (unsigned char *)coefficients, tables);
    return 0;
}

int cisal_combine(
    int sources, int outputs, const void *tables, int tables_length, void *cells, int length, int cell, int stride) {
    if (sources < 1 || sources > most_sources || outputs < 1 || outputs > most_outputs || cell < 1 || stride < cell ||
        tables_length != sources * outputs * bytes_per_coefficient ||
        (int64_t)(sources + outputs - 1) * stride + cell > length)
        return -1;
    unsigned char *source[most_sources];
    unsigned char *output[most_outputs];
    for (int i = 0; i < sources; i++) source[i] = (unsigned char *)cells + (int64_t)i * stride;
    for (int i = 0; i < outputs; i++) output[i] = (unsigned char *)cells + (int64_t)(sources + i) * stride;
    // The library only reads the tables; its prototype lacks the const.
    ec_encode_data(cell, sources, outputs, (unsigned char *)tables, source, output);
    return 0;
}
