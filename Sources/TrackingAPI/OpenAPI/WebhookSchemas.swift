import Jobs

/// Who is called back when a job ends, with what, and what came of it.
enum WebhookSchemas {
    static let all: [(String, JSONValue)] = [
        ("Webhook", accepted), ("WebhookRequest", request), ("WebhookMessage", message), ("Delivery", delivery),
        ("DeliveryList", list),
    ]

    private static let url: JSONValue = [
        "type": "string", "format": "uri", "maxLength": .int(WebhookURL.lengthLimit),
        "description": "https, without user, password and fragment; of the public Internet.",
    ]
    private static let event = Schema.choice(WebhookSpec.Event.self)
    private static let events = Schema.array(event, 1...WebhookSpec.Event.allCases.count).with("uniqueItems", true)

    private static let accepted = Schema.object([.init("url", url), .init("events", events)])

    private static let request = Schema.object(
        isClosed: true,
        [
            .init("url", url),
            .optional("events", events.described("What is told; all where they are left out.")),
            .optional(
                "secret",
                Schema.text(pattern: "^whsec_[A-Za-z0-9+/]{32,86}={0,2}$").orNull.described(
                    "whsec_ and 24 to 64 random bytes in Base64. Needed where the service has none of its own; shown by no answer."
                )),
        ])

    private static let message = Schema.object([
        .init("type", event), .init("timestamp", Schema.time.described("When the job ended.")),
        .init("data", Schema.ref("Job")),
    ])

    private static let delivery = Schema.object([
        .init("id", Schema.id.described("The webhook-id of every attempt.")),
        .init("event", event),
        .init("url", url),
        .init("state", Schema.choice(["pending", "delivered", "failed"])),
        .init("created_at", Schema.time),
        .init("next_attempt_at", Schema.time.orNull),
        .init("finished_at", Schema.time.orNull),
        .init(
            "attempts",
            Schema.array(
                Schema.object([
                    .init("number", Schema.count),
                    .init("started_at", Schema.time),
                    .init("duration_ms", Schema.count),
                    .init("status", Schema.count.orNull.described("What the receiver answered.")),
                    .init("error", Schema.string.orNull),
                ]))),
    ])

    private static let list = Schema.object([.init("deliveries", Schema.array(Schema.ref("Delivery")))])

    private static func header(_ name: String, _ description: String) -> JSONValue {
        Parameter.header(name, description, Schema.string, isRequired: true)
    }

    /// `webhooks` of the document (OpenAPI 3.1 §4.8.1): what the service sends.
    static let webhooks: JSONValue = [
        "jobEnded": [
            "post": [
                "operationId": "jobEnded", "tags": [.string(Operation.Tag.jobs.rawValue)], "summary": "A job has ended",
                "description": """
                Signed as Standard Webhooks has it, and sent until a receiver answers 2xx: again after connection errors, \
                408, 429 and 5xx, for 24 hours. It may come more than once.
                """,
                "parameters": [
                    header("webhook-id", "The same in every attempt."),
                    header("webhook-timestamp", "When this attempt was made, in seconds since 1970."),
                    header("webhook-signature", "`v1,` and the HMAC-SHA256 of id.timestamp.body in Base64."),
                ],
                "requestBody": [
                    "required": true,
                    "content": ["application/json": ["schema": Schema.ref("WebhookMessage")]],
                ],
                "responses": [
                    "2XX": ["description": "It is delivered."], "410": ["description": "It is not sent again."],
                ],
            ]
        ]
    ]
}
