import Configuration
import Foundation
import Yams

/// Reads the configuration: file, overlaid by the environment, overlaid by flags.
enum ConfigurationLoader {
    /// A key or a value that cannot be: names it, where it stands and what was expected.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// - Parameters:
    ///   - file: YAML text and the name to use for it in errors; `nil`: defaults only.
    ///   - environment: variables by name.
    ///   - flags: values by key (`server.port`).
    static func load(
        file: (text: String, name: String)?, environment: [String: String], flags: [String: String]
    ) throws(Failure) -> ServiceConfiguration {
        var layers: [(name: String, values: any ConfigSnapshot)] = [
            ("the command line", values(ofFlags: flags)),
            (
                "the environment",
                EnvironmentVariablesProvider(environmentVariables: environment).prefixKeys(with: "lktrack")
                    .snapshot()
            ),
        ]
        if let file { layers.append((file.name, try values(ofFile: file))) }
        var configuration = ServiceConfiguration()
        // From the bottom up, so that a wrong value is told also where another one covers it.
        for layer in layers.reversed() {
            for key in ConfigurationKey.all {
                guard let text = try text(of: key, in: layer) else { continue }
                do {
                    try key.apply(text, &configuration)
                } catch {
                    let name = layer.name == "the environment" ? key.environmentName : key.name
                    let shown = key.isSecret ? "wrong" : "\"\(text)\""
                    throw Failure(description: "\(layer.name): \(name) is \(shown); expected \(error.expected)")
                }
            }
        }
        try refuseUnknownVariables(environment)
        return configuration
    }

    private static func text(
        of key: ConfigurationKey, in layer: (name: String, values: any ConfigSnapshot)
    ) throws(Failure) -> String? {
        let path = AbsoluteConfigKey(key.name.split(separator: ".").map(String.init))
        do {
            if let value = try layer.values.value(forKey: path, type: .string).value {
                guard case .string(let text) = value.content else { return nil }
                return text
            }
            return nil
        } catch {
            // A list in the file (`roles: [api, worker]`) is no string; its elements are.
            if let value = try? layer.values.value(forKey: path, type: .stringArray).value,
                case .stringArray(let elements) = value.content
            {
                return elements.joined(separator: ",")
            }
            throw Failure(description: "\(layer.name): \(key.name) has a value of the wrong kind")
        }
    }

    private static func values(ofFlags flags: [String: String]) -> any ConfigSnapshot {
        InMemoryProvider(
            values: Dictionary(
                uniqueKeysWithValues: flags.map { key, text in
                    (
                        AbsoluteConfigKey(key.split(separator: ".").map(String.init)),
                        ConfigValue(.string(text), isSecret: false)
                    )
                })
        ).snapshot()
    }

    private static func values(ofFile file: (text: String, name: String)) throws(Failure) -> any ConfigSnapshot {
        do {
            let root = try Yams.compose(yaml: file.text)
            guard let root, root != Node("") else { return InMemoryProvider(values: [:]).snapshot() }
            guard let mapping = root.mapping else {
                throw Failure(description: "\(file.name): expected `key: value` lines")
            }
            try refuseUnknownKeys(mapping, prefix: "", file: file.name)
            return try YAMLSnapshot(data: Data(file.text.utf8).bytes, providerName: file.name, parsingOptions: .default)
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure(description: "\(file.name): not valid YAML: \(error)")
        }
    }

    private static func refuseUnknownKeys(_ mapping: Node.Mapping, prefix: String, file: String) throws(Failure) {
        for (node, value) in mapping {
            let key = prefix + (node.string ?? "?")
            let isSection = ConfigurationKey.all.contains { $0.name.hasPrefix(key + ".") }
            if isSection, let inner = value.mapping {
                try refuseUnknownKeys(inner, prefix: key + ".", file: file)
            } else if isSection, value.scalar?.string.isEmpty == true || value.null != nil {
                continue  // A section whose keys are all commented out.
            } else if !ConfigurationKey.all.contains(where: { $0.name == key }) {
                let line = node.mark.map { ":\($0.line)" } ?? ""
                throw Failure(description: "\(file)\(line): unknown key \(key)")
            } else if value.mapping != nil {
                throw Failure(description: "\(file): \(key) has keys under it; expected a value")
            }
        }
    }

    /// Only inside our sections: an orchestrator may set variables of its own that start with a service's name
    /// (`LKTRACK_SERVICE_HOST`, `LKTRACK_PORT`).
    private static func refuseUnknownVariables(_ environment: [String: String]) throws(Failure) {
        let known = Set(ConfigurationKey.all.map(\.environmentName))
        let sections = Set(
            ConfigurationKey.all.compactMap { key in
                key.name.contains(".") ? "LKTRACK_\(key.name.prefix { $0 != "." }.uppercased())_" : nil
            })
        for name in environment.keys.sorted() where !known.contains(name) {
            if sections.contains(where: name.hasPrefix) {
                throw Failure(description: "the environment: unknown variable \(name)")
            }
        }
    }
}
