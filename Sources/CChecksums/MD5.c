// MD5 (RFC 1321) of one message, and of up to sixteen side by side.
//
// Each step of MD5 waits for the one before, so that one message uses a fraction of what a core can do. Eight messages
// in the lanes of AVX2 take hardly longer than one, and eight more are computed while those wait.

#include "CChecksums.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define F(x, y, z) ((z) ^ ((x) & ((y) ^ (z))))
#define G(x, y, z) (((x) & (z)) + ((y) & ~(z)))
#define H(x, y, z) ((x) ^ (y) ^ (z))
#define I(x, y, z) ((y) ^ ((x) | ~(z)))

// One step: the register, the three others, the word of the block, the constant, the rotation.
#define STEPS(S)                                                                                                     \
    S(F, a, b, c, d, 0, 0xd76aa478, 7) S(F, d, a, b, c, 1, 0xe8c7b756, 12) S(F, c, d, a, b, 2, 0x242070db, 17)       \
    S(F, b, c, d, a, 3, 0xc1bdceee, 22) S(F, a, b, c, d, 4, 0xf57c0faf, 7) S(F, d, a, b, c, 5, 0x4787c62a, 12)       \
    S(F, c, d, a, b, 6, 0xa8304613, 17) S(F, b, c, d, a, 7, 0xfd469501, 22) S(F, a, b, c, d, 8, 0x698098d8, 7)       \
    S(F, d, a, b, c, 9, 0x8b44f7af, 12) S(F, c, d, a, b, 10, 0xffff5bb1, 17) S(F, b, c, d, a, 11, 0x895cd7be, 22)    \
    S(F, a, b, c, d, 12, 0x6b901122, 7) S(F, d, a, b, c, 13, 0xfd987193, 12) S(F, c, d, a, b, 14, 0xa679438e, 17)    \
    S(F, b, c, d, a, 15, 0x49b40821, 22)                                                                             \
    S(G, a, b, c, d, 1, 0xf61e2562, 5) S(G, d, a, b, c, 6, 0xc040b340, 9) S(G, c, d, a, b, 11, 0x265e5a51, 14)       \
    S(G, b, c, d, a, 0, 0xe9b6c7aa, 20) S(G, a, b, c, d, 5, 0xd62f105d, 5) S(G, d, a, b, c, 10, 0x02441453, 9)       \
    S(G, c, d, a, b, 15, 0xd8a1e681, 14) S(G, b, c, d, a, 4, 0xe7d3fbc8, 20) S(G, a, b, c, d, 9, 0x21e1cde6, 5)      \
    S(G, d, a, b, c, 14, 0xc33707d6, 9) S(G, c, d, a, b, 3, 0xf4d50d87, 14) S(G, b, c, d, a, 8, 0x455a14ed, 20)      \
    S(G, a, b, c, d, 13, 0xa9e3e905, 5) S(G, d, a, b, c, 2, 0xfcefa3f8, 9) S(G, c, d, a, b, 7, 0x676f02d9, 14)       \
    S(G, b, c, d, a, 12, 0x8d2a4c8a, 20)                                                                             \
    S(H, a, b, c, d, 5, 0xfffa3942, 4) S(H, d, a, b, c, 8, 0x8771f681, 11) S(H, c, d, a, b, 11, 0x6d9d6122, 16)      \
    S(H, b, c, d, a, 14, 0xfde5380c, 23) S(H, a, b, c, d, 1, 0xa4beea44, 4) S(H, d, a, b, c, 4, 0x4bdecfa9, 11)      \
    S(H, c, d, a, b, 7, 0xf6bb4b60, 16) S(H, b, c, d, a, 10, 0xbebfbc70, 23) S(H, a, b, c, d, 13, 0x289b7ec6, 4)     \
    S(H, d, a, b, c, 0, 0xeaa127fa, 11) S(H, c, d, a, b, 3, 0xd4ef3085, 16) S(H, b, c, d, a, 6, 0x04881d05, 23)      \
    S(H, a, b, c, d, 9, 0xd9d4d039, 4) S(H, d, a, b, c, 12, 0xe6db99e5, 11) S(H, c, d, a, b, 15, 0x1fa27cf8, 16)     \
    S(H, b, c, d, a, 2, 0xc4ac5665, 23)                                                                              \
    S(I, a, b, c, d, 0, 0xf4292244, 6) S(I, d, a, b, c, 7, 0x432aff97, 10) S(I, c, d, a, b, 14, 0xab9423a7, 15)      \
    S(I, b, c, d, a, 5, 0xfc93a039, 21) S(I, a, b, c, d, 12, 0x655b59c3, 6) S(I, d, a, b, c, 3, 0x8f0ccc92, 10)      \
    S(I, c, d, a, b, 10, 0xffeff47d, 15) S(I, b, c, d, a, 1, 0x85845dd1, 21) S(I, a, b, c, d, 8, 0x6fa87e4f, 6)      \
    S(I, d, a, b, c, 15, 0xfe2ce6e0, 10) S(I, c, d, a, b, 6, 0xa3014314, 15) S(I, b, c, d, a, 13, 0x4e0811a1, 21)    \
    S(I, a, b, c, d, 4, 0xf7537e82, 6) S(I, d, a, b, c, 11, 0xbd3af235, 10) S(I, c, d, a, b, 2, 0x2ad7d2bb, 15)      \
    S(I, b, c, d, a, 9, 0xeb86d391, 21)

