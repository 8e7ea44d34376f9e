import HTTPServer
import Jobs

extension HTTPResponse {
    /// A JSON body. Answers change, so that caches ask again before they use one.
    static func json(_ status: Int, _ value: JSONValue, fields: [(name: String, value: String)] = []) -> HTTPResponse {
        var response = HTTPResponse(
            status: status,
            fields: HTTPFields([("Content-Type", "application/json"), ("Cache-Control", "no-cache")] + fields))
        response.body = .bytes(value.encoded())
        return response
    }

    /// The same, as an answer to monitoring.
    var asProbe: HTTPResponse {
        var response = self
        response.isProbe = true
        return response
    }
}
