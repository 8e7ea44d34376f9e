import Jobs

/// The interface as an OpenAPI 3.1 document, of which `/openapi.json`, `/docs` and `lktrack openapi` are made, and which
/// the routes are tested against.
public enum OpenAPIDocument {
    /// - Parameter version: of the program.
    public static func json(version: String) -> JSONValue {
        [
            "openapi": "3.1.0",
            "info": [
                "title": "lktrack", "version": .string(version), "summary": "Follows boxes through a video.",
                "description": .string(description),
                "license": ["name": "Apache License 2.0", "identifier": "Apache-2.0"],
            ],
            "servers": [["url": "/"]],
            "tags": .array(
                Operation.Tag.allCases.map {
                    ["name": .string($0.rawValue), "description": .string($0.description)]
                }),
            "security": [[:], ["key": []]],
            "paths": paths,
            "webhooks": WebhookSchemas.webhooks,
            "components": [
                "schemas": .object(JSONObject(schemas)),
                "parameters": Parameter.shared,
                "headers": SharedHeaders.json,
                "responses": SharedProblems.json,
                "securitySchemes": ["key": security],
            ],
        ]
    }

    static let operations =
        JobOperations.all + [TrackabilityOperation.judge] + ResultOperations.all + UploadOperations.all
        + ServiceOperations.all + PageOperations.all

    private static let description = """
        A video and a box in its first frame go in; a box for every frame comes out. Submit a job, poll it until it has \
        ended, and read its results.

        Times are RFC 3339 in UTC, ids are UUIDv7 in lower case. Boxes are in pixels from the image's top-left corner, \
        frames count from 0, and a range of frames leaves its end out. Every error is a problem document (RFC 9457). Every \
        path answers to OPTIONS, and to HEAD where it answers to GET; what it does not answer to is 405 with Allow. Every \
        answer has an X-Request-Id, which the log has, too; where there is a rate, it has RateLimit and RateLimit-Policy.
        """

    private static let security: JSONValue = [
        "type": "http", "scheme": "bearer",
        "description":
            "A key, as `lktrack keys create` makes one. A server without keys serves everybody who reaches it.",
    ]

    private static let schemas =
        JobSchemas.all + TrackabilityOperation.schemas + WebhookSchemas.all + ResultSchemas.all
        + UploadOperations.schemas + ServiceOperations.schemas
        + [("Problem", SharedProblems.schema)]

    private static var paths: JSONValue {
        var paths = JSONObject()
        for operation in operations {
            paths[operation.path] = (paths[operation.path] ?? [:]).with(operation.method, operation.json)
        }
        return .object(paths)
    }
}
