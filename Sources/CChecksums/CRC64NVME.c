// CRC-64/NVME (NVM Express NVM Command Set 1.0 §5.2.1.3.4): reflected, register and output inverted.
//
// ISA-L 2.30, which Debian 12 has, lacks it. The fast way folds the message 64 bytes at a time by carry-less
// multiplication (Gopal and others, "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction",
// Intel, 2009); what is left after folding, 16 bytes congruent to the message, goes through the tables, so that no
// further reduction is needed.

#include "CChecksums.h"

#include <pthread.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// x^64 + … + 1, the term x^64 left out, bit 63 standing for x^0.
static const uint64_t polynomial = 0x9a6c9329ac4bc9b5;

// tables[n][b] is the register after byte b and n zero bytes.
static uint64_t tables[8][256];
// Multipliers that move the first and the second half of 16 bytes 64 bytes onward, and 16 bytes onward.
static uint64_t far[2], near[2];
static int accelerated;
static pthread_once_t once = PTHREAD_ONCE_INIT;

// x^exponent modulo the polynomial, in reflected bits.
static uint64_t power(int exponent) {
    uint64_t value = (uint64_t)1 << 63;
    for (int i = 0; i < exponent; i++) value = value >> 1 ^ (value & 1 ? polynomial : 0);
    return value;
}

static void prepare(void) {
    for (int byte = 0; byte < 256; byte++) {
        uint64_t state = (uint64_t)byte;
        for (int bit = 0; bit < 8; bit++) state = state >> 1 ^ (state & 1 ? polynomial : 0);
        tables[0][byte] = state;
    }
    for (int zeros = 1; zeros < 8; zeros++) {
        for (int byte = 0; byte < 256; byte++) {
            uint64_t before = tables[zeros - 1][byte];
            tables[zeros][byte] = before >> 8 ^ tables[0][before & 255];
        }
    }
    // The product of two reflected 64-bit numbers stands one bit too low in 128 bits, which one less in the exponent
    // corrects.
    far[0] = power(512 + 63);
    far[1] = power(512 - 1);
    near[0] = power(128 + 63);
    near[1] = power(128 - 1);
#if defined(__x86_64__)
    accelerated = __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1");
#endif
}

// The register after these bytes, without any inversion.
static uint64_t advance(uint64_t state, const uint8_t *bytes, size_t count) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    for (; count >= 8; bytes += 8, count -= 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        word ^= state;
        state = tables[7][word & 255] ^ tables[6][word >> 8 & 255] ^ tables[5][word >> 16 & 255]
            ^ tables[4][word >> 24 & 255] ^ tables[3][word >> 32 & 255] ^ tables[2][word >> 40 & 255]
            ^ tables[1][word >> 48 & 255] ^ tables[0][word >> 56];
    }
#endif
    for (; count > 0; bytes++, count--) state = state >> 8 ^ tables[0][(state ^ *bytes) & 255];
    return state;
}

#if defined(__x86_64__)

__attribute__((target("pclmul,sse4.1"))) static __m128i fold(__m128i block, __m128i multipliers, __m128i next) {
    __m128i first = _mm_clmulepi64_si128(block, multipliers, 0x00);
    __m128i second = _mm_clmulepi64_si128(block, multipliers, 0x11);
    return _mm_xor_si128(_mm_xor_si128(first, second), next);
}

// As `advance`, for at least 64 bytes.
__attribute__((target("pclmul,sse4.1"))) static uint64_t advance_by_folding(uint64_t state, const uint8_t *bytes,
                                                                            size_t count) {
    const __m128i onward64 = _mm_set_epi64x((long long)far[1], (long long)far[0]);
    const __m128i onward16 = _mm_set_epi64x((long long)near[1], (long long)near[0]);
    __m128i lanes[4];
    for (int i = 0; i < 4; i++) lanes[i] = _mm_loadu_si128((const __m128i *)(bytes + 16 * i));
    lanes[0] = _mm_xor_si128(lanes[0], _mm_cvtsi64_si128((long long)state));
    for (bytes += 64, count -= 64; count >= 64; bytes += 64, count -= 64) {
        for (int i = 0; i < 4; i++) {
            lanes[i] = fold(lanes[i], onward64, _mm_loadu_si128((const __m128i *)(bytes + 16 * i)));
        }
    }
    __m128i all = lanes[0];
    for (int i = 1; i < 4; i++) all = fold(all, onward16, lanes[i]);
    for (; count >= 16; bytes += 16, count -= 16) all = fold(all, onward16, _mm_loadu_si128((const __m128i *)bytes));
    uint8_t left[16];
    _mm_storeu_si128((__m128i *)left, all);
    return advance(advance(0, left, 16), bytes, count);
}

#endif

uint64_t tg_crc64nvme_by_tables(uint64_t before, const void *bytes, size_t count) {
    pthread_once(&once, prepare);
    return ~advance(~before, bytes, count);
}

uint64_t tg_crc64nvme(uint64_t before, const void *bytes, size_t count) {
    pthread_once(&once, prepare);
#if defined(__x86_64__)
    if (accelerated && count >= 128) return ~advance_by_folding(~before, bytes, count);
#endif
    return ~advance(~before, bytes, count);
}

int tg_crc64nvme_is_accelerated(void) {
    pthread_once(&once, prepare);
    return accelerated;
}
