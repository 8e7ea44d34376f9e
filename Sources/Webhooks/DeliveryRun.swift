import Foundation
import Jobs

/// One attempt to deliver a message: where it goes, what comes of it, what follows.
package struct DeliveryRun: Sendable {
    /// What is to be written down.
    package enum Result: Hashable, Sendable {
        case done(DeliveryAttempt, DeliveryState)
        /// There was no attempt.
        case interrupted
    }

    /// What an attempt comes to.
    private enum Verdict {
        case delivered
        case failed(String)
        case again(String, after: Double?)
        case interrupted
    }

    let transport: any WebhookTransport
    let resolver: any NameResolver
    let configuration: WebhookConfiguration
    let environment: any Environment
    /// What an address is, where nothing may be sent there.
    let refusal: @Sendable (IPAddress) -> String?

    /// - Parameter refusal: `nil`: as the configuration has it.
    package init(
        transport: any WebhookTransport, resolver: any NameResolver, configuration: WebhookConfiguration,
        environment: any Environment, refusal: (@Sendable (IPAddress) -> String?)? = nil
    ) {
        self.transport = transport
        self.resolver = resolver
        self.configuration = configuration
        self.environment = environment
        self.refusal = refusal ?? { configuration.addresses.refusal(of: $0) }
    }

    /// Blocks for as long as the attempt takes.
    package func run(_ delivery: ClaimedDelivery, isInterrupted: @escaping @Sendable () -> Bool) -> Result {
        let start = environment.now()
        let (status, verdict) = attempt(delivery.message, at: start, isInterrupted)
        let end = environment.now()
        var attempt = DeliveryAttempt(
            number: delivery.attempt, startedAt: start,
            milliseconds: max(0, Int(end.timeIntervalSince(start) * 1000)), status: status)
        switch verdict {
        case .delivered: return .done(attempt, .delivered(end))
        case .interrupted: return .interrupted
        case .failed(let error):
            attempt.error = error
            return .done(attempt, .failed(end))
        case .again(let error, let retryAfter):
            attempt.error = error
            let due = configuration.retries.next(
                after: delivery.attempt, of: delivery.message.createdAt, now: end, retryAfter: retryAfter,
                fraction: fraction())
            return .done(attempt, due.map { .pending(due: $0) } ?? .failed(end))
        }
    }

    private func attempt(
        _ message: DeliveryMessage, at time: Date, _ isInterrupted: @escaping @Sendable () -> Bool
    ) -> (status: Int?, Verdict) {
        guard message.url.isSecure || configuration.allowsHTTP else {
            return (nil, .failed("http is not allowed (webhooks.allow_http)"))
        }
        guard let secret = message.secret ?? configuration.secret else {
            return (nil, .again("there is no secret to sign with (webhooks.secret)", after: nil))
        }
        let addresses: [IPAddress]
        do {
            addresses = try self.addresses(of: message.url)
        } catch {
            return (nil, .again(error.message, after: nil))
        }
        // One that is not allowed is enough: such a name is no mistake that comes right by itself.
        if let refusal = addresses.lazy.compactMap(refusal).first {
            return (nil, .failed("the host leads to an address that webhooks must not go to: \(refusal)"))
        }
        let request = WebhookRequest(url: message.url, fields: fields(message, time, secret), body: message.payload)
        switch transport.send(request, to: addresses, isInterrupted: isInterrupted) {
        case .status(let status, let retryAfter): return (status, Self.verdict(status, retryAfter))
        case .unreachable(let error): return (nil, .again(error, after: nil))
        case .interrupted: return (nil, .interrupted)
        }
    }

    private func addresses(of url: WebhookURL) throws(NameResolverError) -> [IPAddress] {
        if let address = url.address { return [address] }
        return try resolver.addresses(of: url.host)
    }

    /// Standard Webhooks, "Webhook headers".
    private func fields(
        _ message: DeliveryMessage, _ time: Date, _ secret: WebhookSecret
    ) -> [(name: String, value: String)] {
        let id = message.id.description
        let timestamp = Int64(time.timeIntervalSince1970)
        let signature = WebhookSignature.sign(id: id, timestamp: timestamp, body: message.payload, secret: secret)
        return [
            ("webhook-id", id), ("webhook-timestamp", String(timestamp)), ("webhook-signature", signature),
        ]
    }

    private static func verdict(_ status: Int, _ retryAfter: Double?) -> Verdict {
        switch status {
        case 200..<300: .delivered
        case 300..<400: .failed("the receiver redirects (\(status)), which is not followed: give the final URL")
        case 408, 429, 500..<600: .again("the receiver answered \(status)", after: retryAfter)
        case 410: .failed("the receiver answered 410: it wants no more")
        default: .failed("the receiver answered \(status)")
        }
    }

    /// 0 ..< 1.
    private func fraction() -> Double {
        let bytes = environment.randomBytes(8)
        let bits = bytes.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return Double(bits >> 11) / Double(1 << 53)
    }
}
