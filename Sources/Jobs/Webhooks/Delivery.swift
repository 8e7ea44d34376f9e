import Foundation

/// The identifier of a delivery: a UUIDv7 in lower case; the `webhook-id` of every attempt.
public struct DeliveryID: Hashable, Sendable, CustomStringConvertible {
    private let value: JobID

    /// Takes what a ``JobIDGenerator`` made.
    public init(_ id: JobID) { value = id }

    /// `nil` where the text is no UUIDv7 in lower case.
    public init?(_ text: some StringProtocol) {
        guard let id = JobID(text) else { return nil }
        value = id
    }

    public var description: String { value.description }
}

/// A message to be sent because a job has ended.
public struct DeliveryMessage: Hashable, Sendable {
    public var id: DeliveryID
    public var job: JobID
    public var event: WebhookSpec.Event
    public var url: WebhookURL
    /// `nil`: the service's own.
    public var secret: WebhookSecret?
    /// The body, which is the same in every attempt.
    public var payload: [UInt8]
    public var createdAt: Date

    public init(
        id: DeliveryID, job: JobID, event: WebhookSpec.Event, url: WebhookURL, secret: WebhookSecret?,
        payload: [UInt8], createdAt: Date
    ) {
        self.id = id
        self.job = job
        self.event = event
        self.url = url
        self.secret = secret
        self.payload = payload
        self.createdAt = createdAt
    }

    /// The message of a job's end. `nil` where nobody wants to know.
    ///
    /// - Parameter job: as it is stored from now on.
    public init?(endOf job: Job, id: @autoclosure () -> DeliveryID, now: Date) {
        guard let webhook = job.spec.webhook, let event = WebhookSpec.Event(job.status), webhook.events.contains(event)
        else { return nil }
        // Standard Webhooks, "Payload structure".
        let payload: JSONValue = [
            "type": .string(event.rawValue), "timestamp": .string(RFC3339.string(job.finishedAt ?? now)),
            "data": JobWriter.json(job),
        ]
        self.init(
            id: id(), job: job.id, event: event, url: webhook.url, secret: webhook.secret, payload: payload.encoded(),
            createdAt: now)
    }
}

/// One try to deliver a message.
public struct DeliveryAttempt: Hashable, Sendable {
    /// Counts from 1. One that was cut off by the end of its process is missing.
    public var number: Int
    public var startedAt: Date
    public var milliseconds: Int
    /// What the receiver answered, `nil` where it did not.
    public var status: Int?
    /// Why it is no success, for the job's owner; `nil` where it is.
    public var error: String?

    public init(number: Int, startedAt: Date, milliseconds: Int, status: Int? = nil, error: String? = nil) {
        self.number = number
        self.startedAt = startedAt
        self.milliseconds = milliseconds
        self.status = status
        self.error = error
    }
}

/// How far a delivery has come.
public enum DeliveryState: Hashable, Sendable {
    /// The next attempt begins then, or is under way and counts as lost then.
    case pending(due: Date)
    case delivered(Date)
    /// There will be no further attempt.
    case failed(Date)
}

/// What is shown of a delivery.
public struct Delivery: Hashable, Sendable {
    public var id: DeliveryID
    public var event: WebhookSpec.Event
    public var url: WebhookURL
    public var createdAt: Date
    public var state: DeliveryState
    /// The first comes first.
    public var attempts: [DeliveryAttempt]

    public init(
        id: DeliveryID, event: WebhookSpec.Event, url: WebhookURL, createdAt: Date, state: DeliveryState,
        attempts: [DeliveryAttempt]
    ) {
        self.id = id
        self.event = event
        self.url = url
        self.createdAt = createdAt
        self.state = state
        self.attempts = attempts
    }
}
