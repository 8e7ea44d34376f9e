import HTTPServer
import Jobs

/// `/healthz` and `/readyz`.
struct HealthRoutes: Sendable {
    let services: Services
    /// The same one each time, which the server need not make again.
    private let isAlive: HTTPResponse

    static let alivePath = "/healthz"

    init(services: Services) {
        self.services = services
        var response = HTTPResponse.json(200, ["status": "ok", "version": .string(services.version)]).asProbe
        response.route = Self.alivePath
        isAlive = response
    }

    /// The process answers; nothing else is asked.
    func alive(_ context: RequestContext) -> HTTPResponse { isAlive }

    /// Whether a job that came now could be taken and worked on.
    func ready(_ context: RequestContext) throws(Problem) -> HTTPResponse {
        let health = services.health()
        let checks = [
            storeCheck(), diskCheck(), Self.workerCheck(health), Self.stoppingCheck(health), Self.sandboxCheck(health),
        ]
        let failed = checks.filter { !$0.isOK && $0.isRequired }
        let list = JSONValue.array(checks.map(\.json))
        guard failed.isEmpty else {
            var problem = Problem(
                .notAlive, failed.map(\.detail).joined(separator: " "),
                cause: failed.compactMap(\.cause).joined(separator: "; ")
            ).retryAfter(5)
            problem.extensions = [("checks", list)]
            throw problem
        }
        return .json(200, ["status": "ready", "checks": list]).asProbe
    }

    private func storeCheck() -> Check {
        do {
            let queued = try services.store.counts()[.queued] ?? 0
            return Check(name: "store", isOK: true, detail: "\(queued) jobs are queued.")
        } catch {
            return Check(
                name: "store", isOK: false, detail: "The job store does not answer.", cause: String(describing: error))
        }
    }

    private func diskCheck() -> Check {
        do {
            let available = try services.blobs.availableBytes()
            let reserve = services.configuration.diskReserveBytes
            return Check(
                name: "disk", isOK: available > reserve,
                detail: available > reserve
                    ? "\(available) bytes are free."
                    : "\(available) bytes are free, which is not more than the reserve of \(reserve).")
        } catch {
            return Check(
                name: "disk", isOK: false, detail: "The blob store does not answer.", cause: String(describing: error))
        }
    }

    private static func workerCheck(_ health: ServiceHealth) -> Check {
        let isOK = health.workersExpected == 0 || health.workersAlive > 0
        return Check(
            name: "workers", isOK: isOK,
            detail: "\(health.workersAlive) of \(health.workersExpected) workers are alive.")
    }

    private static func stoppingCheck(_ health: ServiceHealth) -> Check {
        Check(
            name: "lifecycle", isOK: !health.isStopping,
            detail: health.isStopping ? "The service is stopping." : "It is running.")
    }

    /// Told, and no reason to send jobs elsewhere: the system is as it is.
    private static func sandboxCheck(_ health: ServiceHealth) -> Check {
        let missing = health.missingRestrictions
        return Check(
            name: "sandbox", isOK: missing.isEmpty, isRequired: false,
            detail: missing.isEmpty
                ? "Decoder processes are restricted in every way."
                : "This system refuses decoder processes: \(missing.joined(separator: ", ")). They work without.")
    }

    private struct Check {
        var name: String
        var isOK: Bool
        /// Whether the service is not ready without.
        var isRequired = true
        var detail: String
        var cause: String?

        var json: JSONValue {
            ["name": .string(name), "ok": .bool(isOK), "detail": .string(detail)]
        }
    }
}
