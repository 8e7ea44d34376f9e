import Jobs

/// What one method of one path does: an Operation Object of OpenAPI 3.1.
struct Operation {
    enum Tag: String, CaseIterable {
        case jobs = "Jobs"
        case results = "Results"
        case uploads = "Uploads"
        case service = "Service"

        var description: String {
            switch self {
            case .jobs: "Submit videos with boxes, watch, cancel and delete."
            case .results: "A box for every frame in nine formats, videos, and what was uploaded."
            case .uploads: "Files that come in pieces and survive a bad line: tus 1.0.0."
            case .service: "Health, metrics and this document."
            }
        }
    }

    var method: String
    var path: String
    var id: String
    var tag: Tag
    var summary: String
    var description: String?
    var parameters: [JSONValue] = []
    /// By media type.
    var body: [(type: String, content: JSONValue)] = []
    var isBodyRequired = true
    var responses: [Response]
    /// A command that does it.
    var curl: String

    var json: JSONValue {
        var object: JSONValue = [
            "operationId": .string(id), "tags": [.string(tag.rawValue)], "summary": .string(summary),
        ]
        if let description { object = object.described(description) }
        if !parameters.isEmpty { object = object.with("parameters", .array(parameters)) }
        if !body.isEmpty {
            let content = JSONValue.object(JSONObject(body.map { ($0.type, $0.content) }))
            object = object.with("requestBody", ["required": .bool(isBodyRequired), "content": content])
        }
        // Who comes without a key, or too often, is told so before anything else.
        let refusals = AccessControl.isProtected(path) ? Response.problems(401, 429) : []
        if refusals.isEmpty { object = object.with("security", []) }
        let answers = (responses + refusals).sorted { $0.status < $1.status }.map { (String($0.status), $0.json) }
        return object.with("responses", .object(JSONObject(answers)))
            .with("x-codeSamples", [["lang": "Shell", "label": "curl", "source": .string(curl)]])
    }
}

/// A Link Object: an operation that goes on from an answer.
struct Link {
    var operation: String
    /// Values, or where in the answer they are (OpenAPI 3.1 §4.8.20.3).
    var parameters: [(name: String, value: JSONValue)]

    /// - Parameter more: beside `id`, which the answer has at its top.
    init(_ operation: String, _ more: [(name: String, value: JSONValue)] = []) {
        self.operation = operation
        parameters = [("id", "$response.body#/id")] + more
    }

    var json: JSONValue {
        [
            "operationId": .string(operation),
            "parameters": .object(JSONObject(parameters.map { ($0.name, $0.value) })),
        ]
    }
}

/// A Response Object.
struct Response {
    var status: Int
    var json: JSONValue

    /// - Parameters:
    ///   - headers: names of shared ones; one that ends in `?` need not come.
    ///   - content: schemas by media type; none for a part of something, which no schema fits.
    init(
        _ status: Int, _ description: String, headers: [String] = [],
        content: [(type: String, schema: JSONValue?)] = [],
        links: [Link] = []
    ) {
        self.status = status
        json = ["description": .string(description)]
        if !headers.isEmpty { json = json.with("headers", SharedHeaders.references(headers)) }
        if !content.isEmpty {
            let content = content.map { ($0.type, $0.schema.map { ["schema": $0] } ?? [:] as JSONValue) }
            json = json.with("content", .object(JSONObject(content)))
        }
        if !links.isEmpty {
            json = json.with("links", .object(JSONObject(links.map { ($0.operation, $0.json) })))
        }
    }

    /// A shared one: a problem document.
    init(problem status: Int) {
        self.status = status
        json = ["$ref": .string("#/components/responses/\(SharedProblems.name(status))")]
    }

    static func problems(_ statuses: Int...) -> [Response] { statuses.map { Response(problem: $0) } }

    /// Every request can be malformed or too long in itself, ask by a query parameter that there is not, or meet a fault of
    /// ours.
    static let always = problems(400, 414, 422, 431, 500)
}
