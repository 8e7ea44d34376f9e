import Foundation

/// Programs in Python over packages that nobody here wrote, which `scripts/install-deps --test` has installed.
enum Python {
    /// The project's folder.
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// A program of the environment: `python`, `schemathesis`.
    static func program(_ name: String) -> String { root.path + "/.build-python/bin/" + name }

    /// Runs a script to its end, with arguments as `sys.argv[1:]`.
    static func run(_ script: String, _ arguments: String...) throws -> Executable.Output {
        try Executable.run(program("python"), ["-c", script] + arguments)
    }
}
