// The C side of OpenSSL; see include/COpenSSL.h.

#include "COpenSSL.h"

#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

// Digests and codes cannot fail but without memory, where Swift's own allocations end the process too, or without the
// algorithm, which the start asks for. Going on would mean a wrong digest.
static void require(int done) {
    if (done) return;
    fputs("OpenSSL could not compute a digest or an HMAC.\n", stderr);
    abort();
}

// At the end of a process OpenSSL would take itself apart while other threads may still be in it, such as one that
// closes its connections to a backend: what the process held goes with it anyway. It has to be said before anything
// else of OpenSSL is called, by us or by libcurl.
__attribute__((constructor)) static void leave_it_whole_at_the_end(void) {
    OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
}

// EVP_MD_fetch and its like take a lock and a search of the providers, some microseconds each; so each is done once.
static EVP_MD *digests[tg_digest_kinds];
static size_t digest_sizes[tg_digest_kinds];
static EVP_MAC *hmac;
static EVP_CIPHER *aes256gcm;
static pthread_key_t scratch_key;
static int has_scratch_key;
static pthread_once_t once = PTHREAD_ONCE_INIT;

// Contexts that a thread keeps, so that a short hash or code allocates nothing. The last HMAC key stays in `mac`
// or `mac_sha1` until the thread's next code or its end, which is no longer than the key itself stays in the
// configuration.
typedef struct {
    EVP_MD_CTX *digest;
    EVP_MAC_CTX *mac;
    EVP_MAC_CTX *mac_sha1;
} scratch;

static void destroy_scratch(void *pointer) {
    scratch *own = pointer;
    EVP_MD_CTX_free(own->digest);
    EVP_MAC_CTX_free(own->mac);
    EVP_MAC_CTX_free(own->mac_sha1);
    OPENSSL_free(own);
}

static void fetch(void) {
    static const char *const names[tg_digest_kinds] = {"MD5", "SHA1", "SHA256", "SHA512"};
    for (int kind = 0; kind < tg_digest_kinds; kind++) {
        digests[kind] = EVP_MD_fetch(NULL, names[kind], NULL);
        if (digests[kind]) digest_sizes[kind] = (size_t)EVP_MD_get_size(digests[kind]);
    }
    hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    aes256gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    has_scratch_key = pthread_key_create(&scratch_key, destroy_scratch) == 0;
}

static const EVP_MD *digest_of(int kind) {
    if (kind < 0 || kind >= tg_digest_kinds) return NULL;
    pthread_once(&once, fetch);
    return digests[kind];
}

bool tg_digest_is_available(int kind) { return digest_of(kind) != NULL; }

bool tg_hmac_is_available(void) {
    pthread_once(&once, fetch);
    return hmac != NULL;
}

bool tg_aes256gcm_is_available(void) {
    pthread_once(&once, fetch);
    return aes256gcm != NULL;
}

static EVP_MAC_CTX *new_hmac(char *digest) {
    if (!hmac) return NULL;
    EVP_MAC_CTX *context = EVP_MAC_CTX_new(hmac);
    if (!context) return NULL;
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    if (EVP_MAC_CTX_set_params(context, parameters) == 1) return context;
    EVP_MAC_CTX_free(context);
    return NULL;
}

static scratch *own_scratch(void) {
    pthread_once(&once, fetch);
    if (!has_scratch_key) return NULL;
    scratch *own = pthread_getspecific(scratch_key);
    if (own) return own;
    own = OPENSSL_zalloc(sizeof *own);
    if (!own) return NULL;
    own->digest = EVP_MD_CTX_new();
    own->mac = new_hmac("SHA256");
    own->mac_sha1 = new_hmac("SHA1");
    if (own->digest && own->mac && own->mac_sha1 && pthread_setspecific(scratch_key, own) == 0) return own;
    destroy_scratch(own);
    return NULL;
}

// A tg_digest is an EVP_MD_CTX by another name, so that Swift sees an opaque type of its own.
tg_digest *tg_digest_create(int kind) {
    const EVP_MD *type = digest_of(kind);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    require(type && context && EVP_DigestInit_ex2(context, type, NULL) == 1);
    return (tg_digest *)context;
}

void tg_digest_destroy(tg_digest *digest) { EVP_MD_CTX_free((EVP_MD_CTX *)digest); }

void tg_digest_update(tg_digest *digest, const void *bytes, size_t count) {
    require(count == 0 || EVP_DigestUpdate((EVP_MD_CTX *)digest, bytes, count) == 1);
}

void tg_digest_value(const tg_digest *digest, uint8_t *output, size_t capacity) {
    const EVP_MD_CTX *context = (const EVP_MD_CTX *)digest;
    int size = EVP_MD_CTX_get_size(context);
    scratch *own = own_scratch();
    require(own && size > 0 && (size_t)size <= capacity && EVP_MD_CTX_copy_ex(own->digest, context) == 1
            && EVP_DigestFinal_ex(own->digest, output, NULL) == 1);
}

