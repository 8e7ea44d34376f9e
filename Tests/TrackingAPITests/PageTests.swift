import Foundation
import HTTPServer
import Jobs
import Testing
import WebPage

@testable import TrackingAPI

@Suite("The page's files")
struct PageFileTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Sources/WebPage/Assets")

    private static func path(_ asset: WebPage.Asset) -> String { "/page/\(PageRoutes.version)/\(asset.path)" }

    @Test("what is compiled in are the files of the folder, all of them, as they are")
    func compiledIn() throws {
        let files = FileManager.default.enumerator(at: Self.folder, includingPropertiesForKeys: [.isRegularFileKey])
        let paths = try (files?.allObjects as? [URL] ?? []).filter {
            try $0.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true
        }.map { String($0.path.dropFirst(Self.folder.path.count + 1)) }
        #expect(paths.count > 30)
        #expect(Set(WebPage.assets.map(\.path)) == Set(paths))
        #expect(WebPage.assets.count == paths.count)
        for asset in WebPage.assets {
            #expect(try Data(asset.bytes) == Data(contentsOf: Self.folder.appendingPathComponent(asset.path)))
        }
    }

    /// The paths of the files that a file has loaded: at once, or when they are needed.
    private static func links(_ text: String, of path: String, later: Bool = true) throws -> [String] {
        let here = URL(string: "http://page\(path)")
        let names = text.matches(of: /from "([^"]+)"|(?:href|src)="(\/page\/[^"]+)"/).map {
            $0.output.1 ?? $0.output.2 ?? ""
        }
        let laterNames = later ? text.matches(of: /import\("([^"]+)"\)/).map(\.output.1) : []
        return try (names + laterNames).map { name in
            let link = String(name).replacing(WebPage.versionMark, with: PageRoutes.version)
            return try #require(URL(string: link, relativeTo: here)?.absoluteURL.path)
        }
    }

    @Test("everything that a file names is there, and nothing is loaded from elsewhere")
    func selfContained() throws {
        let service = try Service()
        for asset in WebPage.assets {
            let text = String(decoding: asset.bytes, as: UTF8.self)
            for path in try Self.links(text, of: Self.path(asset)) {
                #expect(service.send("GET", path).status == 200, "\(asset.path): \(path)")
            }
            for forbidden in [
                "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "@import",
            ] {
                #expect(!text.contains(forbidden), "\(asset.path): \(forbidden)")
            }
            // What is loaded later is named as plainly.
            #expect(text.matches(of: /import\((?!")/).isEmpty, "\(asset.path)")
            for address in text.matches(of: /https?:\/\/[a-z0-9.]+/) {
                #expect(address.output == "http://www.w3.org", "\(asset.path): \(address.output)")
            }
            #expect(text.split(separator: "\n").count < 300, "\(asset.path)")
        }
    }

    @Test("the page may load its own files only, runs nothing inline, and stands in nobody's frame")
    func policy() throws {
        let answer = try Service().send("GET", "/", [("Accept", "text/html,*/*;q=0.8")])
        #expect(answer.status == 200)
        #expect(answer.fields["Content-Type"] == "text/html; charset=utf-8")
        #expect(answer.fields["X-Content-Type-Options"] == "nosniff")
        let policy = try #require(answer.fields["Content-Security-Policy"])
        #expect(policy.hasPrefix("default-src 'none'; script-src 'self'; style-src 'self'"))
        #expect(policy.contains("frame-ancestors 'none'") && policy.contains("require-trusted-types-for 'script'"))
        #expect(!policy.contains("unsafe") && !policy.contains("*"))
        #expect(!answer.text.contains("VERSION") && answer.text.contains("/page/\(PageRoutes.version)/top/main.js"))
        #expect(answer.text.matches(of: /<script(?![^>]* src=)|<style| style=| on[a-z]+=/).isEmpty)
    }

    @Test("without Accept and for browsers it is the page, for programs that ask for JSON it is links")
    func negotiation() throws {
        let service = try Service()
        #expect(service.send("GET", "/").fields["Content-Type"] == "text/html; charset=utf-8")
        #expect(service.send("GET", "/", [("Accept", "*/*")]).fields["Content-Type"] == "text/html; charset=utf-8")
        let links = service.send("GET", "/", [("Accept", "application/json")])
        #expect(links.json?["service"]?.stringValue == "lktrack" && links.fields["Vary"] == "Accept")
        expectProblem(service.send("GET", "/", [("Accept", "image/png")]), 406)
    }

    @Test(
        "what a visit loads, to whichever view, is less than 150 kB as it stands, without any compression",
        arguments: ["new", "jobs", "job"])
    func sizeOfAVisit(view: String) throws {
        let service = try Service()
        var seen: Set<String> = []
        var paths = ["/", "/page/\(PageRoutes.version)/views/\(view).js"]
        var bytes = 0
        while let path = paths.popLast() {
            guard seen.insert(path).inserted else { continue }
            let answer = service.send("GET", path, [("Accept", "text/html,*/*;q=0.8")])
            #expect(answer.status == 200 && answer.fields["Content-Encoding"] == nil)
            bytes += answer.body.count
            paths += try Self.links(answer.text, of: path, later: false)
        }
        #expect(seen.count > 15)
        #expect(bytes < 150_000, "\(bytes)")
    }

    @Test("the whole of it, every view and the embedded player, is less than 150 kB on the way")
    func size() throws {
        let service = try Service()
        let gzip = [("Accept-Encoding", "gzip")]
        var bytes = service.send("GET", "/", gzip).body.count
        for asset in WebPage.assets { bytes += service.send("GET", Self.path(asset), gzip).body.count }
        #expect(bytes < 150_000, "\(bytes)")
    }

    @Test("a file has a type, a strong tag for each coding, and is kept for good under its version")
    func representation() throws {
        let service = try Service()
        let types = ["js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8", "svg": "image/svg+xml"]
        for asset in WebPage.assets {
            let plain = service.send("GET", Self.path(asset))
            #expect(plain.status == 200 && plain.body == asset.bytes)
            if let type = types[URL(fileURLWithPath: asset.path).pathExtension] {
                #expect(plain.fields["Content-Type"] == type)
            }
            #expect(plain.fields["X-Content-Type-Options"] == "nosniff" && plain.fields["Vary"] == "Accept-Encoding")
            #expect(plain.fields["Cache-Control"] == "public, max-age=31536000, immutable")
            let tag = try #require(plain.fields["ETag"])
            let coded = service.send("GET", Self.path(asset), [("Accept-Encoding", "br, gzip")])
            #expect(coded.fields["Content-Encoding"] == "gzip" && coded.fields["ETag"] != tag)
            #expect(try Filter.gunzip(coded.body) == asset.bytes)
            let again = service.send("GET", Self.path(asset), [("If-None-Match", tag)])
            #expect(again.status == 304 && again.body.isEmpty && again.fields["ETag"] == tag)
        }
        expectProblem(service.send("GET", "/page/0123456789abcdef/top/main.js"), 404, saying: "load it anew")
        expectProblem(service.send("GET", "/page/\(PageRoutes.version)/top/none.js"), 404)
        expectProblem(service.send("GET", "/page/\(PageRoutes.version)/%2e%2e/index.html"), 404)
    }

    @Test("the embedded player's frame is open to the configured origins and to no others")
    func embedding() throws {
        let path = "/embed/01900000-0000-7000-8000-000000000000"
        let closed = try Service().send("GET", path)
        #expect(closed.fields["Content-Security-Policy"]?.contains("frame-ancestors 'self';") == true)
        let open = try Service(configure: { $0.origins = ["https://site.example"] }).send("GET", path)
        #expect(
            open.fields["Content-Security-Policy"]?.contains("frame-ancestors 'self' https://site.example;") == true)
        expectProblem(try Service().send("GET", "/embed/nothing"), 404)
    }

    @Test("scripts of configured origins can read every header of an answer that the OpenAPI document names")
    func exposedHeaders() throws {
        let service = try Service(configure: { $0.origins = ["https://site.example"] })
        let answer = service.send("GET", "/openapi.json", [("Origin", "https://site.example")])
        let exposed = try #require(answer.fields["Access-Control-Expose-Headers"]).lowercased()
            .split(separator: ",").map { $0.drop { $0 == " " } }
        let document = try JSONSerialization.jsonObject(with: Data(answer.body))
        let named = Self.headers(in: document)
        #expect(named.isSuperset(of: ["etag", "retry-after", "upload-offset"]))
        // Those that any script may read (WHATWG Fetch §2.2.2).
        let safe: Set = ["cache-control", "content-language", "content-length", "content-type", "last-modified"]
        // Of which a script has no use.
        let others: Set = ["content-encoding", "content-security-policy", "vary", "x-accel-buffering"]
        for name in named.subtracting(safe).subtracting(others).sorted() {
            #expect(exposed.contains(Substring(name)), "\(name)")
        }
    }

    /// The document calls what an answer may lack `Name.optional` where it is shared.
    private static func name(_ key: String) -> String { String(key.lowercased().prefix { $0 != "." }) }

    /// The names in all `headers` of responses, in small letters.
    private static func headers(in json: Any) -> Set<String> {
        switch json {
        case let object as [String: Any]:
            let own = (object["headers"] as? [String: Any])?.keys.map { name($0) } ?? []
            return object.values.reduce(into: Set(own)) { $0.formUnion(headers(in: $1)) }
        case let array as [Any]: return array.reduce(into: []) { $0.formUnion(headers(in: $1)) }
        default: return []
        }
    }

    @Test("answers can be read by pages of configured origins and of no others")
    func crossOrigin() throws {
        let allow = "Access-Control-Allow-Origin"
        let preflight = [("Origin", "https://site.example"), ("Access-Control-Request-Method", "GET")]
        let closed = try Service().send("OPTIONS", "/v1/jobs", preflight)
        #expect(closed.fields[allow] == nil && closed.fields["Vary"] == nil)
        let service = try Service(configure: { $0.origins = ["https://site.example"] })
        let asked = service.send("OPTIONS", "/v1/jobs", preflight)
        #expect(asked.status == 204 && asked.fields[allow] == "https://site.example")
        #expect(asked.fields["Access-Control-Allow-Methods"]?.contains("GET") == true)
        #expect(asked.fields["Access-Control-Allow-Headers"]?.contains("Authorization") == true)
        let answer = service.send("GET", "/v1/jobs", [("Origin", "https://site.example")])
        #expect(answer.status == 200 && answer.fields[allow] == "https://site.example")
        #expect(answer.fields.all("Vary").contains("Origin"))
        // Errors, too: a page wants to know why.
        let missing = service.send("GET", "/v1/nothing", [("Origin", "https://site.example")])
        #expect(missing.status == 404 && missing.fields[allow] == "https://site.example")
        let stranger = service.send("GET", "/v1/jobs", [("Origin", "https://other.example")])
        #expect(
            stranger.status == 200 && stranger.fields[allow] == nil && stranger.fields.all("Vary").contains("Origin"))
    }
}
