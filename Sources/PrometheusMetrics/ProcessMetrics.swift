import Foundation
import Glibc

/// The figures that every process exposes under the same names, from proc(5).
public struct ProcessMetrics: Sendable {
    private let startTime: Date

    public init(startTime: Date) { self.startTime = startTime }

    public func collect() -> [MetricFamily] {
        var families = [
            MetricFamily.gauge(
                "process_start_time_seconds", "When the process started, in seconds since 1970.",
                startTime.timeIntervalSince1970)
        ]
        var usage = rusage()
        if getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 {
            families.append(
                .counter(
                    "process_cpu_seconds", "Processor time of this process, its decoders not included.",
                    Self.seconds(usage.ru_utime) + Self.seconds(usage.ru_stime)))
        }
        if let bytes = Self.residentBytes {
            families.append(.gauge("process_resident_memory_bytes", "Resident memory.", Double(bytes)))
        }
        if let open = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count {
            families.append(.gauge("process_open_fds", "Open file descriptors.", Double(open)))
        }
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            families.append(.gauge("process_max_fds", "File descriptors that may be open.", Double(limit.rlim_cur)))
        }
        return families
    }

    private static func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) * 1e-6 }

    /// The second number of /proc/self/statm counts pages.
    private static var residentBytes: Int? {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return nil }
        let fields = text.split(separator: " ")
        return fields.count > 1 ? Int(fields[1]).map { $0 * sysconf(Int32(_SC_PAGESIZE)) } : nil
    }
}
