import ArgumentParser
import Dispatch
import Foundation
import Synchronization

struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serves jobs over HTTP and tracks them.",
        discussion: """
            Listens on 127.0.0.1:8080 and keeps its database, uploads and results in the folder `data`, unless the \
            configuration says otherwise. Every key of the configuration, with its default, is in config/lktrack.yaml; \
            each can be set by an environment variable too (LKTRACK_SERVER_PORT=9000).

              lktrack serve --port 8080 --data-dir /var/lib/lktrack
              curl -F video=@clip.mp4 -F roi=70,51,107,87 localhost:8080/v1/jobs

            SIGTERM or Ctrl-C stops it: what runs may finish for server.shutdown_seconds, the rest is queued again and \
            goes on at the next start.
            """
    )

    @Option(help: "The configuration file. (default: config/lktrack.yaml where it is there)")
    var config: String?

    @Option(help: "The address to listen on.")
    var address: String?

    @Option(help: "The port; 0 takes a free one, which the log names.")
    var port: Int?

    @Option(help: "The folder of the database, uploads and results.")
    var dataDir: String?

    @Option(help: "Jobs that are tracked at a time; 0: one a core.")
    var workers: Int?

    func run() throws {
        let configuration = try loadConfiguration()
        let log = ServiceLog(level: configuration.logLevel)
        defer { log.flush() }
        let service: Service
        do {
            service = try Service(
                configuration, log: log.logger, requestLog: log.write,
                decoder: try Decoders.command(log.logger))
        } catch {
            throw CommandFailure(error.status, error.message)
        }
        // The services wait in Swift's concurrency; the main thread waits for them here, outside its pool.
        let done = DispatchSemaphore(value: 0)
        let failure = Mutex<CommandFailure?>(nil)
        Task {
            do {
                try await service.run()
            } catch {
                failure.withLock { $0 = CommandFailure(.unavailable, "\(error)") }
            }
            done.signal()
        }
        done.wait()
        if let failure = failure.withLock({ $0 }) { throw failure }
    }

    private func loadConfiguration() throws -> ServiceConfiguration {
        var flags: [String: String] = [:]
        flags["server.address"] = address
        flags["server.port"] = port.map(String.init)
        flags["data_dir"] = dataDir
        flags["workers"] = workers.map(String.init)
        return try ConfigurationLoader.load(path: config, flags: flags)
    }
}
