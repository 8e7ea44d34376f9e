import Foundation
import Glibc

/// What the machine's processors have done until a moment, in seconds of one of them.
package struct ProcessorTimes: Sendable {
    /// By the clock, from any beginning.
    package var clock: Double
    /// For all programs together.
    package var busy: Double
    /// For one process and all that it started; see ``FamilyTimes``.
    package var own: Double

    package init(clock: Double, busy: Double, own: Double) {
        self.clock = clock
        self.busy = busy
        self.own = own
    }

    /// How much longer things may take for what other programs took from now on until later: where they had half of the
    /// processors' time, twice as long. Whatever the own processes did counts for nothing.
    ///
    /// - Parameter most: the most that is answered. Who waits for a clock uses no processor, and others may then have
    ///   nearly all of the time, without being in the way for long: the scheduler shares it out again once it is
    ///   wanted.
    package func slowness(until later: ProcessorTimes, processors: Int, most: Double = 4) -> Double {
        let all = (later.clock - clock) * Double(processors)
        guard all > 0 else { return 1 }
        let others = max(0, (later.busy - busy) - (later.own - own))
        let left = max(all - others, all / most)
        return min(most, max(1, all / left))
    }

    /// What the first line of `/proc/stat` says (proc(5)): user, nice, system, and what a virtual machine's host kept
    /// for others. Not the time of interrupts, which may be for what the own processes send, write and receive.
    ///
    /// - Parameter ticks: of the kernel's clock in a second.
    package static func busySeconds(_ stat: String, ticks: Double) -> Double {
        let line = stat.split(separator: "\n", maxSplits: 1).first ?? ""
        let fields = line.split(separator: " ").dropFirst().map { Double($0) ?? 0 }
        return [0, 1, 2, 7].reduce(0.0) { $0 + (fields.indices.contains($1) ? fields[$1] : 0) } / ticks
    }

    /// Of now, where what a process and its family took is known.
    package static func now(own: Double) -> ProcessorTimes {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return ProcessorTimes(
            clock: Double(time.tv_sec) + Double(time.tv_nsec) / 1e9,
            busy: busySeconds(Processes.contents(of: "/proc/stat") ?? "", ticks: ProcessStat.ticks), own: own)
    }
}

/// A process, as `/proc/PID/stat` tells.
package struct ProcessStat: Hashable, Sendable {
    package var number: Int32
    package var parent: Int32
    /// When it was started, in ticks: numbers are given again.
    package var start: UInt64
    /// Seconds that it has used, and those of its ended children that it has waited for.
    package var seconds: Double

    package init(number: Int32, parent: Int32, start: UInt64, seconds: Double) {
        self.number = number
        self.parent = parent
        self.start = start
        self.seconds = seconds
    }

    /// - Parameter ticks: of the kernel's clock in a second.
    package init?(_ line: String, ticks: Double) {
        // The name comes second, in brackets, and may hold anything.
        guard let name = line.lastIndex(of: ")"), let number = line.split(separator: " ").first.flatMap({ Int32($0) })
        else { return nil }
        // proc(5): after the name the state and the parent; utime, stime, cutime, cstime from the 12th on; the 20th.
        let fields = line[line.index(after: name)...].split(separator: " ")
        guard fields.count >= 20, let parent = Int32(fields[1]), let start = UInt64(fields[19]) else { return nil }
        let used = fields[11..<15].reduce(0.0) { $0 + (Double($1) ?? 0) }
        self.init(number: number, parent: parent, start: start, seconds: used / ticks)
    }

    /// Those that there are now.
    package static func all() -> [ProcessStat] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { name in
            guard Int32(name) != nil, let line = Processes.contents(of: "/proc/\(name)/stat") else { return nil }
            return ProcessStat(line, ticks: ticks)
        }
    }

    static let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
}

/// Seconds that a process and all that it started have used, of those as well that have ended or that another process
/// has taken over.
///
/// A process that ends is counted by the parent that waits for it. Where the parent has ended before, nobody has its
/// time: what it had when it was last seen is counted then. Some may be counted twice by that, so that others seem to
/// have had less. They seem to have had more only by what such a process used after it was last seen.
package struct FamilyTimes: Sendable {
    private let root: Int32
    private var family: [Int32: ProcessStat] = [:]
    private var orphaned = 0.0
    package private(set) var seconds = 0.0

    package init(of root: Int32) { self.root = root }

    /// - Parameter all: processes that there are now.
    package mutating func update(_ all: [ProcessStat]) {
        let present = Dictionary(all.map { ($0.number, $0) }) { $1 }
        let children = Dictionary(grouping: all) { $0.parent }
        func isPresent(_ process: ProcessStat) -> Bool { present[process.number]?.start == process.start }
        // From those that were in the family, too: the parents of some may have ended since.
        var open = [root] + family.values.filter(isPresent).map(\.number)
        var found: [Int32: ProcessStat] = [:]
        while let number = open.popLast() {
            guard found[number] == nil, let process = present[number] else { continue }
            found[number] = process
            open += (children[number] ?? []).map(\.number)
        }
        for ended in family.values where !isPresent(ended) {
            let parent = family[ended.parent]
            if parent.map(isPresent) != true { orphaned += ended.seconds }
        }
        family = found
        seconds = max(seconds, orphaned + found.values.reduce(0.0) { $0 + $1.seconds })
    }
}
