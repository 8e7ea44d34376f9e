import ArgumentParser
import Foundation
import Glibc
import Jobs

struct KeysListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Lists keys, their tenants and what those keep, and when they were made, last used and revoked.",
        discussion: """
            Times are UTC. A key's last use is known within about a minute. What a tenant keeps, and may keep where it has \
            a quota of its own, is its sum over all its keys.
            """
    )

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var options: StoreOptions

    func run() throws {
        let (keys, usages) = try options.withStore { store in
            let keys = try store.keys()
            let usages = try Set(keys.map(\.tenant)).map { ($0, try store.usage(of: $0)) }
            return (keys, Dictionary(uniqueKeysWithValues: usages))
        }
        if json {
            KeyReport.write(["keys": .array(keys.map { .object(KeyReport.json($0, usages[$0.tenant])) })])
        } else {
            Console.write(KeyReport.table(keys, usages), to: STDOUT_FILENO)
        }
    }
}

struct KeysRevokeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "Ends a key: servers refuse it within about a second.",
        discussion: "Its tenant's jobs and other keys stay. A service whose last key was revoked is closed, not open."
    )

    @Argument(help: "The key's id, as `lktrack keys list` shows it.")
    var id: String

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var options: StoreOptions

    func run() throws {
        guard let key = try options.withStore({ try $0.revokeKey(id) }) else {
            throw CommandFailure(.noInput, "there is no key with the id \(id); `lktrack keys list` shows all")
        }
        if json {
            KeyReport.write(.object(KeyReport.json(key)))
        } else {
            Console.note("Key \(key.id) of tenant \(key.tenant.name) opens nothing any more.")
        }
    }
}
