// A load of HTTP/1.1 requests that are made beforehand: each of some connections sends the next one as soon as it has
// the answer to the one before.
//
//     load PORT CONNECTIONS SECONDS REQUESTS
//
// REQUESTS is a file of requests, each after its length (4 bytes, little-endian); they are sent in turn, over and over,
// to 127.0.0.1. Prints one JSON object: answers, seconds, bytes of bodies, answers that were no 2xx, and how many
// microseconds half and 99 % of the answers took at most. wrk would do, but it hangs on answers to HEAD, and its Lua
// costs as much as a small answer.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST_HEAD = 16 << 10, BUFFER = 256 << 10, BUCKETS = 1 << 20 };

struct request {
    const char *bytes;
    uint32_t length;
    int is_head;
};

struct connection {
    int socket;
    const struct request *request;
    uint32_t sent;
    uint64_t begun;
    char head[MOST_HEAD + 1];
    uint32_t head_length;
    int in_body, is_chunked;
    uint64_t left;      // of the body, or of the chunk
    char tail[5];       // the last bytes of a chunked body
};

static struct request *requests;
static uint32_t request_count, next_request;
static uint64_t answers, body_bytes, failures, stop_at;
static uint32_t latencies[BUCKETS];  // by microseconds
static char buffer[BUFFER];

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static void die(const char *what) {
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void read_requests(const char *path) {
    FILE *file = fopen(path, "rb");
    uint32_t length;
    if (!file) die(path);
    while (fread(&length, 4, 1, file) == 1) {
        char *bytes = malloc(length);
        requests = realloc(requests, (request_count + 1) * sizeof *requests);
        if (!bytes || !requests || fread(bytes, 1, length, file) != length) die(path);
        requests[request_count++] = (struct request){bytes, length, length > 5 && !memcmp(bytes, "HEAD ", 5)};
    }
    fclose(file);
    if (!request_count) die("no requests");
}

static void send_on(struct connection *c) {
    while (c->sent < c->request->length) {
        ssize_t n = send(c->socket, c->request->bytes + c->sent, c->request->length - c->sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) return;  // Edge-triggered: it goes on when there is room.
        if (n < 0) die("send");
        c->sent += (uint32_t)n;
    }
}

static void begin(struct connection *c) {
    c->request = &requests[next_request++ % request_count];
    c->sent = c->head_length = 0;
    c->in_body = c->is_chunked = 0;
    memset(c->tail, 0, sizeof c->tail);
    c->begun = now();
    send_on(c);
}

static void finish(struct connection *c) {
    uint64_t end = now(), microseconds = (end - c->begun) / 1000;
    latencies[microseconds < BUCKETS ? microseconds : BUCKETS - 1]++;
    answers++;
    if (c->head[9] != '2') failures++;
    if (failures == 1 && c->head[9] != '2') fprintf(stderr, "load: %.*s\n", (int)c->head_length, c->head);
    if (end < stop_at) begin(c);
}

// The value of a field of the head, or null.
static const char *field(struct connection *c, const char *name) {
    size_t length = strlen(name);
    for (char *line = c->head; (line = strstr(line, "\r\n")); ) {
        line += 2;
        if (!strncasecmp(line, name, length) && line[length] == ':') return line + length + 1;
    }
    return 0;
}

// Takes what it can of the bytes; returns how many.
static size_t take_head(struct connection *c, const char *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (c->head_length == MOST_HEAD) die("an answer's head is too long");
        c->head[c->head_length++] = bytes[i];
        if (c->head_length < 4 || memcmp(c->head + c->head_length - 4, "\r\n\r\n", 4)) continue;
        c->head[c->head_length] = 0;
        const char *length = field(c, "content-length"), *coding = field(c, "transfer-encoding");
        c->is_chunked = coding != 0 && strcasestr(coding, "chunked") != 0;
        c->left = length ? strtoull(length, 0, 10) : 0;
        c->in_body = !c->request->is_head && (c->is_chunked || c->left > 0);
        if (!c->in_body) finish(c);
        return i + 1;
    }
    return count;
}

static size_t take_body(struct connection *c, const char *bytes, size_t count) {
    if (!c->is_chunked) {
        size_t taken = count < c->left ? count : (size_t)c->left;
        c->left -= taken;
        body_bytes += taken;
        if (c->left == 0) finish(c);
        return taken;
    }
    // Nothing follows the end of an answer before the next request: looking for the end of the last chunk will do.
    body_bytes += count;
    for (size_t i = count < 5 ? 0 : count - 5; i < count; i++) {
        memmove(c->tail, c->tail + 1, 4);
        c->tail[4] = bytes[i];
    }
    if (!memcmp(c->tail, "0\r\n\r\n", 5)) finish(c);
    return count;
}

static void receive(struct connection *c) {
    while (c->request) {
        ssize_t n = recv(c->socket, buffer, sizeof buffer, 0);
        if (n < 0 && errno == EAGAIN) return;
        if (n <= 0) die("the server closed a connection");
        for (size_t at = 0; at < (size_t)n; )
            at += c->in_body ? take_body(c, buffer + at, (size_t)n - at) : take_head(c, buffer + at, (size_t)n - at);
        if ((size_t)n < sizeof buffer) return;
    }
}

static uint64_t percentile(double share) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < BUCKETS; i++)
        if ((double)(sum += latencies[i]) >= share * (double)answers) return i;
    return BUCKETS;
}

int main(int count, char **arguments) {
    if (count != 5) die("usage: load PORT CONNECTIONS SECONDS REQUESTS");
    int connections = atoi(arguments[2]), poll = epoll_create1(0);
    double seconds = atof(arguments[3]);
    read_requests(arguments[4]);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(arguments[1]))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    struct connection *all = calloc((size_t)connections, sizeof *all);
    uint64_t start = now();
    stop_at = start + (uint64_t)(seconds * 1e9);
    for (int i = 0, one = 1; i < connections; i++) {
        all[i].socket = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(all[i].socket, (struct sockaddr *)&address, sizeof address)) die("connect");
        setsockopt(all[i].socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = &all[i]};
        if (epoll_ctl(poll, EPOLL_CTL_ADD, all[i].socket, &event)) die("epoll_ctl");
        if (fcntl(all[i].socket, F_SETFL, O_NONBLOCK)) die("fcntl");
        begin(&all[i]);
    }
    struct epoll_event events[256];
    while (now() < stop_at) {
        int ready = epoll_wait(poll, events, 256, 100);
        for (int i = 0; i < ready; i++) {
            struct connection *c = events[i].data.ptr;
            if (events[i].events & EPOLLOUT) send_on(c);
            if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) receive(c);
        }
    }
    printf("{\"answers\": %llu, \"seconds\": %.6f, \"bytes\": %llu, ", (unsigned long long)answers,
        (double)(now() - start) / 1e9, (unsigned long long)body_bytes);
    printf("\"failures\": %llu, \"p50\": %llu, \"p99\": %llu}\n", (unsigned long long)failures,
        (unsigned long long)percentile(0.5), (unsigned long long)percentile(0.99));
    return 0;
}
