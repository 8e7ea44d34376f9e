import CMicroHTTPD
import Glibc
import Synchronization

/// A file descriptor of the server's own, closed once: by hand or with this object.
final class Descriptor: Sendable {
    let number: Int32
    private let isOpen = Atomic(true)

    init(_ number: Int32) { self.number = number }

    deinit { close() }

    /// A counter that wakes who waits for it.
    /// - Throws: `outOfResources`.
    static func event() throws(HTTPServerError) -> Descriptor {
        try checked(eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK)))
    }

    /// A set of descriptors to wait for.
    /// - Throws: `outOfResources`.
    static func epoll() throws(HTTPServerError) -> Descriptor {
        try checked(epoll_create1(Int32(EPOLL_CLOEXEC)))
    }

    /// Wakes who waits for this event.
    func signal() {
        var one: UInt64 = 1
        _ = write(number, &one, MemoryLayout<UInt64>.size)
    }

    func close() {
        if isOpen.exchange(false, ordering: .acquiringAndReleasing), number >= 0 { Glibc.close(number) }
    }

    private static func checked(_ number: Int32) throws(HTTPServerError) -> Descriptor {
        guard number >= 0 else {
            throw HTTPServerError(.outOfResources, "No file descriptor is left: \(String(cString: strerror(errno))).")
        }
        return Descriptor(number)
    }

    /// Raises the process's soft limit of open files as far as is needed and allowed: the usual one, 1024, is there for
    /// programs that use `select`.
    /// - Returns: the limit as it is now.
    static func allow(_ count: Int) -> Int {
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limits = rlimit()
        guard getrlimit(resource, &limits) == 0 else { return .max }
        if limits.rlim_cur < rlim_t(count) {
            var raised = limits
            raised.rlim_cur = min(limits.rlim_max, rlim_t(count))
            if setrlimit(resource, &raised) == 0 { limits = raised }
        }
        return Int(clamping: limits.rlim_cur)
    }
}
