import ArgumentParser
import Foundation
import Jobs

/// Where a service keeps what it keeps, for commands that copy it.
struct DataOptions: ParsableArguments {
    @Option(help: "The configuration file. (default: config/lktrack.yaml where it is there)")
    var config: String?

    @Option(help: "The folder of the database, uploads and results.")
    var dataDir: String?

    func paths() throws -> (database: String, blobs: String) {
        let configuration = try ConfigurationLoader.load(path: config, dataDirectory: dataDir)
        guard !configuration.hasSharedBlobs else {
            throw CommandFailure(
                .configuration,
                "blobs.url is a bucket, and folders are what is copied here: back up the bucket by its own means, such "
                    + "as versions and replication")
        }
        return (
            try configuration.databaseFile(),
            configuration.path(of: configuration.blobsURL, or: "blobs")
        )
    }
}

struct BackupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Copies the database and the blobs of a service, also while it works.",
        discussion: """
            The backup is a new folder: the database as of one moment, and the upload, the result and the annotated \
            video of each job in it, with their digests in backup.json. Its name is there when it is whole.

            Jobs that are deleted meanwhile are not in it. Nor are jobs that are there and lack one of these files: \
            each is told, the others are backed up, and the exit status is 65.

              lktrack backup --data-dir /var/lib/lktrack /backup/monday
              lktrack restore /backup/monday --data-dir /var/lib/restored
            """
    )

    @OptionGroup var data: DataOptions

    @Argument(help: "The folder to make.")
    var target: String

    func run() throws {
        let paths = try data.paths()
        let summary = try mappingStoreErrors {
            try Backup(database: paths.database, blobs: paths.blobs, target: target).make(at: Date())
        }
        Console.note(
            "\(target): \(summary.jobs) jobs, \(summary.files) files, \(summary.bytes) bytes"
                + (summary.dropped > 0 ? "; \(summary.dropped) jobs were deleted meanwhile" : ""))
        guard !summary.missing.isEmpty else { return }
        for blob in summary.missing { Console.error("job \(blob.job): \(paths.blobs)/\(blob.key) is missing") }
        let jobs = Set(summary.missing.map(\.job)).count
        throw CommandFailure(
            .dataError, "\(target): is without \(jobs) jobs of which files are missing; the others are in it")
    }
}

struct RestoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Puts a backup where `lktrack serve` can start on it.",
        discussion: """
            The data folder must hold neither a database nor blobs. Every file is held against its digest first; where \
            one is damaged nothing is restored. Jobs that waited or ran when the backup was made run after the start.
            """
    )

    @OptionGroup var data: DataOptions

    @Argument(help: "The folder that `lktrack backup` made.")
    var backup: String

    func run() throws {
        let paths = try data.paths()
        let manifest = try mappingStoreErrors {
            try Restoration(backup: backup, database: paths.database, blobs: paths.blobs).run()
        }
        Console.note("\(paths.database): \(manifest.jobs) jobs as of \(manifest.createdAt)")
    }
}

private func mappingStoreErrors<T>(_ body: () throws -> T) throws -> T {
    do {
        return try body()
    } catch let error as JobsError {
        throw CommandFailure(.unavailable, error.message)
    }
}
