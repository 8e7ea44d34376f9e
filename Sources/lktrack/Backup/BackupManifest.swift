import Foundation

/// What a backup holds, with the digest of each file.
struct BackupManifest: Codable, Equatable {
    struct File: Codable, Equatable {
        /// Below the backup's folder.
        var path: String
        var bytes: Int64
        /// SHA-256 in lower-case hexadecimal.
        var sha256: String
    }

    static let fileName = "backup.json"
    static let database = "lktrack.sqlite"
    static let blobs = "blobs"
    private static let currentFormat = 1

    var format = currentFormat
    /// Of the program that made it.
    var version = Version.text
    var createdAt: String
    var jobs: Int
    var files: [File]

    func write(to folder: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try DurableFile.write(Array(try encoder.encode(self)), to: folder + "/" + Self.fileName)
    }

    /// Throws where there is none, or one that cannot be understood or trusted.
    static func read(from folder: String) throws -> BackupManifest {
        let path = folder + "/" + fileName
        guard let data = FileManager.default.contents(atPath: path) else {
            throw CommandFailure(.noInput, "\(folder): this is no backup: it holds no \(fileName)")
        }
        guard let manifest = try? JSONDecoder().decode(BackupManifest.self, from: data) else {
            throw CommandFailure(.dataError, "\(path): cannot be read")
        }
        guard manifest.format == currentFormat else {
            throw CommandFailure(.dataError, "\(path): was made by another version (\(manifest.version))")
        }
        let isInside = manifest.files.allSatisfy { file in
            !file.path.hasPrefix("/") && !file.path.split(separator: "/").contains("..")
        }
        guard isInside else { throw CommandFailure(.dataError, "\(path): names files outside of the backup") }
        return manifest
    }
}
