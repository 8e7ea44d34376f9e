import ArgumentParser
import Foundation
import Jobs

/// Where the store is, for commands that work on it beside a server.
struct StoreOptions: ParsableArguments {
    @Option(help: "The configuration file. (default: config/lktrack.yaml where it is there)")
    var config: String?

    @Option(help: "The folder of the database.")
    var dataDir: String?

    /// - Parameter makesIt: whether a store that is not there is made; that is told, for it may be the wrong place.
    func withStore<T>(makesIt: Bool = false, _ body: (any ServiceStore) throws -> T) throws -> T {
        let configuration = try ConfigurationLoader.load(path: config, dataDirectory: dataDir)
        let location = configuration.storeLocation
        var made: String?
        if case .sqlite(let path) = location, !FileManager.default.fileExists(atPath: path) {
            guard makesIt else { throw CommandFailure(.noInput, "\(path): there is no database") }
            made = path
        }
        do {
            let store = try location.open()
            defer { try? store.close() }
            if let made {
                Console.note(
                    "\(made) is a new database. Where a server has another one, name its --config and --data-dir.")
            }
            return try body(store)
        } catch let error as JobsError {
            throw CommandFailure(.unavailable, "\(location.name): \(error.message)")
        }
    }
}
