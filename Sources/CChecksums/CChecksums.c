// CRC32, CRC32C and xxHash by their libraries; see include/CChecksums.h.

#include "CChecksums.h"

#include <isa-l/crc.h>
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

struct tg_xxhash {
    int kind;
    XXH64_state_t *xxh64;
    XXH3_state_t *xxh3;
};

tg_xxhash *tg_xxhash_create(int kind) {
    tg_xxhash *hash = calloc(1, sizeof *hash);
    if (!hash) return NULL;
    hash->kind = kind;
    XXH_errorcode code = XXH_ERROR;
    if (kind == tg_xxh64) {
        hash->xxh64 = XXH64_createState();
        if (hash->xxh64) code = XXH64_reset(hash->xxh64, 0);
    } else if (kind == tg_xxh3 || kind == tg_xxh128) {
        hash->xxh3 = XXH3_createState();
        if (hash->xxh3) code = kind == tg_xxh3 ? XXH3_64bits_reset(hash->xxh3) : XXH3_128bits_reset(hash->xxh3);
    }
    if (code == XXH_OK) return hash;
    tg_xxhash_destroy(hash);
    return NULL;
}

void tg_xxhash_destroy(tg_xxhash *hash) {
    if (hash->xxh64) XXH64_freeState(hash->xxh64);
    if (hash->xxh3) XXH3_freeState(hash->xxh3);
    free(hash);
}

int tg_xxhash_update(tg_xxhash *hash, const void *bytes, size_t count) {
    if (count == 0) return 1;
    switch (hash->kind) {
    case tg_xxh64: return XXH64_update(hash->xxh64, bytes, count) == XXH_OK;
    case tg_xxh3: return XXH3_64bits_update(hash->xxh3, bytes, count) == XXH_OK;
    default: return XXH3_128bits_update(hash->xxh3, bytes, count) == XXH_OK;
    }
}

void tg_xxhash_value(const tg_xxhash *hash, uint8_t *output) {
    switch (hash->kind) {
    case tg_xxh64: XXH64_canonicalFromHash((XXH64_canonical_t *)output, XXH64_digest(hash->xxh64)); break;
    case tg_xxh3: XXH64_canonicalFromHash((XXH64_canonical_t *)output, XXH3_64bits_digest(hash->xxh3)); break;
    default: XXH128_canonicalFromHash((XXH128_canonical_t *)output, XXH3_128bits_digest(hash->xxh3)); break;
    }
}
