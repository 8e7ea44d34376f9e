import ArgumentParser
import Foundation

struct MigrateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Moves a service's jobs, keys and blobs from SQLite to PostgreSQL, and into a bucket.",
        discussion: """
            The configuration is that of the service as it is; --store-url and --blobs-url say where everything is to be. \
            They are written as store.url and blobs.url of the configuration. The URL of the database may come from \
            LKTRACK_MIGRATE_STORE_URL instead, so that nobody sees its password in a list of processes.

              export LKTRACK_MIGRATE_STORE_URL='postgres://USER@HOST/DATABASE'
              lktrack migrate --from sqlite --to postgres --dry-run

            Then, with --blobs-url s3://BUCKET where blobs move too, once while the service works, which ends with exit \
            status 75, and once more when it is stopped:

              lktrack migrate --from sqlite --to postgres
              systemctl stop lktrack
              lktrack migrate --from sqlite --to postgres

            Each run writes only what is not there yet, however the one before ended. The last one, with no service at \
            work, holds every row and blob against its original, and closes the old database. Exit statuses: 0 it is done; \
            65 blobs of the service are damaged; 69 one side cannot be reached or used; 73 the database is another's or is \
            full; 75 everything was copied as of a moment, and a service still works: stop it and run the same again.
            """
    )

    enum Source: String, ExpressibleByArgument, CaseIterable { case sqlite }
    enum Target: String, ExpressibleByArgument, CaseIterable { case postgres }

    @Option(help: "What the service keeps its jobs in.")
    var from: Source

    @Option(help: "What it is to keep them in.")
    var to: Target

    @Option(help: "The configuration file of the service as it is. (default: config/lktrack.yaml where it is there)")
    var config: String?

    @Option(help: "The folder of its database, uploads and results.")
    var dataDir: String?

    @Option(help: "The PostgreSQL database, as store.url names it. (default: LKTRACK_MIGRATE_STORE_URL)")
    var storeURL: String?

    @Option(help: "Where blobs are to be, as blobs.url names it. (default: they stay where they are)")
    var blobsURL: String?

    @Flag(help: "Say what would be moved, and change nothing.")
    var dryRun = false

    @Flag(help: "Read every blob again where it was put, rather than believe the digest that is kept with it.")
    var reread = false

    @Flag(help: "Finish without the blobs that are damaged or missing.")
    var skipDamaged = false

    @Flag(
        help: """
            Go back, with all servers stopped: open the SQLite database again, and close the other. What has happened there \
            since is lost.
            """)
    var undo = false

    private static let variable = "LKTRACK_MIGRATE_STORE_URL"

    func validate() throws {
        if undo && (dryRun || reread || skipDamaged) {
            throw ValidationError("--undo does not go with --dry-run, --reread and --skip-damaged")
        }
    }

    func run() throws {
        let move = try move()
        do {
            if undo { return try move.undo() }
            if dryRun { return try move.describe() }
            try move.run()
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw MoveFailure.command(error)
        }
    }

    private func move() throws -> InstallationMove {
        let source = try ConfigurationLoader.load(path: config, dataDirectory: dataDir)
        guard case .sqlite(let path) = source.storeLocation else {
            throw CommandFailure(
                .configuration,
                "store.url names PostgreSQL already. The configuration here is that of the service as it was, on SQLite; "
                    + "--store-url, or \(Self.variable), names the database that everything is to come to")
        }
        guard FileManager.default.fileExists(atPath: path) else {
            throw CommandFailure(.noInput, "\(path): there is no database")
        }
        guard let url = storeURL ?? ProcessInfo.processInfo.environment[Self.variable] else {
            throw CommandFailure(.usage, "say which database it is by --store-url or \(Self.variable)")
        }
        var destination = source
        try Self.apply("store.url", url, "--store-url", &destination)
        if let blobsURL { try Self.apply("blobs.url", blobsURL, "--blobs-url", &destination) }
        guard case .postgres(let database) = destination.storeLocation else {
            throw CommandFailure(.configuration, "--store-url is not postgres://…")
        }
        return InstallationMove(
            database: path, source: source, destination: destination, postgres: database, rereads: reread,
            skipsDamaged: skipDamaged)
    }

    private static func apply(
        _ name: String, _ text: String, _ option: String, _ configuration: inout ServiceConfiguration
    ) throws(CommandFailure) {
        guard let key = ConfigurationKey.all.first(where: { $0.name == name }) else { return }
        do {
            try key.apply(text, &configuration)
        } catch {
            throw CommandFailure(.configuration, "\(option) is wrong; expected \(error.expected)")
        }
    }
}
