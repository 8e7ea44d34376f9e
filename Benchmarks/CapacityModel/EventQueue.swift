/// What is going to happen, the earliest first; what happens at the same time, in the order in which it was planned. A
/// binary heap.
struct EventQueue<Event> {
    private struct Entry {
        let time: Double
        let number: Int
        let event: Event

        func comes(before other: Entry) -> Bool { (time, number) < (other.time, other.number) }
    }

    private var heap: [Entry] = []
    private var planned = 0

    mutating func plan(_ event: Event, at time: Double) {
        heap.append(Entry(time: time, number: planned, event: event))
        planned += 1
        var child = heap.count - 1
        while child > 0, heap[child].comes(before: heap[(child - 1) / 2]) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func next() -> (time: Double, event: Event)? {
        guard let first = heap.first, let last = heap.popLast() else { return nil }
        guard !heap.isEmpty else { return (first.time, first.event) }
        heap[0] = last
        var parent = 0
        while true {
            let children = (2 * parent + 1)..<min(2 * parent + 3, max(heap.count, 2 * parent + 1))
            guard let child = children.min(by: { heap[$0].comes(before: heap[$1]) }),
                heap[child].comes(before: heap[parent])
            else { break }
            heap.swapAt(parent, child)
            parent = child
        }
        return (first.time, first.event)
    }
}

/// Equal servers with one line before them: first come, first served.
struct Station {
    /// When each of them is free again.
    private var free: [Double]
    /// Seconds of work that they were given.
    private(set) var work = 0.0

    init(servers: Int) { free = Array(repeating: 0, count: servers) }

    /// Takes a request, and says when it is done. Requests must come in the order of their times.
    mutating func serve(at now: Double, for seconds: Double) -> Double {
        guard seconds > 0, let first = free.indices.min(by: { free[$0] < free[$1] }) else { return now }
        free[first] = max(now, free[first]) + seconds
        work += seconds
        return free[first]
    }
}
