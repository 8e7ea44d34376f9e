import Foundation
import Testing

@Suite("Webhooks", .serialized)
struct WebhookTests {
    /// For receivers on this machine.
    private static let open = [
        "LKTRACK_WEBHOOKS_ALLOW_HTTP": "true", "LKTRACK_WEBHOOKS_ALLOW_PRIVATE": "true",
        "LKTRACK_WEBHOOKS_RETRY_SECONDS": "0.05", "LKTRACK_WEBHOOKS_SECRET": Receiver.secret,
    ]

    private func server(_ changes: [String: String] = [:]) throws -> Server {
        try Server("--workers", "1", environment: Self.open.merging(changes) { $1 })
    }

    private func submit(_ server: Server, _ url: String, roi: String = "70,51,107,87") throws -> String {
        let video = try Material.syntheticVideo(frames: 6)
        return try server.submit(["video=@\(video.path)", "roi=\(roi)", "webhook=\(url)"])
    }

    @Test("a message that is refused and cut off comes again until it is taken, and its signature is verified")
    func untilTaken() throws {
        let receiver = try Receiver([500, 0, 503, 204])
        let server = try server()
        let id = try submit(server, "http://127.0.0.1:\(receiver.port)/hook?a=b")
        let delivery = try server.settledDelivery(id)
        #expect(delivery["state"] as? String == "delivered")
        #expect(delivery["event"] as? String == "job.succeeded")
        #expect(delivery["next_attempt_at"] is NSNull)
        let attempts = try server.attempts(id)
        #expect(attempts.map { $0["status"] as? Int } == [500, nil, 503, 204])
        #expect(attempts.map { $0["number"] as? Int } == [1, 2, 3, 4])
        #expect((attempts[1]["error"] as? String)?.isEmpty == false)
        #expect(attempts[3]["error"] is NSNull)

        let messages = try receiver.messages()
        #expect(messages.map(\.answer) == [500, 0, 503, 204])
        #expect(messages.allSatisfy { $0.isVerified })
        #expect(Set(messages.map(\.id)) == [try #require(delivery["id"] as? String)])
        let body = try #require(messages.last?.body)
        #expect(body["type"] as? String == "job.succeeded")
        let job = try server.job(id)
        #expect(body["timestamp"] as? String == job["finished_at"] as? String)
        #expect(NSDictionary(dictionary: try #require(body["data"] as? [String: Any])).isEqual(to: job))
    }

