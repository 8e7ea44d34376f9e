import ArgumentParser

struct KeysCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys",
        abstract: "Makes, lists and revokes the keys that open the service.",
        discussion: """
            Works on the configured store, also while servers run on it: they know of a change within about a second. \
            From the first key on, every request to /v1 needs one.

              KEY=$(lktrack keys create --tenant acme --rate 10/s --queued 100)
              curl -H "Authorization: Bearer $KEY" localhost:8080/v1/jobs
              lktrack keys list
              lktrack keys revoke ID

            Jobs belong to a tenant, and whoever has one of its keys sees them. Those that were submitted before there \
            were keys belong to the tenant `anonymous`.
            """,
        subcommands: [KeysCreateCommand.self, KeysListCommand.self, KeysRevokeCommand.self]
    )
}
