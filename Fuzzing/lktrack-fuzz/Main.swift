import FuzzTargets
import Glibc

/// `lktrack-fuzz TARGET [libFuzzer's arguments]`: libFuzzer over one of ``FuzzTarget``. With `LKTRACK_FUZZ_LONG=1` over
/// long inputs, made of libFuzzer's (``FuzzTarget/stretched(_:)``).
@main
enum Main {
    static func main() {
        var arguments = CommandLine.arguments
        // Told to the processes that libFuzzer starts to merge a corpus: it gives them its own arguments only.
        if arguments.count > 1, FuzzTarget(rawValue: arguments[1]) != nil {
            setenv(variable, arguments.remove(at: 1), 1)
        }
        guard let target = getenv(variable).flatMap({ FuzzTarget(rawValue: String(cString: $0)) }) else {
            print("usage: lktrack-fuzz \(FuzzTarget.allCases.map(\.rawValue).joined(separator: "|")) [ARGUMENTS]")
            exit(64)
        }
        chosen = target
        isLong = getenv("LKTRACK_FUZZ_LONG") != nil
        var count = Int32(arguments.count)
        var strings: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = .allocate(capacity: arguments.count + 1)
        for (index, argument) in arguments.enumerated() { strings?[index] = strdup(argument) }
        strings?[arguments.count] = nil
        exit(runDriver(&count, &strings, takeInput))
    }
}

private let variable = "LKTRACK_FUZZ_TARGET"

/// Set once, before libFuzzer starts.
private nonisolated(unsafe) var chosen = FuzzTarget.spec
private nonisolated(unsafe) var isLong = false

private let takeInput: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32 = { bytes, count in
    let input = Array(UnsafeBufferPointer(start: bytes, count: count))
    chosen.run(isLong ? chosen.stretched(input) : input)
    return 0
}

/// <fuzzer/FuzzerInterface.h>, "libFuzzer as a library".
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<Int32>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
    _ input: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32
