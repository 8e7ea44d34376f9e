import Foundation
import Glibc
import Jobs
import JobStoreContract
import Synchronization
import Webhooks

/// Answers what it is told, and keeps what was sent.
final class ScriptedTransport: WebhookTransport {
    private let answers: Mutex<[WebhookAnswer]>
    private let kept = Mutex<[(request: WebhookRequest, addresses: [IPAddress])]>([])

    init(_ answers: WebhookAnswer...) { self.answers = Mutex(answers) }

    var sent: [(request: WebhookRequest, addresses: [IPAddress])] { kept.withLock { $0 } }

    func send(
        _ request: WebhookRequest, to addresses: [IPAddress], isInterrupted: @escaping @Sendable () -> Bool
    ) -> WebhookAnswer {
        kept.withLock { $0.append((request, addresses)) }
        return answers.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] }
    }
}

enum Sample {
    static let secret = WebhookSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")

    static func delivery(
        _ url: WebhookURL, attempt: Int = 1, secret: WebhookSecret? = secret, ids: JobIDGenerator, now: Date
    ) -> ClaimedDelivery {
        let id = DeliveryID(ids.next())
        let message = DeliveryMessage(
            id: id, job: ids.next(), event: .succeeded, url: url, secret: secret,
            payload: Array(#"{"type":"job.succeeded"}"#.utf8), createdAt: now)
        return ClaimedDelivery(
            message: message, attempt: attempt, lease: DeliveryLease(delivery: id, token: "t"))
    }
}
