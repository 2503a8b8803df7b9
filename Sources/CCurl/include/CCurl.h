#ifndef CCurl_H
#define CCurl_H

// libcurl without its variadic functions: one function for each type of option, and the masks and messages that Swift
// cannot see. Handles, options and result codes are libcurl's own.

// Handles are opaque types of their own then, which cannot be taken for one another.
#define CURL_STRICTER 1
#include <curl/curl.h>
#include <stddef.h>
#include <stdint.h>

/// Prepares the library for the process; may be called again, from any thread.
CURLcode ccurl_prepare(void);

CURLcode ccurl_set_long(CURL *easy, CURLoption option, long value);
CURLcode ccurl_set_size(CURL *easy, CURLoption option, int64_t value);
/// The text is copied.
CURLcode ccurl_set_text(CURL *easy, CURLoption option, const char *text);
/// The option is off, or libcurl's default where it has one.
CURLcode ccurl_set_none(CURL *easy, CURLoption option);
/// The bytes are copied.
CURLcode ccurl_set_bytes(CURL *easy, CURLoption option, const void *bytes, size_t count);
/// The list must live as long as the handle uses it.
CURLcode ccurl_set_fields(CURL *easy, struct curl_slist *fields);
/// `text` has CURL_ERROR_SIZE bytes and lives as long as the handle.
CURLcode ccurl_set_error_text(CURL *easy, char *text);

/// Takes `size * count` bytes, or gives that many; see CURLOPT_WRITEFUNCTION, CURLOPT_READFUNCTION and
/// CURLOPT_HEADERFUNCTION for what is returned.
typedef size_t (*ccurl_function)(char *bytes, size_t size, size_t count, void *context);

/// The three functions that move bytes, and what each of them is called with.
CURLcode ccurl_set_functions(
    CURL *easy, ccurl_function head, ccurl_function receive, ccurl_function send, void *context);

/// The sockets of a multi handle's connections, which it outlives. For one thread.
typedef struct ccurl_sockets ccurl_sockets;

/// Null without memory.
ccurl_sockets *ccurl_sockets_make(void);
void ccurl_sockets_free(ccurl_sockets *sockets);
/// Has a handle note the sockets that it opens and closes; before it is added to the multi handle.
CURLcode ccurl_note_sockets(CURL *easy, ccurl_sockets *sockets);
/// Acknowledges at once what has come on any of them, where TCP would wait for more.
void ccurl_acknowledge(const ccurl_sockets *sockets);

CURLMcode ccurl_multi_set_long(CURLM *multi, CURLMoption option, long value);

/// Waits until a transfer can go on, the descriptor can be read, or the time is over.
CURLMcode ccurl_multi_wait(CURLM *multi, int descriptor, int milliseconds);

/// The next transfer that has ended, with its result, or null.
CURL *ccurl_multi_next_ended(CURLM *multi, CURLcode *result);

extern const size_t ccurl_pause_sending, ccurl_pause_receiving;

#endif
