import FuzzTargets
import Glibc

/// `lktrack-fuzz TARGET [libFuzzer's arguments]`: libFuzzer over one of ``FuzzTarget``.
@main
enum Main {
    static func main() {
        var arguments = CommandLine.arguments
        guard arguments.count > 1, let target = FuzzTarget(rawValue: arguments.remove(at: 1)) else {
            print("usage: lktrack-fuzz \(FuzzTarget.allCases.map(\.rawValue).joined(separator: "|")) [ARGUMENTS]")
            exit(64)
        }
        chosen = target
        var count = Int32(arguments.count)
        var strings: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = .allocate(capacity: arguments.count + 1)
        for (index, argument) in arguments.enumerated() { strings?[index] = strdup(argument) }
        strings?[arguments.count] = nil
        exit(runDriver(&count, &strings, takeInput))
    }
}

/// Set once, before libFuzzer starts.
private nonisolated(unsafe) var chosen = FuzzTarget.spec

private let takeInput: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32 = { bytes, count in
    chosen.run(Array(UnsafeBufferPointer(start: bytes, count: count)))
    return 0
}

/// <fuzzer/FuzzerInterface.h>, "libFuzzer as a library".
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<Int32>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
    _ input: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32
