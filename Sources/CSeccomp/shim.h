#ifndef CSECCOMP_SHIM_H
#define CSECCOMP_SHIM_H

// What Swift cannot call by itself: macros with arguments.

#include <seccomp.h>

// A refused call returns this error.
static inline uint32_t lk_seccomp_refuse(int error) { return SCMP_ACT_ERRNO(error); }

static inline uint32_t lk_seccomp_kill(void) { return SCMP_ACT_KILL_PROCESS; }

static inline uint32_t lk_seccomp_allow(void) { return SCMP_ACT_ALLOW; }

#endif
