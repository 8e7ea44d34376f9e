// A bare libmicrohttpd program: what a server costs that does nothing. It answers each path that it is given with the
// bytes of two files, from as many threads as it is told.
//
//   lktrack-bare-httpd THREADS listen|deal [PATH HEAD BODY]...
//
// `listen`: libmicrohttpd's threads accept connections themselves, and whichever is awake takes all that wait: of 32
// that come at once one thread mostly has all, and the other threads nothing to do. `deal`: each thread gets its share.
// HEAD holds the response's fields, one a line. The port is printed on standard output; the end of standard input ends
// the program.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct page {
    const char *path;
    struct MHD_Response *response;
};

struct site {
    struct page *pages;
    int count;
};

static char *read_file(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    if (!file) return NULL;
    char *bytes = NULL;
    if (fseek(file, 0, SEEK_END) == 0) {
        long end = ftell(file);
        rewind(file);
        bytes = end < 0 ? NULL : malloc((size_t)end + 1);
        if (bytes) {
            *size = fread(bytes, 1, (size_t)end, file);
            bytes[*size] = 0;
        }
    }
    fclose(file);
    return bytes;
}

// The response that the two files make; NULL where one cannot be read, or holds what is no field.
static struct MHD_Response *make_response(const char *head_path, const char *body_path) {
    size_t head_size = 0, body_size = 0;
    char *head = read_file(head_path, &head_size);
    char *body = read_file(body_path, &body_size);
    if (!head || !body) return NULL;
    struct MHD_Response *response = MHD_create_response_from_buffer(body_size, body, MHD_RESPMEM_MUST_FREE);
    for (char *line = strtok(head, "\r\n"); response && line; line = strtok(NULL, "\r\n")) {
        char *value = strstr(line, ": ");
        if (!value) return NULL;
        *value = 0;
        if (MHD_add_response_header(response, line, value + 2) != MHD_YES) return NULL;
    }
    free(head);
    return response;
}

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *path, const char *method,
                              const char *version, const char *body, size_t *body_size, void **request) {
    static int seen;
    const struct site *site = context;
    (void)method, (void)version, (void)body;
    // As libmicrohttpd asks for: the first call has the head only.
    if (!*request) {
        *request = &seen;
        return MHD_YES;
    }
    *body_size = 0;
    for (int i = 0; i < site->count; i++) {
        if (strcmp(path, site->pages[i].path) == 0)
            return MHD_queue_response(connection, MHD_HTTP_OK, site->pages[i].response);
    }
    return MHD_NO;
}

struct dealer {
    struct MHD_Daemon *daemon;
    int listening;
};

// Until the listening socket is shut down. libmicrohttpd gives connections to its threads in turn.
static void *deal(void *context) {
    const struct dealer *dealer = context;
    struct sockaddr_storage address;
    while (true) {
        socklen_t size = sizeof address;
        int client = accept4(dealer->listening, (struct sockaddr *)&address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (client < 0) return NULL;
        MHD_add_connection(dealer->daemon, client, (struct sockaddr *)&address, size);
    }
}

// A socket that listens on a free port of the loopback interface; -1 where there is none.
static int listen_locally(int *port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listening < 0 || bind(listening, (struct sockaddr *)&address, size) != 0 || listen(listening, 511) != 0)
        return -1;
    getsockname(listening, (struct sockaddr *)&address, &size);
    *port = ntohs(address.sin_port);
    return listening;
}

int main(int argc, char **argv) {
    int threads = argc > 1 ? atoi(argv[1]) : 0;
    bool deals = argc > 2 && strcmp(argv[2], "deal") == 0;
    if (threads < 1 || argc < 6 || argc % 3 != 0 || (!deals && strcmp(argv[2], "listen") != 0)) {
        fprintf(stderr, "usage: lktrack-bare-httpd THREADS listen|deal [PATH HEAD BODY]...\n");
        return 64;
    }
    struct site site = {calloc((size_t)argc, sizeof(struct page)), (argc - 3) / 3};
    if (!site.pages) return 70;
    for (int i = 0; i < site.count; i++) {
        char **given = argv + 3 + 3 * i;
        site.pages[i] = (struct page){given[0], make_response(given[1], given[2])};
        if (!site.pages[i].response) {
            fprintf(stderr, "lktrack-bare-httpd: %s or %s cannot be used\n", given[1], given[2]);
            return 66;
        }
    }
    struct MHD_OptionItem pool[] = {
        {threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, threads, NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | (deals ? MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ITC : 0);
    struct MHD_Daemon *daemon =
        MHD_start_daemon(flags, 0, NULL, NULL, answer, &site, MHD_OPTION_ARRAY, pool, MHD_OPTION_END);
    if (!daemon) return 71;
    struct dealer dealer = {daemon, -1};
    pthread_t thread;
    int port = 0;
    if (deals) {
        dealer.listening = listen_locally(&port);
        if (dealer.listening < 0 || pthread_create(&thread, NULL, deal, &dealer) != 0) return 71;
    } else {
        port = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
    }
    printf("%d\n", port);
    fflush(stdout);
    char byte;
    while (read(STDIN_FILENO, &byte, 1) > 0) continue;
    if (deals) {
        shutdown(dealer.listening, SHUT_RDWR);
        pthread_join(thread, NULL);
    }
    MHD_stop_daemon(daemon);
    return 0;
}