    @Test("a job that fails and one that is canceled are told too, with a secret of the job's own")
    func otherEnds() throws {
        let receiver = try Receiver([200])
        let server = try server(["LKTRACK_WEBHOOKS_SECRET": ""])
        let url = "http://127.0.0.1:\(receiver.port)/"
        let webhook = #"webhook={"url":"\#(url)","secret":"\#(Receiver.secret)"}"#
        let video = try Material.syntheticVideo(frames: 400)
        let failed = try server.submit(["video=@\(video.path)", "roi=9000,51,107,87", webhook])
        #expect(try server.finish(failed)["status"] as? String == "failed")
        #expect(try server.settledDelivery(failed)["event"] as? String == "job.failed")
        let canceled = try server.submit(["video=@\(video.path)", "roi=70,51,107,87", webhook])
        let queued = try server.submit(["video=@\(video.path)", "roi=70,51,107,87", webhook])
        for id in [queued, canceled] { _ = try server.post("/v1/jobs/\(id)/cancel", []) }
        for id in [queued, canceled] {
            let delivery = try server.settledDelivery(id)
            #expect(delivery["event"] as? String == "job.canceled" && delivery["state"] as? String == "delivered")
        }
        let messages = try receiver.messages()
        #expect(messages.count == 3 && messages.allSatisfy { $0.isVerified })
        #expect(
            messages.compactMap { $0.body["type"] as? String }.sorted() == [
                "job.canceled", "job.canceled", "job.failed",
            ])
        #expect(!"\(try server.job(queued))".contains("whsec_"))
    }

    @Test("a crash and a stop between two attempts lose nothing")
    func restart() throws {
        let receiver = try Receiver([500, 500, 500, 200])
        let server = try server(["LKTRACK_WEBHOOKS_RETRY_SECONDS": "1"])
        let id = try submit(server, "http://localhost:\(receiver.port)/")
        try poll("the first attempt") { try server.attempts(id).count >= 1 }
        server.crash()
        try server.start()
        try poll("the second attempt") { try server.attempts(id).count >= 2 }
        #expect(server.stop() == 0)
        try server.start()
        let delivery = try server.settledDelivery(id)
        #expect(delivery["state"] as? String == "delivered")
        #expect(try server.attempts(id).map { $0["status"] as? Int } == [500, 500, 500, 200])
        let messages = try receiver.messages()
        #expect(messages.map(\.answer) == [500, 500, 500, 200])
        #expect(Set(messages.map(\.id)).count == 1 && messages.allSatisfy { $0.isVerified })
    }

    @Test("what a receiver refuses for good is sent once", arguments: [410, 404, 401])
    func final(_ status: Int) throws {
        let receiver = try Receiver([status, 200])
        let server = try server()
        let id = try submit(server, "http://127.0.0.1:\(receiver.port)/")
        let delivery = try server.settledDelivery(id)
        #expect(delivery["state"] as? String == "failed")
        #expect(try server.attempts(id).map { $0["status"] as? Int } == [status])
        #expect(try receiver.messages().count == 1)
    }

    @Test("a redirect is not followed")
    func redirect() throws {
        let target = try Receiver([200])
        let receiver = try Receiver([307], fields: ["Location": "http://127.0.0.1:\(target.port)/"])
        let server = try server()
        let id = try submit(server, "http://127.0.0.1:\(receiver.port)/")
        #expect(try server.settledDelivery(id)["state"] as? String == "failed")
        let error = try server.attempts(id).first?["error"] as? String
        #expect(error?.contains("redirects") == true)
        #expect(try target.messages().isEmpty)
    }

    @Test("a receiver on this machine is not reached unless that is allowed, by name or by address")
    func inside() throws {
        let receiver = try Receiver([200])
        let server = try server(["LKTRACK_WEBHOOKS_ALLOW_PRIVATE": "false"])
        let id = try submit(server, "http://localhost:\(receiver.port)/")
        #expect(try server.settledDelivery(id)["state"] as? String == "failed")
        let error = try server.attempts(id).first?["error"] as? String
        #expect(error?.hasSuffix("must not go to: loopback") == true)

        let refused = try server.post(
            "/v1/jobs",
            ["-F", "roi=1,2,30,40", "-F", "webhook=http://127.0.0.1:\(receiver.port)/", "-F", "video=@/dev/null"])
        #expect(refused.status == 422)
        #expect(refused.text.contains("#/webhook/url"))
        #expect(try receiver.messages().isEmpty)
    }

    @Test("no proxy of the environment is used")
    func proxy() throws {
        let proxy = try Receiver([200])
        let receiver = try Receiver([200])
        let address = "http://127.0.0.1:\(proxy.port)"
        let server = try server([
            "http_proxy": address, "https_proxy": address, "all_proxy": address, "ALL_PROXY": address,
        ])
        let id = try submit(server, "http://127.0.0.1:\(receiver.port)/")
        #expect(try server.settledDelivery(id)["state"] as? String == "delivered")
        #expect(try receiver.messages().count == 1)
        #expect(try proxy.messages().isEmpty)
    }

    @Test("over TLS nothing is sent to who cannot show a certificate that is trusted")
    func certificates() throws {
        let receiver = try Receiver([200], isSecure: true)
        let url = "https://localhost:\(receiver.port)/"
        let wary = try server(["LKTRACK_WEBHOOKS_ALLOW_HTTP": "false"])
        let refused = try submit(wary, url)
        try poll("an attempt") { try !wary.attempts(refused).isEmpty }
        let error = try #require(try wary.attempts(refused).first?["error"] as? String)
        #expect(error.contains("certificate"), "\(error)")
        #expect(try wary.delivery(refused)["state"] as? String == "pending")
        #expect(try receiver.messages().isEmpty)

        let trusting = try server([
            "LKTRACK_WEBHOOKS_ALLOW_HTTP": "false", "LKTRACK_WEBHOOKS_CA_FILE": receiver.certificate,
        ])
        let id = try submit(trusting, url)
        #expect(try trusting.settledDelivery(id)["state"] as? String == "delivered")
        #expect(try receiver.messages().map(\.isVerified) == [true])
        // The same receiver under a name that its certificate does not have.
        let other = try submit(trusting, "https://127.0.0.1:\(receiver.port)/")
        try poll("an attempt") { try !trusting.attempts(other).isEmpty }
        #expect(try receiver.messages().count == 1)
    }

    @Test("a secret that is none stops the start, and is not repeated")
    func wrongSecret() throws {
        let process = try Executable.run(
            "/usr/bin/env", ["LKTRACK_WEBHOOKS_SECRET=hunter2", Executable.lktrack, "serve", "--port", "0"])
        #expect(process.status == 78)
        #expect(process.standardError.contains("LKTRACK_WEBHOOKS_SECRET"))
        #expect(!process.standardError.contains("hunter2"))
    }
}
