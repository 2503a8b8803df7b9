// CRC32, CRC32C and xxHash by their libraries; see include/CChecksums.h.

#include "CChecksums.h"

#include <isa-l/crc.h>
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

uint32_t tg_crc32(uint32_t before, const void *bytes, size_t count) {
    return count ? crc32_gzip_refl(before, bytes, count) : before;
}

uint32_t tg_crc32c(uint32_t before, const void *bytes, size_t count) {
    // ISA-L's function neither inverts nor takes more than an int.
    const size_t step = 1 << 30;
    uint8_t *next = (uint8_t *)bytes;
    uint32_t state = ~before;
    while (count > 0) {
        size_t taken = count < step ? count : step;
        state = crc32_iscsi(next, (int)taken, state);
        next += taken;
        count -= taken;
    }
    return ~state;
}

// A hash cannot fail but without memory, where Swift's own allocations end the process too.
static void require(int done) {
    if (done) return;
    fputs("xxHash could not compute a hash.\n", stderr);
    abort();
}

struct tg_xxhash {
    int kind;
    XXH64_state_t *xxh64;
    XXH3_state_t *xxh3;
};

tg_xxhash *tg_xxhash_create(int kind) {
    tg_xxhash *hash = calloc(1, sizeof *hash);
    require(hash != NULL);
    hash->kind = kind;
    if (kind == tg_xxh64) {
        hash->xxh64 = XXH64_createState();
        require(hash->xxh64 && XXH64_reset(hash->xxh64, 0) == XXH_OK);
    } else {
        hash->xxh3 = XXH3_createState();
        require(hash->xxh3 != NULL);
        require((kind == tg_xxh3 ? XXH3_64bits_reset(hash->xxh3) : XXH3_128bits_reset(hash->xxh3)) == XXH_OK);
    }
    return hash;
}

void tg_xxhash_destroy(tg_xxhash *hash) {
    if (hash->xxh64) XXH64_freeState(hash->xxh64);
    if (hash->xxh3) XXH3_freeState(hash->xxh3);
    free(hash);
}

void tg_xxhash_update(tg_xxhash *hash, const void *bytes, size_t count) {
    if (count == 0) return;
    switch (hash->kind) {
    case tg_xxh64: require(XXH64_update(hash->xxh64, bytes, count) == XXH_OK); break;
    case tg_xxh3: require(XXH3_64bits_update(hash->xxh3, bytes, count) == XXH_OK); break;
    default: require(XXH3_128bits_update(hash->xxh3, bytes, count) == XXH_OK); break;
    }
}

void tg_xxhash_value(const tg_xxhash *hash, uint8_t *output) {
    switch (hash->kind) {
    case tg_xxh64: XXH64_canonicalFromHash((XXH64_canonical_t *)output, XXH64_digest(hash->xxh64)); break;
    case tg_xxh3: XXH64_canonicalFromHash((XXH64_canonical_t *)output, XXH3_64bits_digest(hash->xxh3)); break;
    default: XXH128_canonicalFromHash((XXH128_canonical_t *)output, XXH3_128bits_digest(hash->xxh3)); break;
    }
}
