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

    /// `{"name": […]}` with elements that are made one by one, so that no two of them are in memory but as text.
    static func json(
        _ status: Int, _ name: String, _ elements: some Sequence<JSONValue>,
        fields: [(name: String, value: String)] = []
    ) -> HTTPResponse {
        var bytes = Array("{".utf8) + JSONValue.string(name).encoded() + Array(":[".utf8)
        var isFirst = true
        for element in elements {
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            isFirst = false
            bytes += element.encoded()
        }
        var response = json(status, .null, fields: fields)
        response.body = .bytes(bytes + Array("]}".utf8))
        return response
    }

    /// The same, as an answer to monitoring.
    var asProbe: HTTPResponse {
        var response = self
        response.isProbe = true
        return response
    }
}
