#ifndef CCURL_SHIM_H
#define CCURL_SHIM_H

// What Swift cannot call by itself: variadic functions, and structs that are longer than their type.

#include <curl/curl.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

// libcurl's macros check the types of what is set; they are used with variables of those types only.

static inline CURLcode lk_curl_set_long(CURL *curl, CURLoption option, long value) {
    return curl_easy_setopt(curl, option, value);
}

static inline CURLcode lk_curl_set_text(CURL *curl, CURLoption option, const char *text) {
    return curl_easy_setopt(curl, option, text);
}

// The list must live for as long as the transfer.
static inline CURLcode lk_curl_set_list(CURL *curl, CURLoption option, struct curl_slist *list) {
    return curl_easy_setopt(curl, option, list);
}

// The bytes must live for as long as the transfer.
static inline CURLcode lk_curl_set_body(CURL *curl, const void *bytes, long count) {
    CURLcode code = curl_easy_setopt(curl, CURLOPT_POST, 1L);
    if (code == CURLE_OK) code = curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, count);
    if (code == CURLE_OK) code = curl_easy_setopt(curl, CURLOPT_POSTFIELDS, bytes ? (const char *)bytes : "");
    return code;
}

// `text` has CURL_ERROR_SIZE bytes and must live for as long as the transfer.
static inline CURLcode lk_curl_set_error_text(CURL *curl, char *text) {
    return curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, text);
}

// What a transfer asks while it runs. The first argument of each is `context`.
struct lk_curl_callbacks {
    void *context;
    // Whether a connection to these 4 or 16 bytes of an address may be opened.
    int (*may_connect)(void *context, const unsigned char *address, size_t count);
    // A head has come so far, or a body; returning less than `count` ends the transfer.
    size_t (*head)(char *bytes, size_t size, size_t count, void *context);
    size_t (*body)(char *bytes, size_t size, size_t count, void *context);
    // Now and then; anything but 0 ends the transfer.
    int (*progress)(void *context, curl_off_t, curl_off_t, curl_off_t, curl_off_t);
};

static inline curl_socket_t lk_curl_open(void *context, curlsocktype purpose, struct curl_sockaddr *address) {
    const struct lk_curl_callbacks *callbacks = (const struct lk_curl_callbacks *)context;
    (void)purpose;
    int allowed = 0;
    if (address->family == AF_INET) {
        struct sockaddr_in inet;
        memcpy(&inet, &address->addr, sizeof inet);
        allowed = callbacks->may_connect(callbacks->context, (const unsigned char *)&inet.sin_addr, 4);
    } else if (address->family == AF_INET6) {
        // libcurl's `addr` is followed by as many bytes as the family needs.
        struct sockaddr_in6 inet;
        const char *start = (const char *)address + offsetof(struct curl_sockaddr, addr);
        memcpy(&inet, start, sizeof inet);
        allowed = callbacks->may_connect(callbacks->context, (const unsigned char *)&inet.sin6_addr, 16);
    }
    if (!allowed) return CURL_SOCKET_BAD;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static inline CURLcode lk_curl_first_failure(const CURLcode *codes, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (codes[i] != CURLE_OK) return codes[i];
    return CURLE_OK;
}

// The callbacks must live for as long as the transfer.
static inline CURLcode lk_curl_set_callbacks(CURL *curl, struct lk_curl_callbacks *callbacks) {
    CURLcode codes[] = {
        curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, lk_curl_open),
        curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, callbacks),
        curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, callbacks->head),
        curl_easy_setopt(curl, CURLOPT_HEADERDATA, callbacks->context),
        curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, callbacks->body),
        curl_easy_setopt(curl, CURLOPT_WRITEDATA, callbacks->context),
        curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, callbacks->progress),
        curl_easy_setopt(curl, CURLOPT_XFERINFODATA, callbacks->context),
        curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L),
    };
    return lk_curl_first_failure(codes, sizeof codes / sizeof *codes);
}

static inline CURLcode lk_curl_set_size(CURL *curl, CURLoption option, long long size) {
    return curl_easy_setopt(curl, option, (curl_off_t)size);
}

// An exchange whose bodies are streamed in both directions. The first argument of `seek`, and the last of the others,
// is `context`.
struct lk_curl_exchange {
    void *context;
    // A line of a head, or a piece of a body; returning less than `count` ends the transfer.
    size_t (*head)(char *bytes, size_t size, size_t count, void *context);
    size_t (*body)(char *bytes, size_t size, size_t count, void *context);
    // Fills up to size * count bytes of what is sent; 0 at its end, CURL_READFUNC_ABORT ends the transfer.
    size_t (*read)(char *bytes, size_t size, size_t count, void *context);
    // What is sent goes on from an offset, because a connection was lost; CURL_SEEKFUNC_OK where it can.
    int (*seek)(void *context, curl_off_t offset, int origin);
};

// The struct's context must live for as long as the transfer.
static inline CURLcode lk_curl_set_exchange(CURL *curl, const struct lk_curl_exchange *exchange) {
    CURLcode codes[] = {
        curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, exchange->head),
        curl_easy_setopt(curl, CURLOPT_HEADERDATA, exchange->context),
        curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, exchange->body),
        curl_easy_setopt(curl, CURLOPT_WRITEDATA, exchange->context),
        curl_easy_setopt(curl, CURLOPT_READFUNCTION, exchange->read),
        curl_easy_setopt(curl, CURLOPT_READDATA, exchange->context),
        curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, exchange->seek),
        curl_easy_setopt(curl, CURLOPT_SEEKDATA, exchange->context),
    };
    return lk_curl_first_failure(codes, sizeof codes / sizeof *codes);
}

static inline long lk_curl_status(CURL *curl) {
    long status = 0;
    return curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK ? status : 0;
}

// Seconds, whether they were given so or as a date; 0 where the answer has none.
static inline long long lk_curl_retry_after(CURL *curl) {
    curl_off_t seconds = 0;
    return curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &seconds) == CURLE_OK ? (long long)seconds : 0;
}

#endif
