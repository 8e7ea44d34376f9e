import Jobs

/// The page, and what other sites may show of it.
enum PageOperations {
    static let all = [embed, asset, player]

    private static let fileName = Schema.text(pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")

    private static let headers = ["ETag", "Cache-Control", "Vary", "Content-Encoding?"]

    private static let embed = Operation(
        method: "get", path: PageRoutes.embedPattern, id: "getEmbed", tag: .service,
        summary: "A job alone, for an iframe",
        description: """
            The page's player with one job. Pages of the origins in `server.origins` may show it in a frame; others may \
            not.
            """,
        parameters: [Parameter.jobID] + Parameter.conditions,
        responses: [
            Response(
                200, "A page.", headers: headers + ["Content-Security-Policy"], content: [("text/html", Schema.string)]),
            Response(304, "The client has it already.", headers: ["ETag"]),
        ] + Response.always + Response.problems(404, 412),
        curl: "curl localhost:8080/embed/$ID")

    private static let asset = Operation(
        method: "get", path: PageRoutes.assetPattern, id: "getPageFile", tag: .service,
        summary: "A file of the page",
        description: "Its addresses are in the page; they are others in every version.",
        parameters: [
            Parameter.path("version", "Of the page.", fileName), Parameter.path("folder", "", fileName),
            Parameter.path("file", "", fileName),
        ] + Parameter.conditions,
        responses: [
            Response(
                200, "A style sheet, a module or a picture.", headers: headers,
                content: [
                    ("text/javascript", Schema.string), ("text/css", Schema.string), ("image/svg+xml", Schema.string),
                    ("text/html", Schema.string),
                ]),
            Response(304, "The client has it already.", headers: ["ETag"]),
        ] + Response.always + Response.problems(404, 412),
        curl: "curl localhost:8080/")

    private static let player = Operation(
        method: "get", path: PageRoutes.playerPath, id: "getPlayer", tag: .service,
        summary: "An ES module that lays boxes over a site's own video",
        description: """
            `<video data-lktrack="…/v1/jobs/ID/results?format=ndjson">` is found by it, and it exports \
            `overlay(video, source, options)`. A site of another origin needs to be one of `server.origins`.
            """,
        parameters: Parameter.conditions,
        responses: [
            Response(200, "A module.", headers: headers, content: [("text/javascript", Schema.string)]),
            Response(304, "The client has it already.", headers: ["ETag"]),
        ] + Response.always + Response.problems(412),
        curl: "curl localhost:8080/player.js")
}
