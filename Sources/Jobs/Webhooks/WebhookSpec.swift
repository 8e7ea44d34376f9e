/// Who is called back when a job ends: the `webhook` object of docs/http.md.
public struct WebhookSpec: Hashable, Sendable {
    /// What is told; the `type` of the message.
    public enum Event: String, CaseIterable, Sendable {
        case succeeded = "job.succeeded"
        case failed = "job.failed"
        case canceled = "job.canceled"

        /// `nil` where a job in this state has not ended.
        public init?(_ status: JobStatus) {
            switch status {
            case .succeeded: self = .succeeded
            case .failed: self = .failed
            case .canceled: self = .canceled
            case .queued, .running: return nil
            }
        }
    }

    public var url: WebhookURL
    /// In the order of ``Event``'s cases; at least one.
    public var events: [Event]
    /// What messages are signed with; `nil`: the service's own secret.
    public var secret: WebhookSecret?

    public init(url: WebhookURL, events: [Event] = Event.allCases, secret: WebhookSecret? = nil) {
        self.url = url
        self.events = events
        self.secret = secret
    }
}

extension WebhookSpec {
    /// For the job's owner: without the secret.
    var json: JSONValue {
        ["url": .string(url.text), "events": .array(events.map { .string($0.rawValue) })]
    }

    /// For the store.
    var storedJSON: JSONValue {
        var object = json.objectValue ?? JSONObject()
        object["secret"] = secret.map { .string($0.text) }
        return .object(object)
    }

    /// Reads what the spec alone can tell; what the service allows is ``WebhookPolicy``'s. `nil` where anything is wrong,
    /// with a problem for each.
    init?(_ object: SpecObject) {
        object.refuseUnknown(except: ["url", "events", "secret"])
        let url = Self.url(object)
        let events = Self.events(object)
        let secret = Self.secret(object)
        guard let url else { return nil }
        self.init(url: url, events: events, secret: secret)
    }

    private static func url(_ object: SpecObject) -> WebhookURL? {
        let pointer = object.pointer.appending("url")
        guard let text = object.members["url"]?.stringValue else {
            object.problems.add(pointer, "must be the URL to call, as a string")
            return nil
        }
        do throws(WebhookURL.Invalid) {
            return try WebhookURL(text)
        } catch {
            object.problems.add(pointer, error.detail)
            return nil
        }
    }

    private static func events(_ object: SpecObject) -> [Event] {
        guard let value = object.members["events"] else { return Event.allCases }
        let pointer = object.pointer.appending("events")
        let known = Event.allCases.map(\.rawValue).joined(separator: ", ")
        guard let names = value.arrayValue, !names.isEmpty else {
            object.problems.add(pointer, "must be an array of at least one of \(known)")
            return []
        }
        var events: Set<Event> = []
        for (index, name) in names.enumerated() {
            guard let event = name.stringValue.flatMap(Event.init(rawValue:)) else {
                object.problems.add(pointer.appending(index), "must be one of \(known)")
                continue
            }
            if !events.insert(event).inserted { object.problems.add(pointer.appending(index), "is there twice") }
        }
        return Event.allCases.filter(events.contains)
    }

    private static func secret(_ object: SpecObject) -> WebhookSecret? {
        guard let value = object.members["secret"], !value.isNull else { return nil }
        if let secret = value.stringValue.flatMap({ WebhookSecret($0) }) { return secret }
        object.problems.add(object.pointer.appending("secret"), "must be \(WebhookSecret.rule)")
        return nil
    }
}
