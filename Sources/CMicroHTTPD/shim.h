#ifndef CMICROHTTPD_SHIM_H
#define CMICROHTTPD_SHIM_H

// What Swift cannot call by itself: variadic functions, macros, and structs that only the kernel's headers have in
// full.

#include <linux/sockios.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

// MHD's log callback takes a va_list, which Swift cannot read: this one gets the finished text.
typedef void (*lk_mhd_log)(void *context, const char *message);

struct lk_mhd_settings {
    unsigned int threads;
    unsigned int connection_limit;
    // 0: no limit.
    unsigned int connections_per_address;
    // Of each connection, for its head and its read and write buffers.
    size_t connection_memory;

    // The first argument of every callback but `log_message`, which gets a pointer to these settings.
    void *context;
    MHD_AccessHandlerCallback access;
    MHD_RequestCompletedCallback request_completed;
    MHD_NotifyConnectionCallback connection_changed;
    void *(*target_received)(void *context, const char *target, struct MHD_Connection *connection);
    lk_mhd_log log_message;
};

static inline void lk_mhd_forward_log(void *context, const char *format, va_list arguments) {
    const struct lk_mhd_settings *settings = (const struct lk_mhd_settings *)context;
    char message[512];
    vsnprintf(message, sizeof message, format, arguments);
    settings->log_message(settings->context, message);
}

// MHD would decode targets in place and cut them at %00.
static inline size_t lk_mhd_keep_escapes(void *context, struct MHD_Connection *connection, char *text) {
    (void)context;
    (void)connection;
    return strlen(text);
}

// Ends a target's query before it begins, for MHD, which is about to take it apart where it lies: 0.9.75 keeps some 70
// bytes of the connection's memory for each argument, and where these do not fit the request is never answered. To be
// called by `target_received`, the last one to see the query.
static inline void lk_mhd_hide_arguments(const char *target) {
    // MHD's read buffer, which is not const but for this callback.
    char *query = (char *)strchr(target, '?');
    if (query) query[1] = 0;
}

// The daemon does not listen: connections are given to it. `settings` must outlive it. NULL where the daemon does not
// start.
static inline struct MHD_Daemon *lk_mhd_start(struct lk_mhd_settings *settings) {
    unsigned int flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ITC |
                         MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    struct MHD_OptionItem options[] = {
        {MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)&lk_mhd_forward_log, settings},
        {MHD_OPTION_CONNECTION_LIMIT, (intptr_t)settings->connection_limit, NULL},
        {MHD_OPTION_PER_IP_CONNECTION_LIMIT, (intptr_t)settings->connections_per_address, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, (intptr_t)settings->connection_memory, NULL},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)settings->request_completed, settings->context},
        {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)settings->connection_changed, settings->context},
        {MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)settings->target_received, settings->context},
        {MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)&lk_mhd_keep_escapes, NULL},
        // One thread is MHD's default and refused as a pool.
        {settings->threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, (intptr_t)settings->threads, NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    return MHD_start_daemon(flags, 0, NULL, NULL, settings->access, settings->context, MHD_OPTION_ARRAY, options,
                            MHD_OPTION_END);
}

static inline int lk_mhd_socket(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info ? info->connect_fd : -1;
}

static inline const struct sockaddr *lk_mhd_client_address(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    return info ? info->client_addr : NULL;
}

// What `connection_changed` stored for the connection.
static inline void *lk_mhd_connection_context(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

struct lk_mhd_head_walk {
    const char *end;
    bool canonical;
};

static inline enum MHD_Result lk_mhd_walk_field(void *context, enum MHD_ValueKind kind, const char *name,
                                                size_t name_size, const char *value, size_t value_size) {
    struct lk_mhd_head_walk *walk = (struct lk_mhd_head_walk *)context;
    (void)kind;
    // MHD puts a NUL for each byte of a line break: CR LF are two.
    bool adjoins = (uintptr_t)name == (uintptr_t)walk->end + 2 && walk->end[0] == 0 && walk->end[1] == 0;
    if (!adjoins || value == NULL || (uintptr_t)value <= (uintptr_t)name + name_size) {
        walk->canonical = false;
        return MHD_NO;
    }
    walk->end = value + value_size;
    return MHD_YES;
}

// Whether the head, as it lies in the read buffer of libmicrohttpd 0.9.75, is made of a request line with single spaces
// and of lines that end with CR LF, without NUL and without folding. That version takes all of these silently, and
// shows nothing of it but where its pointers point. Later versions refuse them by themselves. `size` becomes that of
// the head, which begins with the method, without its last line's end; 0 where it is not known to lie there in one
// piece.
static inline bool lk_mhd_head_is_canonical(struct MHD_Connection *connection, const char *method, const char *target,
                                            size_t target_size, const char *version, size_t *size) {
    *size = 0;
    if (strcmp(MHD_get_version(), "0.9.75") != 0) return true;
    if ((uintptr_t)target != (uintptr_t)method + strlen(method) + 1) return false;
    if ((uintptr_t)version != (uintptr_t)target + target_size + 1) return false;
    struct lk_mhd_head_walk walk = {version + strlen(version), true};
    MHD_get_connection_values_n(connection, MHD_HEADER_KIND, lk_mhd_walk_field, &walk);
    if (!walk.canonical) return false;
    *size = (uintptr_t)walk.end - (uintptr_t)method;
    // The last line's break and the empty line.
    return walk.end[0] == 0 && walk.end[1] == 0 && walk.end[2] == 0 && walk.end[3] == 0;
}

// A non-blocking socket that no child process inherits; -1 and errno where there is none. By number because the name is
// declared for _GNU_SOURCE only.
static inline int lk_accept(int listening, struct sockaddr *address, socklen_t *size) {
    return (int)syscall(SYS_accept4, listening, address, size, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

// Of the calling thread; 15 characters at most.
static inline void lk_name_thread(const char *name) { prctl(PR_SET_NAME, name); }

// How far a connection's peer and the server have come, as the kernel counts.
struct lk_socket_progress {
    uint64_t received;
    uint64_t acknowledged;
    // Bytes that have come and were not read yet.
    int unread;
    // Bytes that were written and not acknowledged yet.
    int unsent;
    // Whether the peer will send no more.
    bool ended;
};

// The kernel's tcp_info, of which glibc has the first 104 bytes only.
struct lk_tcp_info {
    unsigned char state;
    unsigned char glibc[103];
    uint64_t pacing_rate;
    uint64_t max_pacing_rate;
    uint64_t bytes_acked;
    uint64_t bytes_received;
};

static inline bool lk_socket_progress_get(int socket, struct lk_socket_progress *progress) {
    struct lk_tcp_info info;
    socklen_t size = sizeof info;
    memset(&info, 0, sizeof info);
    if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 || size < sizeof info) return false;
    progress->received = info.bytes_received;
    progress->acknowledged = info.bytes_acked;
    progress->ended = info.state == TCP_CLOSE_WAIT || info.state == TCP_CLOSE;
    return ioctl(socket, SIOCINQ, &progress->unread) == 0 && ioctl(socket, SIOCOUTQ, &progress->unsent) == 0;
}

#endif
