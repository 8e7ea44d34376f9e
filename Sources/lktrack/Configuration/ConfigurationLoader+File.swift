import Foundation

extension ConfigurationLoader {
    private static let defaultFile = "config/lktrack.yaml"

    /// The configuration of a command: the file, overlaid by this process's environment and the command's flags.
    ///
    /// - Parameter path: the file that was named; `nil`: `config/lktrack.yaml` where it is there.
    static func load(path: String?, flags: [String: String]) throws(CommandFailure) -> ServiceConfiguration {
        var file: (text: String, name: String)?
        let name = path ?? defaultFile
        if path != nil || FileManager.default.fileExists(atPath: name) {
            guard let text = try? String(contentsOfFile: name, encoding: .utf8) else {
                throw CommandFailure(.noInput, "\(name): the configuration file cannot be read")
            }
            file = (text, name)
        }
        do throws(Failure) {
            return try load(file: file, environment: ProcessInfo.processInfo.environment, flags: flags)
        } catch {
            throw CommandFailure(.configuration, error.description)
        }
    }

    /// The same for a command whose only flag of a key is that of the data folder; `nil`: it was not given.
    static func load(path: String?, dataDirectory: String?) throws(CommandFailure) -> ServiceConfiguration {
        var flags: [String: String] = [:]
        flags["data_dir"] = dataDirectory
        return try load(path: path, flags: flags)
    }
}
