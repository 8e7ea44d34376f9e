import Jobs
import Testing
import Webhooks

@Suite("Webhook signatures")
struct SignatureTests {
    @Test("are those of Standard Webhooks' reference libraries")
    func reference() throws {
        // The test vector of github.com/standard-webhooks/standard-webhooks, libraries/python/tests.
        let secret = try #require(WebhookSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
        let signature = WebhookSignature.sign(
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp: 1_614_265_330, body: Array(#"{"test": 2432232314}"#.utf8),
            secret: secret)
        #expect(signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
    }
}
