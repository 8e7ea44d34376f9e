import Foundation
import Jobs
import ServiceHarness
import Webhooks

/// Nothing inside is called.
struct WebhooksProof: Proof {
    let name = "webhooks"
    let claim =
        "no webhook reaches an address that is not of the public Internet, nor one that its name is bound to later"

    private static let addresses = [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.0.1", "100.64.0.1", "169.254.169.254",
        "192.0.2.1", "198.18.0.1", "224.0.0.1", "255.255.255.255", "::1", "::", "::ffff:127.0.0.1", "64:ff9b::7f00:1",
        "2002:7f00:1::1", "fd00::1", "fe80::1", "ff02::1",
    ]

    func run(_ options: ProofOptions) throws -> ProofResult {
        // Every address of this machine, at this port.
        let listener = try Listener("0.0.0.0", answer: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        var result = ProofResult(tried: "")
        try tryServer(listener, &result)
        try tryNames(listener, &result)
        result.expect(listener.connections == 0, "\(listener.connections) connections came")
        // The listener would have seen them.
        _ = try WireClient(port: Int(listener.port))
        let deadline = ContinuousClock.now + .seconds(5)
        while listener.connections == 0, ContinuousClock.now < deadline { pause(0.01) }
        result.expect(listener.connections == 1, "the listener sees nothing")
        result.tried =
            "\(Self.addresses.count) address classes as URLs of jobs and behind names, localhost, and a name that is bound anew"
        result.figure = "0 connections"
        return result
    }

    /// The real service refuses the addresses when a job is submitted, and names when it is to call them.
    private func tryServer(_ listener: Listener, _ result: inout ProofResult) throws {
        let server = try Server(
            "--workers", "1",
            environment: [
                "LKTRACK_WEBHOOKS_ALLOW_HTTP": "true",
                "LKTRACK_WEBHOOKS_SECRET": "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
                "LKTRACK_WEBHOOKS_RETRY_SECONDS": "0.1",
            ])
        let video = try Material.syntheticVideo(frames: 3)
        func submit(_ host: String) throws -> Curl.Response {
            try server.post(
                "/v1/jobs",
                [
                    "-F", "video=@\(video.path)", "-F", "roi=\(video.boxes[0])", "-F",
                    "webhook=http://\(host):\(listener.port)/hook",
                ])
        }
        for address in Self.addresses {
            let status = try submit(address.contains(":") ? "[\(address)]" : address).status
            result.expect(status == 422, "\(address): answered with \(status)")
        }
        let named = try submit("localhost")
        if named.status == 202, let id = try named.json()["id"] as? String {
            _ = try server.finish(id)
            try poll("the delivery to be given up") {
                try server.get("/v1/jobs/\(id)/deliveries").text.contains("\"failed\"")
            }
        } else {
            result.expect(named.status == 422, "localhost: answered with \(named.status)")
        }
    }

    /// What names lead to is for the resolver to say, so these go through the sender's own parts.
    private func tryNames(_ listener: Listener, _ result: inout ProofResult) throws {
        var configuration = WebhookConfiguration()
        configuration.allowsHTTP = true
        let environment = SystemEnvironment()
        let ids = JobIDGenerator(environment: environment)
        let delivery = { (host: String) throws -> ClaimedDelivery in
            let id = DeliveryID(ids.next())
            return ClaimedDelivery(
                message: DeliveryMessage(
                    id: id, job: ids.next(), event: .succeeded,
                    url: try WebhookURL("http://\(host):\(listener.port)/hook"),
                    secret: WebhookSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), payload: Array("{}".utf8),
                    createdAt: environment.now()),
                attempt: 1, lease: DeliveryLease(delivery: id, token: "t"))
        }
        let hosts = Self.addresses.map { ListedNames([$0]) } + [ListedNames(["93.184.216.34", "127.0.0.1"])]
        for names in hosts {
            let run = DeliveryRun(
                transport: CurlTransport(configuration), resolver: names, configuration: configuration,
                environment: environment)
            guard case .done(_, .failed) = run.run(try delivery("inside.example"), isInterrupted: { false }) else {
                result.losses.append("a name that leads inside is tried")
                continue
            }
        }
        try tryRebinding(configuration, delivery, &result)
    }

    /// 127.0.0.1 stands for a public address here, 127.0.0.2 for one inside: nothing outside is called for a proof.
    private func tryRebinding(
        _ configuration: WebhookConfiguration, _ delivery: (String) throws -> ClaimedDelivery,
        _ result: inout ProofResult
    ) throws {
        let outside = try Listener("127.0.0.1", answer: "HTTP/1.1 500 Later\r\nContent-Length: 0\r\n\r\n")
        let inside = try Listener(
            "127.0.0.2", port: outside.port, answer: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        let names = ListedNames(["127.0.0.1"], ["127.0.0.2"])
        let run = DeliveryRun(
            transport: CurlTransport(configuration), resolver: names, configuration: configuration,
            environment: SystemEnvironment(), refusal: { $0.description == "127.0.0.1" ? nil : "private" })
        var claimed = try delivery("rebind.example")
        claimed.message.url = try WebhookURL("http://rebind.example:\(outside.port)/hook")
        if case .done(let first, .pending) = run.run(claimed, isInterrupted: { false }) {
            result.expect(first.status == 500 && names.lookups == 1, "the name was looked up \(names.lookups) times")
        } else {
            result.losses.append("the first attempt does not reach what its name leads to")
        }
        if case .done(_, .failed) = run.run(claimed, isInterrupted: { false }) {
        } else {
            result.losses.append("a name that was bound anew is tried")
        }
        result.expect(inside.connections == 0, "a name that was bound anew was followed inside")
    }
}
