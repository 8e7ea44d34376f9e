/// What the service allows of a spec's webhook, beyond what the spec alone can tell.
public struct WebhookPolicy: Hashable, Sendable {
    /// `webhooks.allow_http`
    public var allowsHTTP: Bool
    /// `webhooks.allow_private`
    public var addresses: AddressPolicy
    /// Whether there is a `webhooks.secret`, which signs for jobs that bring none.
    public var hasSecret: Bool

    public init(allowsHTTP: Bool = false, addresses: AddressPolicy = AddressPolicy(), hasSecret: Bool = false) {
        self.allowsHTTP = allowsHTTP
        self.addresses = addresses
        self.hasSecret = hasSecret
    }

    /// What is wrong with a job's webhook here. Where a name leads to is looked at with each delivery, not now.
    public func problems(with spec: JobSpec) -> [SpecProblem] {
        guard let webhook = spec.webhook else { return [] }
        let pointer = JSONPointer.root.appending("webhook")
        var problems = urlProblems(webhook.url).map {
            SpecProblem(pointer: pointer.appending("url").text, detail: $0)
        }
        if webhook.secret == nil && !hasSecret {
            problems.append(
                SpecProblem(
                    pointer: pointer.appending("secret").text,
                    detail: "is needed, because the service has none of its own (webhooks.secret): "
                        + WebhookSecret.rule))
        }
        return problems
    }

    private func urlProblems(_ url: WebhookURL) -> [String] {
        var problems: [String] = []
        if !url.isSecure && !allowsHTTP { problems.append("must be https (webhooks.allow_http)") }
        if let address = url.address, let name = addresses.refusal(of: address) {
            problems.append("must not lead to this address, which is \(name)")
        }
        return problems
    }
}
