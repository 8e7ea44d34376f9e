import Foundation
import ServiceHarness

/// Files that nobody has any business to open, watched by the kernel (inotify(7)) from their making on.
final class Canaries {
    private let descriptor: Int32
    private var names: [Int32: String] = [:]

    init() throws {
        descriptor = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
        guard descriptor >= 0 else { throw ProofError("no inotify: \(String(cString: strerror(errno)))") }
    }

    deinit { close(descriptor) }

    var count: Int { names.count }

    /// Watches a file that is there.
    func watch(_ path: String) throws {
        let watch = inotify_add_watch(descriptor, path, UInt32(IN_OPEN | IN_ACCESS))
        guard watch >= 0 else { throw ProofError("\(path) cannot be watched: \(String(cString: strerror(errno)))") }
        names[watch] = path
    }

    /// Files that were opened or read since it was asked before.
    func touched() -> Set<String> {
        var found: Set<String> = []
        // An event of a file, which no name follows.
        var events = [inotify_event](repeating: inotify_event(), count: 1024)
        let size = MemoryLayout<inotify_event>.size
        while case let bytes = read(descriptor, &events, events.count * size), bytes > 0 {
            for event in events.prefix(bytes / size) {
                let isLost = event.mask & UInt32(IN_Q_OVERFLOW) != 0
                found.insert(isLost ? "more than the kernel counts" : names[event.wd] ?? "a file")
            }
        }
        return found
    }

    /// Reads each: whether all of that is seen, as it would have been of anybody else.
    func seeEach() -> Bool {
        for path in names.values { _ = try? Data(contentsOf: URL(fileURLWithPath: path)) }
        return touched() == Set(names.values)
    }
}
