import Foundation

/// The real binary, and what it is driven with.
package enum Executable {
    /// `lktrack` as built beside this test bundle, or the one that LKTRACK_BINARY names.
    package static let lktrack: String = {
        if let path = ProcessInfo.processInfo.environment["LKTRACK_BINARY"] { return path }
        return built("lktrack")
    }()

    /// A program of this package, as built beside this test bundle.
    package static func built(_ name: String) -> String {
        var folder = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        if let bundle = CommandLine.arguments.first(where: { $0.hasSuffix(".xctest") }) {
            folder = URL(fileURLWithPath: bundle).deletingLastPathComponent()
        }
        return folder.appendingPathComponent(name).path
    }

    package struct Output {
        package let status: Int32
        package let standardOutput: Data
        package let standardError: String

        package var text: String { String(decoding: standardOutput, as: UTF8.self) }
        package var lines: [Substring] { text.split(separator: "\n") }
    }

    /// Runs a program to its end.
    package static func run(_ path: String, _ arguments: [String], in folder: URL? = nil) throws -> Output {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.currentDirectoryURL = folder
        process.standardInput = FileHandle.nullDevice
        let output = try TemporaryFile()
        let error = try TemporaryFile()
        process.standardOutput = output.handle
        process.standardError = error.handle
        try process.run()
        process.waitUntilExit()
        return Output(
            status: process.terminationStatus, standardOutput: try output.contents(),
            standardError: String(decoding: try error.contents(), as: UTF8.self))
    }

    package static func lktrack(_ arguments: String..., in folder: URL? = nil) throws -> Output {
        try run(lktrack, arguments, in: folder)
    }
}

/// A file that is gone when nobody refers to it. (A pipe would fill up and block the child.)
package final class TemporaryFile {
    package let url: URL
    package let handle: FileHandle

    package init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("lktrack-test-\(UUID().uuidString)")
        try Data().write(to: url)
        handle = try FileHandle(forUpdating: url)
    }

    deinit {
        try? handle.close()
        try? FileManager.default.removeItem(at: url)
    }

    package func contents() throws -> Data { try Data(contentsOf: url) }
}

/// A folder that is gone when nobody refers to it.
package final class TemporaryFolder: Sendable {
    package let url: URL

    package init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("lktrack-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    package func path(_ name: String) -> String { url.appendingPathComponent(name).path }

    package func write(_ bytes: some Sequence<UInt8>, to name: String) throws -> String {
        try Data(bytes).write(to: url.appendingPathComponent(name))
        return path(name)
    }
}
