#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "CLinux.h"

bool clinux_cpu_suits_build(void) {
#if defined(__x86_64__) && !defined(LKTRACK_BASELINE)
    __builtin_cpu_init();
    return __builtin_cpu_supports("x86-64-v3");
#else
    return true;
#endif
}

void clinux_limit_arenas(int count) { mallopt(M_ARENA_MAX, count); }

void clinux_stand_back(pid_t thread, int more) {
    // POSIX has niceness for processes; on Linux this is one thread's. -1 is a niceness, too.
    errno = 0;
    int niceness = getpriority(PRIO_PROCESS, (id_t)thread);
    if (errno == 0) setpriority(PRIO_PROCESS, (id_t)thread, niceness + more);
}

int clinux_memfd_create(const char *name) { return memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING); }

int clinux_seal_size(int memfd) { return fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL); }

int clinux_open_unnamed(const char *directory) {
    int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT)) return fd;

    // A file system without O_TMPFILE: create, then remove the name.
    static const char suffix[] = "/.lktrack-XXXXXX";
    size_t length = 0;
    while (directory[length] != '\0') length++;
    char *path = malloc(length + sizeof suffix);
    if (path == NULL) return -1;
    for (size_t i = 0; i < length; i++) path[i] = directory[i];
    for (size_t i = 0; i < sizeof suffix; i++) path[length + i] = suffix[i];
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0) unlink(path);
    int cause = errno;
    free(path);
    errno = cause;
    return fd;
}

int clinux_fsync_directory(const char *path) {
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return -1;
    int result = fsync(fd);
    int cause = errno;
    close(fd);
    errno = cause;
    return result;
}

int clinux_file_system_type(const char *path, uint32_t *type) {
    struct statfs status;
    int result;
    do {
        result = statfs(path, &status);
    } while (result != 0 && errno == EINTR);
    if (result == 0) *type = (uint32_t)status.f_type;
    return result;
}

int clinux_set_attribute(int fd, const char *name, const void *bytes, size_t count) {
    return fsetxattr(fd, name, bytes, count, 0);
}

ssize_t clinux_attribute(int fd, const char *name, void *buffer, size_t capacity) {
    return fgetxattr(fd, name, buffer, capacity);
}

int clinux_socket_pair(int fds[2]) { return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds); }

int clinux_send(int socket, const void *bytes, size_t count, bool wait) {
    ssize_t sent;
    do {
        sent = send(socket, bytes, count, MSG_NOSIGNAL | (wait ? 0 : MSG_DONTWAIT));
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? -1 : 0;
}

ssize_t clinux_receive(int socket, void *buffer, size_t capacity, bool wait) {
    ssize_t count;
    // A peer that closes with messages unread makes one call fail with ECONNRESET, before the messages that it sent
    // itself are read; they are still there.
    do {
        count = recv(socket, buffer, capacity, MSG_TRUNC | (wait ? 0 : MSG_DONTWAIT));
    } while (count < 0 && (errno == EINTR || errno == ECONNRESET));
    if (count > (ssize_t)capacity) {
        errno = EMSGSIZE;
        return -1;
    }
    return count;
}

/// Room for the descriptors that go with a message, aligned as its header.
typedef union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(CLINUX_MOST_PASSED * sizeof(int))];
} passed_descriptors;

int clinux_send_descriptors(int socket, const void *bytes, size_t count, const int *fds, size_t fd_count) {
    if (fd_count > CLINUX_MOST_PASSED) {
        errno = EINVAL;
        return -1;
    }
    passed_descriptors passed = {0};
    struct iovec content = {.iov_base = (void *)bytes, .iov_len = count};
    struct msghdr message = {.msg_iov = &content, .msg_iovlen = 1};
    if (fd_count > 0) {
        message.msg_control = passed.bytes;
        message.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
        memcpy(CMSG_DATA(header), fds, fd_count * sizeof(int));
    }
    ssize_t sent;
    do {
        sent = sendmsg(socket, &message, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? -1 : 0;
}

ssize_t clinux_receive_descriptors(int socket, void *buffer, size_t capacity, int fds[CLINUX_MOST_PASSED],
                                   size_t *fd_count) {
    *fd_count = 0;
    passed_descriptors passed = {0};
    struct iovec content = {.iov_base = buffer, .iov_len = capacity};
    struct msghdr message = {
        .msg_iov = &content, .msg_iovlen = 1, .msg_control = passed.bytes, .msg_controllen = sizeof passed.bytes};
    ssize_t count;
    do {
        count = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    } while (count < 0 && errno == EINTR);
    if (count < 0) return -1;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header != NULL && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
        *fd_count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(fds, CMSG_DATA(header), *fd_count * sizeof(int));
    }
    if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0) return count;
    for (size_t i = 0; i < *fd_count; i++) close(fds[i]);
    *fd_count = 0;
    errno = EMSGSIZE;
    return -1;
}

int clinux_die_with_parent(void) { return prctl(PR_SET_PDEATHSIG, SIGKILL); }

int clinux_set_no_new_privileges(void) { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED true
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED false
#endif

bool clinux_is_sanitized(void) { return IS_SANITIZED; }

long clinux_call(long number, long argument) { return syscall(number, argument, 0, 0, 0, 0, 0); }

int clinux_wait_signal(int status) { return WIFSIGNALED(status) ? WTERMSIG(status) : 0; }
