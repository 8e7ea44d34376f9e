#ifndef CLINUX_H
#define CLINUX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// Linux calls that Swift cannot make itself: variadic functions, GNU extensions that the Glibc module leaves out, and
/// processor checks. Unless said otherwise a function returns 0 or a descriptor, and -1 with `errno` set on failure.
/// Every descriptor that is returned is close-on-exec.

#ifdef __cplusplus
extern "C" {
#endif

/// Whether the processor and the kernel have what x86-64-v3 code needs (AVX2, FMA, BMI2). True in a baseline build
/// (LKTRACK_BASELINE) and on other architectures, which are not built with those instructions.
bool clinux_cpu_suits_build(void);

/// Lets the C library take memory from no more than so many arenas. Each keeps what was once in use, so that by
/// default, with eight for each processor, a process grows to many times the most that it ever needs at once; see
/// mallopt(3). To be called before there is a second thread.
void clinux_limit_arenas(int count);

/// Makes a thread stand back further for others where there is no processor for all: raises its niceness by so much,
/// see setpriority(2). `thread` is a process's number for its first thread, or 0 for the calling one; threads and
/// processes that it starts afterwards have the same niceness. Where it is refused nothing changes.
void clinux_stand_back(pid_t thread, int more);

/// An anonymous memory file that can be sealed; see memfd_create(2). `name` shows up in /proc only.
int clinux_memfd_create(const char *name);

/// Fixes the size of a memory file for good: nobody who holds it can shrink it (which would turn a reader's access into
/// SIGBUS), grow it or change the seals. See F_ADD_SEALS in fcntl(2).
int clinux_seal_size(int memfd);

/// A file in `directory` that has no name and is gone with its last descriptor.
int clinux_open_unnamed(const char *directory);

/// Writes a folder's entries to the disk, so that a file that was created, renamed or removed in it stays so after a
/// power loss. See NOTES of fsync(2).
int clinux_fsync_directory(const char *path);

/// Which kind of file system a file or folder is on: `f_type` of statfs(2), in 32 bits.
int clinux_file_system_type(const char *path, uint32_t *type);

/// Keeps bytes with a file as an extended attribute, and reads them back; see xattr(7). Reading returns how many there
/// are.
int clinux_set_attribute(int fd, const char *name, const void *bytes, size_t count);
ssize_t clinux_attribute(int fd, const char *name, void *buffer, size_t capacity);

/// A connected pair of SOCK_SEQPACKET sockets: message boundaries are kept, and the end of one process is seen by the
/// other.
int clinux_socket_pair(int fds[2]);

/// Sends one message without SIGPIPE. `wait` false: fails with `EAGAIN` where there is no room for it.
int clinux_send(int socket, const void *bytes, size_t count, bool wait);

/// Receives one message. Returns its length, 0 once the peer is gone, -1 on failure (`EMSGSIZE` where it was longer
/// than `capacity`). `wait` false: fails with `EAGAIN` where there is none.
ssize_t clinux_receive(int socket, void *buffer, size_t capacity, bool wait);

/// Descriptors that go with one message at most.
enum { CLINUX_MOST_PASSED = 3 };

/// Sends one message that gives the peer copies of `fd_count` descriptors; see SCM_RIGHTS in unix(7). Without SIGPIPE,
/// and waits for room.
int clinux_send_descriptors(int socket, const void *bytes, size_t count, const int *fds, size_t fd_count);

/// As `clinux_receive`, which waits, and takes the descriptors that came along. `*fd_count` is their number, 0 on
/// failure.
ssize_t clinux_receive_descriptors(int socket, void *buffer, size_t capacity, int fds[CLINUX_MOST_PASSED],
                                   size_t *fd_count);

/// What a started process is given. Its descriptors are 0, 1 and 2 on /dev/null and `fds` from 3 on, nothing else.
typedef struct {
    const char *executable;
    /// NULL-terminated, the program's name first.
    char *const *arguments;
    /// NULL-terminated `NAME=value`.
    char *const *environment;
    const int *fds;
    size_t fd_count;
} clinux_process;

/// Starts a process in a process group of its own, with no signal blocked or ignored. `*pid` is set on success only.
int clinux_spawn(const clinux_process *process, pid_t *pid);

/// Asks the kernel to kill this process once the thread that started it is gone; see PR_SET_PDEATHSIG in prctl(2). It
/// is bound to the parent's thread, not to its process, so start such a process from a thread that stays.
int clinux_die_with_parent(void);

/// Nothing that this process executes gains privileges; see PR_SET_NO_NEW_PRIVS in prctl(2).
int clinux_set_no_new_privileges(void);

/// Whether this was built with AddressSanitizer or ThreadSanitizer, which lay claim to terabytes of address space.
bool clinux_is_sanitized(void);

/// A system call by its number, for those that no library wraps. Fails as syscall(2) does.
long clinux_call(long number, long argument);

/// Where a process that was waited for ended: the signal that killed it, or 0 where it exited by itself.
int clinux_wait_signal(int status);

#ifdef __cplusplus
}
#endif

#endif
