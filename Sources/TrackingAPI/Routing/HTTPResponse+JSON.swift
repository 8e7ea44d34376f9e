import HTTPServer
import Jobs

extension HTTPResponse {
    /// A JSON body. Answers change, so that caches ask again before they use one.
    static func json(_ status: Int, _ value: JSONValue, fields: [(name: String, value: String)] = []) -> HTTPResponse {
        json(status, .bytes(value.encoded()), fields: fields)
    }

    /// The same with a body that is JSON already.
    static func json(_ status: Int, _ body: HTTPBody, fields: [(name: String, value: String)] = []) -> HTTPResponse {
        HTTPResponse(
            status: status,
            fields: HTTPFields([("Content-Type", "application/json"), ("Cache-Control", "no-cache")] + fields),
            body: body)
    }

    /// The same, as an answer to monitoring.
    var asProbe: HTTPResponse {
        var response = self
        response.isProbe = true
        return response
    }
}
