import Jobs
import Testing

@testable import TrackingAPI

extension Service {
    /// Makes a key, which the API knows of at once.
    ///
    /// - Returns: the header field that a request with it has.
    func key(
        _ tenant: TenantID, id: String = "k1", rate: RequestRate? = nil
    ) throws -> (name: String, value: String) {
        let secret = KeySecret()
        try store.addKey(
            APIKey(id: id, tenant: tenant, digest: secret.digest, rate: rate, createdAt: environment.now()))
        ring?.refresh()
        return ("Authorization", "Bearer \(secret.text)")
    }

    /// What begins with these, in the order of the pattern's table: `GET /v1/jobs/{id}`.
    var routes: [(method: String, pattern: String)] {
        api.routes.map { route in
            let parts = route.split(separator: " ")
            return (String(parts[0]), String(parts[1]))
        }
    }
}