// The sum that does not depend on the step before is made first: compilers would rather add it last, in its way.
#if defined(__GNUC__)
#define KEEP(register) __asm__("" : "+r"(register));
#else
#define KEEP(register)
#endif

static uint32_t word(const uint8_t *bytes) {
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static void one(uint32_t state[4], const uint8_t *block, size_t blocks) {
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    for (; blocks > 0; blocks--, block += 64) {
        uint32_t words[16], before[4] = {a, b, c, d};
        for (int i = 0; i < 16; i++) words[i] = word(block + 4 * i);
#define ONE(f, a, b, c, d, i, constant, rotation)                                                                    \
    a += words[i] + constant;                                                                                        \
    KEEP(a)                                                                                                          \
    a += f(b, c, d);                                                                                                 \
    a = (a << rotation | a >> (32 - rotation)) + b;
        STEPS(ONE)
        a += before[0], b += before[1], c += before[2], d += before[3];
    }
    state[0] = a, state[1] = b, state[2] = c, state[3] = d;
}

#if defined(__x86_64__)
#define WIDE __attribute__((target("avx2")))

// Eight words of each of eight messages, so that each register then holds one word of all.
WIDE static inline void transpose(__m256i rows[8]) {
    __m256i pairs[8], fours[8];
    for (int i = 0; i < 4; i++) {
        pairs[2 * i] = _mm256_unpacklo_epi32(rows[2 * i], rows[2 * i + 1]);
        pairs[2 * i + 1] = _mm256_unpackhi_epi32(rows[2 * i], rows[2 * i + 1]);
    }
    for (int i = 0; i < 2; i++) {
        fours[4 * i] = _mm256_unpacklo_epi64(pairs[4 * i], pairs[4 * i + 2]);
        fours[4 * i + 1] = _mm256_unpackhi_epi64(pairs[4 * i], pairs[4 * i + 2]);
        fours[4 * i + 2] = _mm256_unpacklo_epi64(pairs[4 * i + 1], pairs[4 * i + 3]);
        fours[4 * i + 3] = _mm256_unpackhi_epi64(pairs[4 * i + 1], pairs[4 * i + 3]);
    }
    for (int i = 0; i < 4; i++) {
        rows[i] = _mm256_permute2x128_si256(fours[i], fours[i + 4], 0x20);
        rows[i + 4] = _mm256_permute2x128_si256(fours[i], fours[i + 4], 0x31);
    }
}

#define F8(x, y, z) _mm256_xor_si256(z, _mm256_and_si256(x, _mm256_xor_si256(y, z)))
#define G8(x, y, z) _mm256_xor_si256(y, _mm256_and_si256(z, _mm256_xor_si256(x, y)))
#define H8(x, y, z) _mm256_xor_si256(x, _mm256_xor_si256(y, z))
#define I8(x, y, z) _mm256_xor_si256(y, _mm256_or_si256(x, _mm256_xor_si256(z, ones)))
#define EIGHTS(f, a, b, c, d, i, constant, rotation)                                                                 \
    for (int g = 0; g < groups; g++) {                                                                               \
        a[g] = _mm256_add_epi32(a[g], _mm256_add_epi32(words[g][i], _mm256_set1_epi32((int)constant)));              \
        a[g] = _mm256_add_epi32(a[g], f##8(b[g], c[g], d[g]));                                                       \
        a[g] = _mm256_or_si256(_mm256_slli_epi32(a[g], rotation), _mm256_srli_epi32(a[g], 32 - rotation));           \
        a[g] = _mm256_add_epi32(a[g], b[g]);                                                                         \
    }

// Groups of eight messages: while a step of one waits for the step before, the other's is computed.
WIDE static inline __attribute__((always_inline)) void eights(
    uint32_t *const *states, const uint8_t *const *messages, size_t blocks, const int groups) {
    __m256i a[2], b[2], c[2], d[2];
    const __m256i ones = _mm256_set1_epi32(-1);
    for (int g = 0; g < groups; g++) {
        __m256i registers[8];
        for (int lane = 0; lane < 8; lane++) {
            registers[lane] = _mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)states[8 * g + lane]));
        }
        transpose(registers);
        a[g] = registers[0], b[g] = registers[1], c[g] = registers[2], d[g] = registers[3];
    }
    for (size_t at = 0; at < blocks * 64; at += 64) {
        __m256i words[2][16], before[2][4];
        for (int g = 0; g < groups; g++) {
            for (int lane = 0; lane < 8; lane++) {
                const uint8_t *block = messages[8 * g + lane] + at;
                words[g][lane] = _mm256_loadu_si256((const __m256i *)block);
                words[g][lane + 8] = _mm256_loadu_si256((const __m256i *)(block + 32));
            }
            transpose(words[g]);
            transpose(words[g] + 8);
            before[g][0] = a[g], before[g][1] = b[g], before[g][2] = c[g], before[g][3] = d[g];
        }
        STEPS(EIGHTS)
        for (int g = 0; g < groups; g++) {
            a[g] = _mm256_add_epi32(a[g], before[g][0]), b[g] = _mm256_add_epi32(b[g], before[g][1]);
            c[g] = _mm256_add_epi32(c[g], before[g][2]), d[g] = _mm256_add_epi32(d[g], before[g][3]);
        }
    }
    for (int g = 0; g < groups; g++) {
        __m256i registers[8] = {a[g], b[g], c[g], d[g]};
        transpose(registers);
        for (int lane = 0; lane < 8; lane++) {
            _mm_storeu_si128((__m128i *)states[8 * g + lane], _mm256_castsi256_si128(registers[lane]));
        }
    }
}

