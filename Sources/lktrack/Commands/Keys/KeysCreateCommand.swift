import ArgumentParser
import Foundation
import Glibc
import Jobs
import TrackingAPI

struct KeysCreateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Makes a key and prints it, this once.",
        discussion: """
            The key goes to standard output, everything else to standard error. Only its digest is kept: one that is \
            lost is revoked and replaced.
            """
    )

    @Option(help: "Whose jobs it opens: 1 to 64 letters, digits, dots, dashes and underscores.")
    var tenant: String

    @Option(help: "What it is for.")
    var name = ""

    @Option(help: "Requests that it may send, as 10/s, 600/m or 36000/h. (default: limits.requests_per_second)")
    var rate: String?

    @Option(help: "Requests that may come at once. (default: two seconds' worth)")
    var burst: Int?

    @Option(
        help: """
            Jobs that the tenant, with all its keys, may have waiting; 0: limits.queued_jobs_per_tenant. (default: as it \
            is)
            """)
    var queued: Int?

    @Option(help: "Jobs that the tenant may have running; 0: as many as it likes. (default: as it is)")
    var running: Int?

    @Option(
        help: """
            Bytes that the tenant's jobs and uploads may keep; 0: limits.stored_bytes_per_tenant. (default: as it is)
            """)
    var stored: Int64?

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var options: StoreOptions

    private static let idBytes = 6

    func validate() throws {
        guard TenantName.isValid(tenant) else {
            throw ValidationError("--tenant must be 1 to 64 letters, digits, dots, dashes and underscores")
        }
        guard name.utf8.count <= 200, name.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F }) else {
            throw ValidationError("--name must be one line of at most 200 bytes")
        }
        _ = try requestRate()
        for (option, value) in [("--queued", queued), ("--running", running)] {
            if let value, value < 0 { throw ValidationError("\(option) must not be negative") }
        }
        if let stored, stored < 0 { throw ValidationError("--stored must not be negative") }
    }

    func run() throws {
        let environment = SystemEnvironment()
        let secret = KeySecret(environment: environment)
        let id = Hexadecimal.text(environment.randomBytes(Self.idBytes))
        let key = APIKey(
            id: id, tenant: TenantID(tenant), name: name, digest: secret.digest, rate: try requestRate(),
            createdAt: environment.now())
        try options.withStore(makesIt: true) { store in
            // First, so that the key opens nothing that the quota does not bound.
            if queued != nil || running != nil || stored != nil {
                try store.setQuota(quota(try store.usage(of: key.tenant)), of: key.tenant)
            }
            try store.addKey(key)
        }
        if json {
            var object = KeyReport.json(key)
            object["key"] = .string(secret.text)
            KeyReport.write(.object(object))
        } else {
            Console.write(secret.text + "\n", to: STDOUT_FILENO)
            Console.note("Key \(id) of tenant \(tenant). It is not shown again; `lktrack keys revoke \(id)` ends it.")
        }
    }

    /// What was not given stays.
    private func quota(_ usage: TenantUsage) -> TenantQuota {
        TenantQuota(
            queued: queued.map { $0 == 0 ? nil : $0 } ?? usage.quota.queued,
            running: running.map { $0 == 0 ? nil : $0 } ?? usage.quota.running,
            stored: stored.map { $0 == 0 ? nil : $0 } ?? usage.quota.stored)
    }

    private func requestRate() throws -> RequestRate? {
        guard let rate else {
            if burst != nil { throw ValidationError("--burst needs a --rate") }
            return nil
        }
        guard let perSecond = RateText.perSecond(rate) else {
            throw ValidationError(
                "--rate must be a number over 0 of requests a second, minute or hour: 10/s, 600/m, 36000/h")
        }
        guard let burst else { return RequestRate(perSecond: perSecond) }
        guard burst > 0 else { throw ValidationError("--burst must be at least 1") }
        return RequestRate(perSecond: perSecond, burst: burst)
    }
}

/// What a tenant may be called: it stands in command lines, logs and metrics.
enum TenantName {
    static func isValid(_ name: String) -> Bool {
        (1...64).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                let character = Character(Unicode.Scalar(byte))
                return character.isASCII && (character.isLetter || character.isNumber || "._-".contains(character))
            }
    }
}

/// `10/s`
enum RateText {
    private static let limits = 1e-6...1e6

    static func perSecond(_ text: String) -> Double? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let number = Double(parts[0]) else { return nil }
        let seconds: Double
        switch parts.count == 2 ? parts[1] : "s" {
        case "s": seconds = 1
        case "m": seconds = 60
        case "h": seconds = 3600
        default: return nil
        }
        return limits.contains(number / seconds) ? number / seconds : nil
    }
}
