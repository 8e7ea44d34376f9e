import Glibc

/// The terminal: results go to standard output, everything else to standard error.
enum Console {
    static func error(_ message: String) { write("lktrack: \(message)\n", to: STDERR_FILENO) }

    static func note(_ message: String) { write("\(message)\n", to: STDERR_FILENO) }

    /// Overwrites the current line of a terminal.
    static func status(_ line: String) { write("\r\u{1B}[K\(line)", to: STDERR_FILENO) }

    static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    /// Writes everything, or says that it could not.
    @discardableResult
    static func write(_ text: String, to descriptor: Int32) -> Bool { write(Array(text.utf8), to: descriptor) }

    @discardableResult
    static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        bytes.withUnsafeBytes { buffer in
            var done = 0
            while done < buffer.count {
                let count = Glibc.write(descriptor, buffer.baseAddress! + done, buffer.count - done)
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { return false }
                done += count
            }
            return true
        }
    }
}

/// A progress bar on a terminal; nothing where standard error is piped.
struct ProgressBar {
    private let isShown = Console.isTerminal
    private let start = ContinuousClock.now
    private var lastShown: ContinuousClock.Instant?

    mutating func show(done: Int, of total: Int?) {
        guard isShown else { return }
        let now = ContinuousClock.now
        if let lastShown, now - lastShown < .milliseconds(100), done != total { return }
        lastShown = now
        let elapsed = (now - start) / .seconds(1)
        let rate = elapsed > 0 ? Int(Double(done) / elapsed) : 0
        guard let total, total > 0 else { return Console.status("\(done) frames, \(rate) a second") }
        let filled = min(30, 30 * done / total)
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: 30 - filled)
        Console.status("\(bar) \(done)/\(total) frames, \(rate) a second")
    }

    func end() {
        if isShown && lastShown != nil { Console.note("") }
    }
}
