#ifndef CCHECKSUMS_H
#define CCHECKSUMS_H

#include <stddef.h>
#include <stdint.h>

// The checksums of S3 that are no cryptographic digests. A CRC goes on from the finished value of the bytes before (0
// at the start), as zlib's does. None of these functions keeps a pointer that it is passed, but a handle.

/// CRC-32/ISO-HDLC, by ISA-L.
uint32_t tg_crc32(uint32_t before, const void *_Nullable bytes, size_t count);
/// CRC-32/ISCSI (Castagnoli), by ISA-L.
uint32_t tg_crc32c(uint32_t before, const void *_Nullable bytes, size_t count);
/// CRC-64/NVME, by carry-less multiplication where the processor has it and by tables elsewhere.
uint64_t tg_crc64nvme(uint64_t before, const void *_Nullable bytes, size_t count);
/// The same by tables alone.
uint64_t tg_crc64nvme_by_tables(uint64_t before, const void *_Nullable bytes, size_t count);
/// 1 where `tg_crc64nvme` multiplies, 0 where it uses tables.
int tg_crc64nvme_is_accelerated(void);

/// The kinds of `tg_xxhash`.
enum { tg_xxh64 = 0, tg_xxh3 = 1, tg_xxh128 = 2 };

/// A running XXH64, XXH3 (64 bits) or XXH128 with seed 0.
typedef struct tg_xxhash tg_xxhash;

/// This and the update end the process without memory.
tg_xxhash *_Nonnull tg_xxhash_create(int kind);
void tg_xxhash_destroy(tg_xxhash *_Nonnull hash);
void tg_xxhash_update(tg_xxhash *_Nonnull hash, const void *_Nullable bytes, size_t count);
/// Writes the canonical (big-endian) form of the hash of what came so far: 8 bytes, or 16 of XXH128.
void tg_xxhash_value(const tg_xxhash *_Nonnull hash, uint8_t *_Nonnull output);

/// How many messages `tg_md5_update` takes at once at most.
enum { tg_md5_lanes = 16 };

/// A running MD5.
typedef struct tg_md5 tg_md5;

/// Ends the process without memory.
tg_md5 *_Nonnull tg_md5_create(void);
void tg_md5_destroy(tg_md5 *_Nonnull message);
/// Appends bytes to each of some messages, no two of them the same: side by side where the processor has AVX2.
void tg_md5_update(tg_md5 *_Nonnull const *_Nonnull messages, const void *_Nullable const *_Nonnull bytes,
                   const size_t *_Nonnull counts, size_t count);
/// Writes the 16 bytes of the digest of what came so far.
void tg_md5_value(const tg_md5 *_Nonnull message, uint8_t *_Nonnull output);
/// 1 where several messages are computed side by side, 0 where one after the other.
int tg_md5_is_accelerated(void);
/// Whether several messages are computed one after the other from now on, whatever the processor has. The digests are
/// the same.
void tg_md5_be_plain(int plain);

#endif