void tg_digest_once(int kind, const void *bytes, size_t count, uint8_t *output, size_t capacity) {
    const EVP_MD *type = digest_of(kind);
    scratch *own = own_scratch();
    require(type && own && digest_sizes[kind] <= capacity && EVP_DigestInit_ex2(own->digest, type, NULL) == 1
            && (count == 0 || EVP_DigestUpdate(own->digest, bytes, count) == 1)
            && EVP_DigestFinal_ex(own->digest, output, NULL) == 1);
}

static void compute_hmac(EVP_MAC_CTX *context, const void *key, size_t key_count, const void *message,
                         size_t message_count, uint8_t *output, size_t size) {
    // A NULL key would mean the key of the last time, so an empty one needs an address.
    const unsigned char *set = key_count ? key : (const unsigned char *)"";
    size_t written = 0;
    require(EVP_MAC_init(context, set, key_count, NULL) == 1
            && (message_count == 0 || EVP_MAC_update(context, message, message_count) == 1)
            && EVP_MAC_final(context, output, &written, size) == 1 && written == size);
}

void tg_hmac_sha256(const void *key, size_t key_count, const void *message, size_t message_count, uint8_t *output) {
    scratch *own = own_scratch();
    require(own != NULL);
    compute_hmac(own->mac, key, key_count, message, message_count, output, 32);
}

void tg_hmac_sha1(const void *key, size_t key_count, const void *message, size_t message_count, uint8_t *output) {
    scratch *own = own_scratch();
    require(own != NULL);
    compute_hmac(own->mac_sha1, key, key_count, message, message_count, output, 20);
}

int tg_equal(const void *left, const void *right, size_t count) { return CRYPTO_memcmp(left, right, count) == 0; }

// One direction of AES-256-GCM up to the tag. OpenSSL counts in int, so larger inputs are refused.
static EVP_CIPHER_CTX *run_gcm(int encrypt, const uint8_t *key, const uint8_t *nonce, const void *data,
                               size_t data_count, const void *input, size_t count, uint8_t *output) {
    pthread_once(&once, fetch);
    if (!aes256gcm || count > INT_MAX - 64 || data_count > INT_MAX - 64) return NULL;
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    if (!context) return NULL;
    int written = 0;
    // The default nonce length of GCM in OpenSSL is the 12 bytes that we want.
    if (EVP_CipherInit_ex2(context, aes256gcm, key, nonce, encrypt, NULL) == 1
        && (data_count == 0 || EVP_CipherUpdate(context, NULL, &written, data, (int)data_count) == 1)
        && (count == 0 || EVP_CipherUpdate(context, output, &written, input, (int)count) == 1)) {
        return context;
    }
    EVP_CIPHER_CTX_free(context);
    return NULL;
}

int tg_aes256gcm_seal(const uint8_t *key, const uint8_t *nonce, const void *data, size_t data_count, const void *input,
                      size_t count, uint8_t *output, uint8_t *tag) {
    EVP_CIPHER_CTX *context = run_gcm(1, key, nonce, data, data_count, input, count, output);
    if (!context) return 0;
    int written = 0;
    uint8_t none[16];
    int done = EVP_CipherFinal_ex(context, none, &written) == 1
        && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, tag) == 1;
    EVP_CIPHER_CTX_free(context);
    return done;
}

int tg_aes256gcm_open(const uint8_t *key, const uint8_t *nonce, const void *data, size_t data_count, const void *input,
                      size_t count, uint8_t *output, const uint8_t *tag) {
    EVP_CIPHER_CTX *context = run_gcm(0, key, nonce, data, data_count, input, count, output);
    if (!context) return 0;
    int written = 0;
    uint8_t none[16];
    int result = EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, 16, (void *)tag) == 1 ? 1 : 0;
    if (result == 1 && EVP_CipherFinal_ex(context, none, &written) != 1) {
        result = -1;
        if (count) OPENSSL_cleanse(output, count);
    }
    EVP_CIPHER_CTX_free(context);
    return result;
}

int tg_ed25519_public_key(const uint8_t *seed, uint8_t *public_key) {
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32);
    if (!key) return 0;
    size_t size = 32;
    int done = EVP_PKEY_get_raw_public_key(key, public_key, &size) == 1 && size == 32;
    EVP_PKEY_free(key);
    return done;
}

int tg_ed25519_sign(const uint8_t *seed, const void *message, size_t count, uint8_t *signature) {
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    size_t size = 64;
    int done = key && context && EVP_DigestSignInit(context, NULL, NULL, NULL, key) == 1
        && EVP_DigestSign(context, signature, &size, message, count) == 1 && size == 64;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return done;
}

int tg_ed25519_verify(const uint8_t *public_key, const void *message, size_t count, const uint8_t *signature) {
    EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, 32);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int good = key && context && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1
        && EVP_DigestVerify(context, signature, 64, message, count) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return good;
}
