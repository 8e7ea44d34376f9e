#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <unistd.h>

#include "CLinux.h"

enum { first_passed_fd = 3, highest_passed_fd = 15 };

/// Descriptors 0-2 on /dev/null, the passed ones from 3 on, the rest closed. The passed ones must lie above every
/// target, or one would overwrite another before it is copied.
static int add_descriptors(posix_spawn_file_actions_t *actions, const int *fds, size_t count) {
    int error = 0;
    for (int fd = 0; fd < first_passed_fd && error == 0; fd++) {
        error = posix_spawn_file_actions_addopen(actions, fd, "/dev/null", O_RDWR, 0);
    }
    for (size_t i = 0; i < count && error == 0; i++) {
        error = posix_spawn_file_actions_adddup2(actions, fds[i], first_passed_fd + (int)i);
    }
    if (error == 0) error = posix_spawn_file_actions_addclosefrom_np(actions, first_passed_fd + (int)count);
    return error;
}

static int set_attributes(posix_spawnattr_t *attributes) {
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    int error = posix_spawnattr_setpgroup(attributes, 0);
    if (error == 0) error = posix_spawnattr_setsigmask(attributes, &none);
    if (error == 0) error = posix_spawnattr_setsigdefault(attributes, &all);
    if (error == 0) {
        error = posix_spawnattr_setflags(attributes,
                                         POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    }
    return error;
}

static int spawn_with(const clinux_process *process, const int *fds, pid_t *pid) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0) return error;
    error = posix_spawnattr_init(&attributes);
    if (error != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return error;
    }
    error = add_descriptors(&actions, fds, process->fd_count);
    if (error == 0) error = set_attributes(&attributes);
    if (error == 0) {
        error = posix_spawn(pid, process->executable, &actions, &attributes, process->arguments, process->environment);
    }
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

int clinux_spawn(const clinux_process *process, pid_t *pid) {
    if (process->fd_count > highest_passed_fd - first_passed_fd + 1) {
        errno = EINVAL;
        return -1;
    }
    int copies[highest_passed_fd - first_passed_fd + 1];
    size_t made = 0;
    int error = 0;
    for (; made < process->fd_count; made++) {
        copies[made] = fcntl(process->fds[made], F_DUPFD_CLOEXEC, highest_passed_fd + 1);
        if (copies[made] < 0) {
            error = errno;
            break;
        }
    }
    if (error == 0) error = spawn_with(process, copies, pid);
    for (size_t i = 0; i < made; i++) close(copies[i]);
    errno = error;
    return error == 0 ? 0 : -1;
}