WIDE static void eight(uint32_t *const *states, const uint8_t *const *messages, size_t blocks) {
    eights(states, messages, blocks, 1);
}

WIDE static void sixteen(uint32_t *const *states, const uint8_t *const *messages, size_t blocks) {
    eights(states, messages, blocks, 2);
}
#endif

static atomic_int is_plain;

void tg_md5_be_plain(int plain) { atomic_store_explicit(&is_plain, plain, memory_order_relaxed); }

int tg_md5_is_accelerated(void) {
#if defined(__x86_64__)
    return !atomic_load_explicit(&is_plain, memory_order_relaxed) && __builtin_cpu_supports("avx2") ? 1 : 0;
#else
    return 0;
#endif
}

struct tg_md5 {
    uint32_t state[4];
    // Bytes that came. The last of them that make no block are in `tail`.
    uint64_t length;
    uint8_t tail[64];
};

tg_md5 *tg_md5_create(void) {
    static const uint32_t first[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
    tg_md5 *message = calloc(1, sizeof *message);
    if (!message) {
        fputs("There is no memory for an MD5.\n", stderr);
        abort();
    }
    memcpy(message->state, first, sizeof first);
    return message;
}

void tg_md5_destroy(tg_md5 *message) { free(message); }

// What one message is to take.
struct piece {
    const uint8_t *bytes;
    size_t blocks;
};

// Completes the block that the tail has begun, keeps the bytes after the last whole block, and returns what is between.
static struct piece take(tg_md5 *message, const uint8_t *bytes, size_t count) {
    size_t held = message->length % 64;
    message->length += count;
    if (held > 0) {
        size_t missing = 64 - held < count ? 64 - held : count;
        memcpy(message->tail + held, bytes, missing);
        if (held + missing < 64) return (struct piece){bytes, 0};
        one(message->state, message->tail, 1);
        bytes += missing;
        count -= missing;
    }
    if (count % 64 > 0) memcpy(message->tail, bytes + count / 64 * 64, count % 64);
    return (struct piece){bytes, count / 64};
}

#if defined(__x86_64__)
// Takes blocks of all messages that have some left, until at most one has.
static void take_together(tg_md5 *const *messages, struct piece *pieces, size_t count) {
    for (;;) {
        uint32_t idle[4] = {0}, *states[tg_md5_lanes];
        const uint8_t *bytes[tg_md5_lanes];
        size_t busy[tg_md5_lanes], some = 0, least = SIZE_MAX;
        for (size_t i = 0; i < count; i++) {
            if (pieces[i].blocks == 0) continue;
            busy[some++] = i;
            if (pieces[i].blocks < least) least = pieces[i].blocks;
        }
        if (some < 2) return;
        for (size_t lane = 0; lane < tg_md5_lanes; lane++) {
            // A lane without a message computes what nobody asks for.
            int has = lane < some;
            states[lane] = has ? messages[busy[lane]]->state : idle;
            bytes[lane] = pieces[busy[has ? lane : 0]].bytes;
        }
        if (some > 8) sixteen(states, bytes, least);
        else eight(states, bytes, least);
        for (size_t i = 0; i < some; i++) {
            pieces[busy[i]].blocks -= least;
            pieces[busy[i]].bytes += least * 64;
        }
    }
}
#endif

void tg_md5_update(tg_md5 *const *messages, const void *const *bytes, const size_t *counts, size_t count) {
    struct piece pieces[tg_md5_lanes];
    for (size_t i = 0; i < count; i++) {
        pieces[i] = counts[i] > 0 ? take(messages[i], bytes[i], counts[i]) : (struct piece){0, 0};
    }
#if defined(__x86_64__)
    if (tg_md5_is_accelerated()) take_together(messages, pieces, count);
#endif
    for (size_t i = 0; i < count; i++) {
        if (pieces[i].blocks > 0) one(messages[i]->state, pieces[i].bytes, pieces[i].blocks);
    }
}

void tg_md5_value(const tg_md5 *message, uint8_t output[16]) {
    uint32_t state[4];
    uint8_t end[128] = {0};
    size_t held = message->length % 64, size = held < 56 ? 64 : 128;
    memcpy(state, message->state, sizeof state);
    memcpy(end, message->tail, held);
    end[held] = 0x80;
    for (int i = 0; i < 8; i++) end[size - 8 + i] = (uint8_t)(message->length * 8 >> 8 * i);
    one(state, end, size / 64);
    for (int i = 0; i < 16; i++) output[i] = (uint8_t)(state[i / 4] >> 8 * (i % 4));
}
