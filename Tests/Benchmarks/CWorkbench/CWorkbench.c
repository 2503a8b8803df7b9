#include "include/CWorkbench.h"

#include <isa-l/crc64.h>
#include <isa-l/erasure_code.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { most_cells = 64, alignment = 64, bytes_per_coefficient = 32 };

static uint64_t read_clock(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

uint64_t bench_thread_nanoseconds(void) { return read_clock(CLOCK_THREAD_CPUTIME_ID); }

uint64_t bench_process_nanoseconds(void) { return read_clock(CLOCK_PROCESS_CPUTIME_ID); }

struct stripe {
    int data, parity, cell, lost;
    uint8_t *content;            // what the data cells are filled from
    uint8_t *cells[most_cells];  // data, then parity
    uint8_t *present[most_cells];
    uint8_t *rebuilt[most_cells];
    uint8_t encode_tables[most_cells * most_cells * bytes_per_coefficient];
    uint8_t decode_tables[most_cells * most_cells * bytes_per_coefficient];
};

static int prepare(struct stripe *stripe) {
    int k = stripe->data, m = stripe->parity;
    uint8_t matrix[most_cells * most_cells], rows[most_cells * most_cells], inverse[most_cells * most_cells];
    gf_gen_cauchy1_matrix(matrix, k + m, k);
    ec_init_tables(k, m, matrix + k * k, stripe->encode_tables);
    // The first data cells are lost, so that the rows of the others are inverted.
    stripe->lost = m < k ? m : k;
    for (int i = 0; i < k; i++) memcpy(rows + i * k, matrix + (stripe->lost + i) * k, (size_t)k);
    if (gf_invert_matrix(rows, inverse, k) != 0) return -1;
    ec_init_tables(k, stripe->lost, inverse, stripe->decode_tables);
    size_t cell = (size_t)stripe->cell;
    stripe->content = malloc((size_t)k * cell);
    if (!stripe->content) return -1;
    for (size_t i = 0; i < (size_t)k * cell; i++) stripe->content[i] = (uint8_t)(i * 2654435761u >> 24);
    // With a line of the cache between them: cells whose size is a power of two would compete for it.
    size_t stride = cell + alignment;
    uint8_t *all = aligned_alloc(alignment, (size_t)(k + m + stripe->lost) * stride);
    if (!all) return -1;
    for (int i = 0; i < k + m; i++) stripe->cells[i] = all + (size_t)i * stride;
    for (int i = 0; i < stripe->lost; i++) stripe->rebuilt[i] = all + (size_t)(k + m + i) * stride;
    for (int i = 0; i < k; i++) stripe->present[i] = stripe->cells[stripe->lost + i];
    return 0;
}

static void fill(struct stripe *stripe) {
    size_t cell = (size_t)stripe->cell;
    for (int i = 0; i < stripe->data; i++) memcpy(stripe->cells[i], stripe->content + (size_t)i * cell, cell);
}

static void encode(struct stripe *stripe) {
    ec_encode_data(stripe->cell, stripe->data, stripe->parity, stripe->encode_tables, stripe->cells,
                   stripe->cells + stripe->data);
}

static void decode(struct stripe *stripe) {
    ec_encode_data(stripe->cell, stripe->data, stripe->lost, stripe->decode_tables, stripe->present, stripe->rebuilt);
}

static uint64_t checksum(const struct stripe *stripe) {
    uint64_t sum = 0;
    for (int i = 0; i < stripe->data + stripe->parity; i++) {
        sum ^= crc64_ecma_refl(0, stripe->cells[i], (uint64_t)stripe->cell);
    }
    return sum;
}

double bench_isal(enum bench_work work, int data, int parity, int cell, double seconds) {
    if (data < 1 || parity < 1 || 2 * parity + data > most_cells || cell < alignment || cell % alignment != 0) return 0;
    struct stripe *stripe = calloc(1, sizeof *stripe);
    if (!stripe) return 0;
    *stripe = (struct stripe){.data = data, .parity = parity, .cell = cell};
    double rate = 0;
    if (prepare(stripe) == 0) {
        fill(stripe);
        encode(stripe);
        decode(stripe);
        int is_right = 1;
        for (int i = 0; i < stripe->lost; i++) {
            is_right = is_right && memcmp(stripe->rebuilt[i], stripe->cells[i], (size_t)cell) == 0;
        }
        uint64_t taken = 0, stripes = 0, sum = 0, end = bench_thread_nanoseconds() + (uint64_t)(seconds * 1e9);
        for (uint64_t now = 0; is_right && now < end; stripes++) {
            fill(stripe);
            uint64_t start = bench_thread_nanoseconds();
            if (work == bench_decode) decode(stripe);
            else encode(stripe);
            if (work == bench_seal) sum ^= checksum(stripe);
            now = bench_thread_nanoseconds();
            taken += now - start;
        }
        // The sum is used, so that no compiler leaves it out.
        if (is_right && taken > 0 && sum != 1) rate = (double)stripes * data * cell / ((double)taken / 1e9);
    }
    free(stripe->content);
    free(stripe->cells[0]);
    free(stripe);
    return rate;
}
