/// Tells ThreadSanitizer of `Synchronization.Mutex`; nothing in any other build.
///
/// On Linux its uncontended path, an atomic exchange, is compiled into the caller and so is seen. Its contended one is
/// in the standard library, which is not instrumented: the sanitizer misses that a lock was taken there after another
/// thread gave it back, and reports races that are none. The functions below take the place of those three: they call
/// them, and say what they do (LinuxImpl.swift of Swift's Synchronization module). No report is suppressed by it: what
/// is ordered by no lock, or by another one, is still found.

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)

#define _GNU_SOURCE
#include <dlfcn.h>
#include <sanitizer/tsan_interface.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

// As Swift names the methods `_lockSlow(UInt32)`, `_tryLockSlow() -> Bool` and `_unlockSlow()` of `_MutexHandle`.
#define LOCK_SLOW "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define TRY_LOCK_SLOW "$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF"
#define UNLOCK_SLOW "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context)) void *mutex

typedef SWIFT void lock_method(uint32_t thread, SELF);
typedef SWIFT bool try_lock_method(SELF);
typedef SWIFT void unlock_method(SELF);

SWIFT void tell_lock(uint32_t thread, SELF) __asm__(LOCK_SLOW);
SWIFT bool tell_try_lock(SELF) __asm__(TRY_LOCK_SLOW);
SWIFT void tell_unlock(SELF) __asm__(UNLOCK_SLOW);

/// The standard library's own.
static void *original(const char *name) {
    void *method = dlsym(RTLD_NEXT, name);
    if (method == NULL) abort();
    return method;
}

SWIFT void tell_lock(uint32_t thread, SELF) {
    ((lock_method *)original(LOCK_SLOW))(thread, mutex);
    __tsan_acquire(mutex);
}

SWIFT bool tell_try_lock(SELF) {
    bool is_taken = ((try_lock_method *)original(TRY_LOCK_SLOW))(mutex);
    if (is_taken) __tsan_acquire(mutex);
    return is_taken;
}

SWIFT void tell_unlock(SELF) {
    __tsan_release(mutex);
    ((unlock_method *)original(UNLOCK_SLOW))(mutex);
}

#endif
#endif
