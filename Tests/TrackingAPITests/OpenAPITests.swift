import Jobs
import Testing

@testable import TrackingAPI

@Suite("The OpenAPI document")
struct OpenAPITests {
    private let document = OpenAPIDocument.json(version: "1.2.3")

    private struct Documented {
        let method: String
        let path: String
        let operation: JSONValue

        var name: String { "\(method) \(path)" }
    }

    /// HEAD is a GET without a body, and no route of its own; it is documented where it means something of its own.
    private var operations: [Documented] {
        (document["paths"]?.objectValue?.members ?? []).flatMap { path in
            (path.value.objectValue?.members ?? []).map {
                Documented(method: $0.key.uppercased(), path: path.key, operation: $0.value)
            }
        }.filter { $0.method != "HEAD" }
    }

    private func parameters(_ operation: JSONValue, in place: String) -> [String] {
        (operation["parameters"]?.arrayValue ?? []).map(resolved).filter { $0["in"]?.stringValue == place }
            .compactMap { $0["name"]?.stringValue }
    }

    private func resolved(_ value: JSONValue) -> JSONValue {
        guard let reference = value["$ref"]?.stringValue else { return value }
        return reference.split(separator: "/").dropFirst().reduce(document) { $0[String($1)] ?? [:] }
    }

    @Test("every route is in the document, and nothing else is")
    func routes() throws {
        let routes = try Service().api.router.routes.map { "\($0.method) \($0.pattern)" }
        #expect(routes.count >= 20)
        #expect(Set(operations.map(\.name)) == Set(routes))
        #expect(operations.count == routes.count)
    }

    @Test("an operation has the query parameters that its route takes, and the path's")
    func parameters() throws {
        let routes = try Service().api.router.routes
        for documented in operations {
            let route = try #require(
                routes.first { $0.method == documented.method && $0.pattern == documented.path })
            // Where the route leaves it to the action, that is a submission.
            let query = route.query ?? SpecForm.fields
            #expect(parameters(documented.operation, in: "query").sorted() == query.sorted(), "\(documented.name)")
            let names = documented.path.split(separator: "/").filter { $0.first == "{" }.map {
                String($0.dropFirst().dropLast())
            }
            #expect(parameters(documented.operation, in: "path") == names, "\(documented.name)")
        }
    }

    @Test("a form's fields are those that a submission takes, and the files")
    func formFields() throws {
        let form = try #require(document["components"]?["schemas"]?["JobForm"])
        let names = (form["properties"]?.objectValue?.keys ?? [])
        let fields = SpecForm.fields.filter { $0 != "label." }
        #expect(Set(names) == Set(fields + ["video", "frame", "archive", "spec"]))
        #expect(form["patternProperties"]?.objectValue?.keys.first?.hasPrefix("^label\\.") == true)
    }

    @Test("every reference leads somewhere, every operation has a name of its own, a tag, an example and its errors")
    func completeness() throws {
        var references: [String] = []
        Self.visit(document) { if let reference = $0["$ref"]?.stringValue { references.append(reference) } }
        #expect(references.count > 100)
        for reference in Set(references) {
            let place = reference.split(separator: "/").dropFirst().reduce(JSONValue?.some(document)) {
                $0?[String($1)]
            }
            #expect(place != nil, "\(reference)")
        }
        let names = operations.compactMap { $0.operation["operationId"]?.stringValue }
        #expect(Set(names).count == operations.count)
        let tags = document["tags"]?.arrayValue?.map { $0["name"] } ?? []
        for documented in operations {
            let operation = documented.operation
            #expect(tags.contains(operation["tags"]?.arrayValue?.first), "\(documented.name)")
            #expect(operation["x-codeSamples"]?.arrayValue?.isEmpty == false, "\(documented.name)")
            let statuses = operation["responses"]?.objectValue?.keys ?? []
            #expect(statuses == statuses.sorted(), "\(documented.name)")
            #expect(statuses.contains { $0.hasPrefix("2") } && statuses.contains("500"), "\(documented.name)")
        }
    }

    @Test("a schema that is there is used")
    func unusedComponents() throws {
        var references: Set<String> = []
        Self.visit(document) { if let reference = $0["$ref"]?.stringValue { references.insert(reference) } }
        for kind in ["schemas", "parameters", "responses"] {
            for name in document["components"]?[kind]?.objectValue?.keys ?? [] {
                #expect(references.contains("#/components/\(kind)/\(name)"), "\(kind) \(name)")
            }
        }
    }

    private static func visit(_ value: JSONValue, _ body: (JSONValue) -> Void) {
        body(value)
        for member in value.objectValue?.members ?? [] { visit(member.value, body) }
        for element in value.arrayValue ?? [] { visit(element, body) }
    }

    // MARK: Served

    @Test("it is served with the program's version and an entity tag")
    func served() throws {
        let answer = try Service().send("GET", "/openapi.json")
        #expect(answer.status == 200)
        #expect(answer.json == document)
        let tag = try #require(answer.fields["ETag"])
        let again = try Service().send("GET", "/openapi.json", [("If-None-Match", tag)])
        #expect(again.status == 304 && again.body.isEmpty && again.fields["Cache-Control"] == "no-cache")
    }

    @Test("the page shows every operation and schema, loads nothing, and runs nothing")
    func page() throws {
        let answer = try Service().send("GET", "/docs")
        #expect(answer.status == 200)
        #expect(answer.fields["Content-Type"] == "text/html; charset=utf-8")
        let policy = try #require(answer.fields["Content-Security-Policy"])
        #expect(policy.hasPrefix("default-src 'none'; style-src 'sha256-") && !policy.contains("unsafe"))
        let text = answer.text
        for documented in operations {
            let id = try #require(documented.operation["operationId"]?.stringValue)
            #expect(text.contains("<article id=\"\(id)\">") && text.contains("<a href=\"#\(id)\">"), "\(id)")
        }
        for name in document["components"]?["schemas"]?.objectValue?.keys ?? [] {
            #expect(text.contains("<article id=\"schema-\(name)\">"), "\(name)")
        }
        for link in text.matches(of: /href="#([^"]*)"/) {
            #expect(text.contains("id=\"\(link.output.1)\""), "\(link.output.1)")
        }
        for forbidden in ["http://", "https://", "//cdn", "<script", "<img", "<link", "<iframe", "@import", "url("] {
            #expect(!text.contains(forbidden), "\(forbidden)")
        }
    }

    @Test("what stands in the document comes escaped into the page")
    func escaping() throws {
        let hostile = "<script>alert('&\"')</script>"
        let document: JSONValue = [
            "info": [
                "title": .string(hostile), "version": "1", "description": .string(hostile + " `" + hostile + "`"),
            ],
            "tags": [["name": .string(hostile), "description": .string(hostile)]],
            "paths": [
                hostile: [
                    "get": [
                        "operationId": .string(hostile), "tags": [.string(hostile)], "summary": .string(hostile),
                        "x-codeSamples": [["source": .string(hostile)]],
                        "parameters": [
                            ["name": .string(hostile), "in": .string(hostile), "schema": ["enum": [.string(hostile)]]]
                        ],
                        "responses": [hostile: ["description": .string(hostile), "content": [hostile: [:]]]],
                    ]
                ]
            ],
            "components": ["schemas": ["A": ["type": .string(hostile), "description": .string(hostile)]]],
        ]
        let html = DocumentPage(document).html
        #expect(!html.contains("<script") && !html.contains("alert('"))
        #expect(html.contains("&lt;script&gt;alert(&#39;&amp;&quot;&#39;)&lt;/script&gt;"))
    }
}
