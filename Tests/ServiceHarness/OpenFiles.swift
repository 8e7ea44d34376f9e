import Glibc

/// The limit of open files, raised as far as may be: a thousand sockets are more than the usual limit leaves.
package func allowOpenFiles(_ count: Int) -> Bool {
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    var limits = rlimit()
    guard getrlimit(resource, &limits) == 0 else { return false }
    if limits.rlim_cur >= rlim_t(count) { return true }
    limits.rlim_cur = min(limits.rlim_max, rlim_t(count))
    return setrlimit(resource, &limits) == 0 && limits.rlim_cur >= rlim_t(count)
}
