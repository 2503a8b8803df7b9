#ifndef COPENSSL_H
#define COPENSSL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// What Cryptography uses of OpenSSL 3, and nothing of its headers. Functions that return int give 1 for success and 0
// for a refusal; functions that return a pointer give NULL for a refusal. None keeps a pointer that it is passed, but
// a handle.

/// The digests that are fetched, once in a process.
enum { tg_md5 = 0, tg_sha1 = 1, tg_sha256 = 2, tg_sha512 = 3, tg_digest_kinds = 4 };

/// What the library offers, asked once at the start.
bool tg_digest_is_available(int kind);
bool tg_hmac_is_available(void);
bool tg_aes256gcm_is_available(void);

/// A running digest. This and all functions up to `tg_hmac_sha1` end the process without memory, and where the
/// library has no such algorithm.
typedef struct tg_digest tg_digest;

tg_digest *_Nonnull tg_digest_create(int kind);
void tg_digest_destroy(tg_digest *_Nonnull digest);
void tg_digest_update(tg_digest *_Nonnull digest, const void *_Nullable bytes, size_t count);
/// The digest of what came so far; the running digest goes on unharmed. `capacity` bytes stand ready at `output`.
void tg_digest_value(const tg_digest *_Nonnull digest, uint8_t *_Nonnull output, size_t capacity);
/// The digest of one buffer, in a context that each thread keeps.
void tg_digest_once(int kind, const void *_Nullable bytes, size_t count, uint8_t *_Nonnull output, size_t capacity);

/// HMAC-SHA256 into the 32 bytes at `output`, in a context that each thread keeps.
void tg_hmac_sha256(const void *_Nullable key, size_t key_count, const void *_Nullable message, size_t message_count,
                    uint8_t *_Nonnull output);
/// HMAC-SHA1 into the 20 bytes at `output`, in the same way.
void tg_hmac_sha1(const void *_Nullable key, size_t key_count, const void *_Nullable message, size_t message_count,
                  uint8_t *_Nonnull output);

/// 1 where both ranges hold the same bytes, in a time that depends on `count` alone.
int tg_equal(const void *_Nonnull left, const void *_Nonnull right, size_t count);

/// AES-256-GCM with a 32-byte key, a 12-byte nonce and a 16-byte tag. `output` takes `count` bytes.
int tg_aes256gcm_seal(const uint8_t *_Nonnull key, const uint8_t *_Nonnull nonce, const void *_Nullable data,
                      size_t data_count, const void *_Nullable input, size_t count, uint8_t *_Nullable output,
                      uint8_t *_Nonnull tag);
/// -1 where the tag is not right; `output` is then wiped.
int tg_aes256gcm_open(const uint8_t *_Nonnull key, const uint8_t *_Nonnull nonce, const void *_Nullable data,
                      size_t data_count, const void *_Nullable input, size_t count, uint8_t *_Nullable output,
                      const uint8_t *_Nonnull tag);

/// Ed25519 with a 32-byte seed, a 32-byte public key and a 64-byte signature.
int tg_ed25519_public_key(const uint8_t *_Nonnull seed, uint8_t *_Nonnull public_key);
int tg_ed25519_sign(const uint8_t *_Nonnull seed, const void *_Nullable message, size_t count,
                    uint8_t *_Nonnull signature);
int tg_ed25519_verify(const uint8_t *_Nonnull public_key, const void *_Nullable message, size_t count,
                      const uint8_t *_Nonnull signature);

#endif
