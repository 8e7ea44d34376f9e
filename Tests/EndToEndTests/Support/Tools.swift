import Foundation

/// Programs that `scripts/install-deps --test` has unpacked, or that are installed.
enum Tools {
    static let nginx = program("usr/sbin/nginx")
    static let promtool = program("usr/bin/promtool")

    /// Judges units without a running systemd, but comes with it: not every machine has it.
    static let systemdAnalyze = "/usr/bin/systemd-analyze"

    /// A file of the project's `config` folder.
    static func example(_ path: String) -> String { Python.root.path + "/config/" + path }

    private static func program(_ path: String) -> String {
        let unpacked = Python.root.path + "/.build-tools/" + path
        return FileManager.default.isExecutableFile(atPath: unpacked) ? unpacked : "/" + path
    }
}
