import Crypto
import Foundation
import Jobs

/// An OpenAPI document as one HTML page: no script, nothing that is loaded from anywhere.
struct DocumentPage {
    private let document: JSONValue

    init(_ document: JSONValue) { self.document = document }

    /// Nothing but the page's own style, which is named by its digest (CSP 3 §2.3.1).
    static let contentSecurityPolicy: String = {
        let digest = Data(SHA256.hash(data: Data(style.utf8))).base64EncodedString()
        return "default-src 'none'; style-src 'sha256-\(digest)'; base-uri 'none'; form-action 'none'; "
            + "frame-ancestors 'none'"
    }()

    var html: String {
        let title = HTML.escaped(text(document["info"]?["title"]) + " " + text(document["info"]?["version"]))
        return """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>\(title)</title>
            <style>\(Self.style)</style>
            </head>
            <body>
            <nav>
            <a href="#top">\(title)</a>
            \(tags.map(navigation).joined())\
            <h2>Schemas</h2>
            \(schemas.map { Self.link("schema-" + $0.key, HTML.escaped($0.key)) }.joined())\
            <p><a href="\(DocumentRoutes.documentPath)">openapi.json</a></p>
            </nav>
            <main id="top">
            <h1>\(title)</h1>
            \(HTML.paragraphs(text(document["info"]?["description"])))\
            \(tags.map(section).joined())\
            <h2>Schemas</h2>
            \(schemas.map(schema).joined())\
            </main>
            </body>
            </html>

            """
    }

    // MARK: Operations

    private struct Entry {
        var method: String
        var path: String
        var operation: JSONValue

        var id: String { operation["operationId"]?.stringValue ?? "" }
    }

    private var tags: [JSONValue] { document["tags"]?.arrayValue ?? [] }

    private func entries(_ tag: JSONValue) -> [Entry] {
        (document["paths"]?.objectValue?.members ?? []).flatMap { path in
            (path.value.objectValue?.members ?? []).map {
                Entry(method: $0.key.uppercased(), path: path.key, operation: $0.value)
            }
        }.filter { $0.operation["tags"]?.arrayValue?.first == tag["name"] }
    }

    private func navigation(_ tag: JSONValue) -> String {
        "<h2>\(HTML.escaped(text(tag["name"])))</h2>\n"
            + entries(tag).map { Self.link($0.id, HTML.escaped(text($0.operation["summary"]))) }.joined()
    }

    private func section(_ tag: JSONValue) -> String {
        "<h2>\(HTML.escaped(text(tag["name"])))</h2>\n" + HTML.paragraphs(text(tag["description"]))
            + entries(tag).map(operation).joined()
    }

    private func operation(_ entry: Entry) -> String {
        let operation = entry.operation
        return """
            <article id="\(HTML.escaped(entry.id))">
            <h3>\(HTML.escaped(text(operation["summary"])))</h3>
            <p class="route"><b>\(entry.method)</b> \(HTML.code(entry.path)) <small>\(HTML.escaped(entry.id))</small></p>
            \(operation["description"].map { HTML.paragraphs(text($0)) } ?? "")\
            \(samples(operation))\
            \(parameters(operation))\
            \(body(operation))\
            \(responses(operation))\
            </article>

            """
    }

    private func samples(_ operation: JSONValue) -> String {
        (operation["x-codeSamples"]?.arrayValue ?? []).map {
            "<pre>\(HTML.escaped(text($0["source"])))</pre>\n"
        }.joined()
    }

    private func parameters(_ operation: JSONValue) -> String {
        let rows = (operation["parameters"]?.arrayValue ?? []).map(resolved).map { parameter in
            [
                HTML.code(text(parameter["name"])) + (parameter["required"] == true ? " <b>needed</b>" : ""),
                HTML.escaped(text(parameter["in"])),
                SchemaText(parameter["schema"] ?? Self.content(parameter) ?? [:]).html,
                HTML.prose(text(parameter["description"])),
            ]
        }
        return HTML.table(["Parameter", "In", "Type", "Meaning"], rows)
    }

    /// The schema of a parameter that is written in a media type.
    private static func content(_ parameter: JSONValue) -> JSONValue? {
        parameter["content"]?.objectValue?.members.first?.value["schema"]
    }

