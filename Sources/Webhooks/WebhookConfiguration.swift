import Jobs

/// How messages are signed, sent and tried again. Values that are keys of `config/lktrack.yaml` name them.
public struct WebhookConfiguration: Sendable {
    /// `webhooks.secret`: signs for jobs that bring none.
    public var secret: WebhookSecret?
    /// `webhooks.allow_http`
    public var allowsHTTP = false
    /// `webhooks.allow_private`
    public var addresses = AddressPolicy()
    /// `webhooks.ca_file`: certificates to trust in place of the system's.
    public var certificatesFile: String?
    /// `webhooks.retry_seconds` and how it grows.
    public var retries = RetrySchedule()

    /// Messages that are sent at a time, each on a thread.
    public var senders = 8
    /// Of these to one host, so that one that hangs holds up the others but little.
    public var sendersPerHost = 2
    /// `webhooks.senders_per_tenant`: of these for one tenant with keys, so that one whose hosts hang leaves some to the
    /// others.
    public var sendersPerTenant = 4
    public var connectSeconds = 5.0
    /// For an attempt as a whole, but for the look-up of the name.
    public var totalSeconds = 15.0
    /// To be longer than an attempt with its look-up takes: then the message is sent again.
    public var leaseSeconds = 120.0
    /// How often it is looked whether something is due that nobody told of.
    public var pollSeconds = 1.0
    /// For `User-Agent`.
    public var version = "0"

    public init() {}
}
