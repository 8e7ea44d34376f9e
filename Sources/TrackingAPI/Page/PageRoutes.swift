import Crypto
import HTTPServer
import Jobs
import WebPage

/// The page (`/`), what it is made of (`/page/…`), a job alone for another site's frame (`/embed/{id}`), and boxes for
/// another site's video (`/player.js`).
struct PageRoutes: Sendable {
    static let assetPattern = "/page/{version}/{folder}/{file}"
    static let embedPattern = "/embed/{id}"
    static let playerPath = "/player.js"

    private let landing: LandingRoute
    private let files: [String: PageFile]
    private let index: PageFile
    private let embedded: PageFile
    private let player: PageFile
    private let embedPolicy: String

    /// - Parameter origins: whose pages may show a job in a frame.
    init(services: Services, origins: [String]) {
        landing = LandingRoute(services: services)
        files = Dictionary(
            uniqueKeysWithValues: WebPage.assets.map { ($0.path, PageFile($0.bytes, mediaType: $0.mediaType)) })
        index = Self.html("top/index.html", fields: [("Referrer-Policy", "no-referrer")])
        embedded = Self.html("top/embed.html", fields: [("Referrer-Policy", "no-referrer")])
        player = PageFile(
            Array("export * from \"./page/\(Self.version)/embed/overlay.js\";\n".utf8),
            mediaType: "text/javascript; charset=utf-8")
        embedPolicy = Self.policy(
            frameAncestors: origins.isEmpty ? "'self'" : "'self' " + origins.joined(separator: " "))
    }

    /// Names all of the files at once: a page is never put together of two versions.
    static let version: String = {
        var hash = SHA256()
        for asset in WebPage.assets {
            hash.update(data: Array(asset.path.utf8))
            hash.update(data: asset.bytes)
        }
        return Hexadecimal.text(hash.finalize().prefix(8))
    }()

    /// Content Security Policy, level 3: nothing from elsewhere, no inline script or style, and no text becomes markup.
    private static func policy(frameAncestors: String) -> String {
        [
            "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' blob:",
            "media-src 'self' blob:", "connect-src 'self'", "base-uri 'none'", "form-action 'none'",
            "frame-ancestors \(frameAncestors)", "require-trusted-types-for 'script'", "trusted-types 'none'",
        ].joined(separator: "; ")
    }

    private static func html(_ path: String, fields: [(name: String, value: String)]) -> PageFile {
        let bytes = WebPage.assets.first { $0.path == path }?.bytes ?? []
        let text = String(decoding: bytes, as: UTF8.self).replacing(WebPage.versionMark, with: version)
        return PageFile(Array(text.utf8), mediaType: "text/html; charset=utf-8", fields: fields)
    }

    // MARK: Answers

    /// `GET /`: the page, or where things are as JSON for who asks for that.
    func index(_ context: RequestContext) throws -> HTTPResponse {
        let accept = context.request.fields.all("Accept").joined(separator: ", ")
        let offers = [MediaType("text", "html"), MediaType("application", "json")]
        guard let best = ContentNegotiation.best(offers, accept: accept.isEmpty ? nil : accept) else {
            throw Problem(.notAcceptable, "There is a page here (text/html), and where things are (application/json).")
        }
        guard best == offers[0] else {
            var response = landing.index(context)
            response.fields["Vary"] = "Accept"
            return response
        }
        return try index.response(
            to: context.request, cacheControl: "no-cache", vary: ["Accept"],
            fields: [("Content-Security-Policy", Self.policy(frameAncestors: "'none'"))])
    }

    func embed(_ context: RequestContext) throws -> HTTPResponse {
        _ = try context.jobID()
        return try embedded.response(
            to: context.request, cacheControl: "no-cache", fields: [("Content-Security-Policy", embedPolicy)])
    }

    /// Each version has addresses of its own, so that what was loaded once need not be asked for again.
    func asset(_ context: RequestContext) throws -> HTTPResponse {
        let path = [context.parameter("folder") ?? "", context.parameter("file") ?? ""].joined(separator: "/")
        guard context.parameter("version") == Self.version, let file = files[path] else {
            throw Problem(.notFound, "The page has no such file, or not any more: load it anew.")
        }
        return try file.response(to: context.request, cacheControl: "public, max-age=31536000, immutable")
    }

    func player(_ context: RequestContext) throws -> HTTPResponse {
        try player.response(to: context.request, cacheControl: "no-cache")
    }
}
