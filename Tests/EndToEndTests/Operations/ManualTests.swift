import Foundation
import Testing

@Suite("The manual of operations")
struct ManualTests {
    private static func text(_ path: String) throws -> String {
        try String(contentsOfFile: Python.root.path + "/" + path, encoding: .utf8)
    }

    @Test("says what to do about every error code of a job")
    func failureCodes() throws {
        let codes = try Self.text("Sources/Jobs/Job.swift").matches(of: /= Code\(rawValue: "([a-z_]+)"\)/)
        #expect(codes.count >= 9)
        let manual = try Self.text("docs/operations.md")
        for code in codes { #expect(manual.contains("\n| `\(code.output.1)` |"), "\(code.output.1)") }
    }

    @Test("says what to do about every problem of a request")
    func problems() throws {
        let kinds = try Self.text("Sources/TrackingAPI/Routing/Problem+Kind.swift")
            .matches(of: /Self\("([a-z-]+)", ([0-9]{3}),/)
        #expect(kinds.count >= 20)
        let manual = try Self.text("docs/operations.md")
        for kind in kinds {
            let name = "\(kind.output.2) `\(kind.output.1)`"
            #expect(manual.contains("| \(name)") || manual.contains(", \(name)"), "\(name)")
        }
    }

    @Test("it, the other pages and the READMEs name no file that is not there")
    func links() throws {
        let pages = try FileManager.default.contentsOfDirectory(atPath: Python.root.path + "/docs")
            .filter { $0.hasSuffix(".md") }.map { "docs/" + $0 }
        #expect(pages.contains("docs/operations.md"))
        for file in pages + ["README.md", "CHANGELOG.md", "SECURITY.md", "clients/python/README.md"] {
            let folder = URL(fileURLWithPath: Python.root.path + "/" + file).deletingLastPathComponent()
            for link in try Self.text(file).matches(of: /\]\(([^)#:]+)(#[a-z-]+)?\)/) {
                let path = folder.appendingPathComponent(String(link.output.1)).path
                #expect(FileManager.default.fileExists(atPath: path), "\(file): \(link.output.1)")
            }
        }
    }
}
