// The C side of libcurl; see include/CCurl.h.
#include "CCurl.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

const size_t ccurl_pause_sending = CURL_READFUNC_PAUSE, ccurl_pause_receiving = CURL_WRITEFUNC_PAUSE;

CURLcode ccurl_prepare(void) { return curl_global_init(CURL_GLOBAL_DEFAULT); }

CURLcode ccurl_set_long(CURL *easy, CURLoption option, long value) { return curl_easy_setopt(easy, option, value); }

CURLcode ccurl_set_size(CURL *easy, CURLoption option, int64_t value) {
    return curl_easy_setopt(easy, option, (curl_off_t)value);
}

CURLcode ccurl_set_text(CURL *easy, CURLoption option, const char *text) {
    return curl_easy_setopt(easy, option, text);
}

CURLcode ccurl_set_none(CURL *easy, CURLoption option) { return curl_easy_setopt(easy, option, (char *)NULL); }

CURLcode ccurl_set_bytes(CURL *easy, CURLoption option, const void *bytes, size_t count) {
    struct curl_blob blob = {.data = (void *)bytes, .len = count, .flags = CURL_BLOB_COPY};
    return curl_easy_setopt(easy, option, &blob);
}

CURLcode ccurl_set_fields(CURL *easy, struct curl_slist *fields) {
    return curl_easy_setopt(easy, CURLOPT_HTTPHEADER, fields);
}

CURLcode ccurl_set_error_text(CURL *easy, char *text) { return curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, text); }

CURLcode ccurl_set_functions(
    CURL *easy, ccurl_function head, ccurl_function receive, ccurl_function send, void *context) {
    CURLcode code = curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, head);
    if (code == CURLE_OK) code = curl_easy_setopt(easy, CURLOPT_HEADERDATA, context);
    if (code == CURLE_OK) code = curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, receive);
    if (code == CURLE_OK) code = curl_easy_setopt(easy, CURLOPT_WRITEDATA, context);
    if (code == CURLE_OK) code = curl_easy_setopt(easy, CURLOPT_READFUNCTION, send);
    if (code == CURLE_OK) code = curl_easy_setopt(easy, CURLOPT_READDATA, context);
    return code;
}

struct ccurl_sockets {
    curl_socket_t *open;
    size_t count, room;
};

ccurl_sockets *ccurl_sockets_make(void) { return calloc(1, sizeof(ccurl_sockets)); }

void ccurl_sockets_free(ccurl_sockets *sockets) {
    if (sockets) free(sockets->open);
    free(sockets);
}

static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address) {
    (void)purpose;
    ccurl_sockets *sockets = context;
    if (sockets->count == sockets->room) {
        size_t room = sockets->room ? 2 * sockets->room : 16;
        curl_socket_t *open = realloc(sockets->open, room * sizeof *open);
        if (!open) return CURL_SOCKET_BAD;
        sockets->open = open;
        sockets->room = room;
    }
    curl_socket_t opened = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (opened != CURL_SOCKET_BAD) sockets->open[sockets->count++] = opened;
    return opened;
}

static int close_socket(void *context, curl_socket_t closed) {
    ccurl_sockets *sockets = context;
    for (size_t i = 0; i < sockets->count; i++)
        if (sockets->open[i] == closed) sockets->open[i] = sockets->open[--sockets->count];
    return close(closed);
}

CURLcode ccurl_note_sockets(CURL *easy, ccurl_sockets *sockets) {
    CURLcode code = curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    if (code == CURLE_OK) code = curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, sockets);
    if (code == CURLE_OK) code = curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
    if (code == CURLE_OK) code = curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, sockets);
    return code;
}

void ccurl_acknowledge(const ccurl_sockets *sockets) {
    const int on = 1;
    // A failure costs nothing but time: TCP acknowledges by itself a little later.
    for (size_t i = 0; i < sockets->count; i++)
        (void)setsockopt(sockets->open[i], IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

CURLMcode ccurl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}

CURLMcode ccurl_multi_wait(CURLM *multi, int descriptor, int milliseconds) {
    struct curl_waitfd extra = {.fd = descriptor, .events = CURL_WAIT_POLLIN};
    return curl_multi_poll(multi, &extra, 1, milliseconds, NULL);
}

CURL *ccurl_multi_next_ended(CURLM *multi, CURLcode *result) {
    int left = 0;
    for (CURLMsg *message; (message = curl_multi_info_read(multi, &left));) {
        if (message->msg != CURLMSG_DONE) continue;
        *result = message->data.result;
        return message->easy_handle;
    }
    return NULL;
}