    private func body(_ operation: JSONValue) -> String {
        let rows = (operation["requestBody"]?["content"]?.objectValue?.members ?? []).map {
            [HTML.code($0.key), SchemaText($0.value["schema"] ?? [:]).html]
        }
        return HTML.table(["Body", "Type"], rows)
    }

    private func responses(_ operation: JSONValue) -> String {
        let rows = (operation["responses"]?.objectValue?.members ?? []).map { member in
            let response = resolved(member.value)
            let headers = (response["headers"]?.objectValue?.keys ?? []).map(HTML.code).joined(separator: " ")
            let content = (response["content"]?.objectValue?.members ?? []).map {
                HTML.code($0.key) + ($0.value["schema"].map { ": " + SchemaText($0).html } ?? "")
            }.joined(separator: "<br>")
            return [HTML.escaped(member.key), HTML.prose(text(response["description"])), content, headers]
        }
        return HTML.table(["Status", "Meaning", "Content", "Headers"], rows)
    }

    // MARK: Schemas

    private var schemas: [(key: String, value: JSONValue)] {
        (document["components"]?["schemas"]?.objectValue?.members ?? []).map { ($0.key, $0.value) }
    }

    private func schema(_ entry: (key: String, value: JSONValue)) -> String {
        let required = entry.value["required"]?.arrayValue ?? []
        let rows = (entry.value["properties"]?.objectValue?.members ?? []).map { member in
            [
                HTML.code(member.key) + (required.contains(.string(member.key)) ? "" : " <small>optional</small>"),
                SchemaText(member.value).html, HTML.prose(text(member.value["description"])),
            ]
        }
        let example = (entry.value["examples"]?.arrayValue ?? []).map {
            "<pre>\(HTML.escaped(String(decoding: $0.encoded(), as: UTF8.self)))</pre>\n"
        }.joined()
        return """
            <article id="schema-\(HTML.escaped(entry.key))">
            <h3>\(HTML.escaped(entry.key))</h3>
            \(entry.value["description"].map { HTML.paragraphs(text($0)) } ?? "")\
            \(rows.isEmpty ? "<p>\(SchemaText(entry.value).html)</p>\n" : HTML.table(["Field", "Type", "Meaning"], rows))\
            \(example)\
            </article>

            """
    }

    // MARK: Helpers

    private static func link(_ anchor: String, _ text: String) -> String {
        "<a href=\"#\(HTML.escaped(anchor))\">\(text)</a>\n"
    }

    private func text(_ value: JSONValue?) -> String { value?.stringValue ?? "" }

    /// What a reference into this document stands for.
    private func resolved(_ value: JSONValue) -> JSONValue {
        guard let path = value["$ref"]?.stringValue else { return value }
        return path.split(separator: "/").dropFirst().reduce(document) { $0[String($1)] ?? [:] }
    }

    private static let style = """

        :root { color-scheme: light dark; --line: #8884; --soft: #8882; }
        * { box-sizing: border-box; }
        body { margin: 0; display: grid; grid-template-columns: 16rem minmax(0, 1fr); font: 15px/1.5 system-ui, sans-serif; }
        nav { position: sticky; top: 0; height: 100vh; overflow: auto; padding: 1rem; border-right: 1px solid var(--line); }
        nav a { display: block; padding: .1rem 0; text-decoration: none; }
        nav h2 { font-size: .9rem; margin: 1rem 0 .2rem; }
        main { padding: 1rem 2rem 4rem; max-width: 70rem; }
        article { border-top: 1px solid var(--line); padding: .5rem 0 1rem; }
        code, pre { font: 13px/1.45 ui-monospace, monospace; }
        pre { background: var(--soft); padding: .6rem .8rem; overflow: auto; border-radius: 4px; }
        .route b { padding: .1rem .4rem; border: 1px solid var(--line); border-radius: 4px; }
        small { opacity: .7; }
        table { border-collapse: collapse; width: 100%; margin: .6rem 0; }
        th, td { text-align: left; vertical-align: top; padding: .25rem .6rem .25rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
        th { font-weight: 600; }
        @media (max-width: 50rem) { body { display: block; } nav { position: static; height: auto; } main { padding: 1rem; } }

        """
}
