import HTTPServer
import Jobs

/// `GET /v1/jobs/{id}/deliveries`: who was called back, and what came of it.
struct DeliveryRoute: Sendable {
    static let pattern = "/v1/jobs/{id}/deliveries"

    let services: Services

    func list(_ context: RequestContext) throws -> HTTPResponse {
        let job = try services.job(context)
        let deliveries = try services.deliveries.deliveries(of: job.id, tenant: context.tenant)
        return .json(200, ["deliveries": .array(deliveries.map(Self.json))])
    }

    private static func json(_ delivery: Delivery) -> JSONValue {
        var nextAttempt = JSONValue.null
        var finished = JSONValue.null
        let state: String
        switch delivery.state {
        case .pending(let due):
            state = "pending"
            nextAttempt = .string(RFC3339.string(due))
        case .delivered(let end):
            state = "delivered"
            finished = .string(RFC3339.string(end))
        case .failed(let end):
            state = "failed"
            finished = .string(RFC3339.string(end))
        }
        return [
            "id": .string(delivery.id.description), "event": .string(delivery.event.rawValue),
            "url": .string(delivery.url.text), "state": .string(state),
            "created_at": .string(RFC3339.string(delivery.createdAt)), "next_attempt_at": nextAttempt,
            "finished_at": finished, "attempts": .array(delivery.attempts.map(json)),
        ]
    }

    private static func json(_ attempt: DeliveryAttempt) -> JSONValue {
        [
            "number": .int(attempt.number), "started_at": .string(RFC3339.string(attempt.startedAt)),
            "duration_ms": .int(attempt.milliseconds), "status": attempt.status.map { .int($0) } ?? .null,
            "error": attempt.error.map { .string($0) } ?? .null,
        ]
    }
}
