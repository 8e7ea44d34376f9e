import Foundation
import Glibc

/// What /proc says of processes.
package enum Processes {
    /// All that a process started: decoders at work, and the one that is kept ready.
    package static func children(of process: Int32) -> [Int32] {
        let tasks = "/proc/\(process)/task"
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: tasks)) ?? []
        return threads.flatMap { thread -> [Int32] in
            let text = contents(of: "\(tasks)/\(thread)/children") ?? ""
            return text.split(separator: " ").compactMap { Int32($0.filter(\.isNumber)) }
        }
    }

    /// Its children that have a job: those that are restricted. One that is kept ready is not yet.
    package static func decoders(of process: Int32) -> [Int32] { children(of: process).filter(isRestricted) }

    /// By the limit of open files, which no kernel refuses; see DecoderSandbox.
    private static func isRestricted(_ process: Int32) -> Bool {
        let limits = contents(of: "/proc/\(process)/limits") ?? ""
        let line = limits.split(separator: "\n").first { $0.hasPrefix("Max open files") } ?? ""
        return line.split(separator: " ").dropFirst(3).first == "64"
    }

    /// Seconds that a process has used, and those of its ended children that it has waited for.
    package static func processorSeconds(of process: Int32) -> Double {
        let line = (try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)) ?? ""
        // proc(5): utime, stime, cutime and cstime, of which the first comes 12th after the name.
        let fields = line[(line.lastIndex(of: ")") ?? line.startIndex)...].split(separator: " ")
        return fields.dropFirst(12).prefix(4).reduce(0) { $0 + (Double($1) ?? 0) } / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// The same with its children that live.
    package static func processorSeconds(ofFamily process: Int32) -> Double {
        ([process] + children(of: process)).reduce(0) { $0 + processorSeconds(of: $1) }
    }

    /// One that nobody has waited for is dead all the same.
    package static func isAlive(_ process: Int32) -> Bool {
        guard let state = state("/proc/\(process)") else { return false }
        return !["Z", "X"].contains(state)
    }

    /// Whether all of its threads stand still: some may go on for a moment after the SIGSTOP.
    package static func isStopped(_ process: Int32) -> Bool {
        let tasks = "/proc/\(process)/task"
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: tasks)) ?? []
        return !threads.isEmpty && threads.allSatisfy { state("\(tasks)/\($0)") == "T" }
    }

    /// proc(5): the letter after the name.
    private static func state(_ folder: String) -> Substring? {
        guard let status = contents(of: "\(folder)/stat"), let name = status.lastIndex(of: ")") else { return nil }
        return status[name...].split(separator: " ").dropFirst().first
    }

    /// Of a small file of /proc, of which Foundation, asked for it hundreds of times a second, makes much memory.
    static func contents(of path: String) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        return withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { buffer in
            let count = read(file, buffer.baseAddress, buffer.count)
            return count < 0 ? nil : String(decoding: buffer[..<count], as: UTF8.self)
        }
    }
}
