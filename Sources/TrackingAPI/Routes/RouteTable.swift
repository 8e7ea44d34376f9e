import HTTPServer

/// Everything the service answers to.
enum RouteTable {
    /// For those who run the service: they tell nothing of a tenant, and need no key.
    static let operations: Set = [HealthRoutes.alivePath, "/readyz", "/metrics"]

    static func routes(_ services: Services, _ renderings: RenderingQueue) -> [Route] {
        let health = HealthRoutes(services: services)
        let jobs = JobRoutes(services: services, renderings: renderings)
        let list = JobListRoute(services: services)
        let submit = SubmitRoute(services: services)
        let results = ResultRoute(services: services)
        let decodes = ConcurrencyLimit(services.configuration.frameDecodes)
        let pictures = FramePictures(services: services, decodes: decodes)
        let media = MediaRoutes(services: services, pictures: pictures)
        let trackability = TrackabilityRoute(services: services, decodes: decodes)
        let videos = RenderedVideoRoutes(services: services, renderings: renderings)
        let uploads = UploadRoutes(services: services)
        let deliveries = DeliveryRoute(services: services)
        let documents = DocumentRoutes(version: services.version)
        let page = PageRoutes(services: services, origins: services.configuration.origins)
        return [
            Route("GET", JobWaitRoute.pattern, .intake(JobWaitRoute(services: services).get)),
            Route(
                "GET", "/v1/jobs/{id}/events", query: EventRoute.parameters,
                .answerWhere(EventRoute.place, EventRoute(services: services).events)),
            Route("GET", "/v1/jobs/{id}/results", query: ResultRoute.parameters, .answer(.blobs, results.results)),
            Route("GET", "/v1/jobs/{id}/video", .answer(.blobs, videos.video)),
            Route("GET", "/v1/jobs/{id}/targets/{t}/crops", .answer(.blobs, videos.crops)),
            Route("GET", "/v1/jobs/{id}/source", .answer(.blobs, media.source)),
            Route("GET", "/v1/jobs/{id}/frames/{n}", .answer(.blobs, media.frame)),
            Route("GET", DeliveryRoute.pattern, .answer(.queue, deliveries.list)),
            Route("POST", "/v1/jobs/{id}/cancel", .answer(.queue, jobs.cancel)),
            Route("DELETE", "/v1/jobs/{id}", .answer(.blobs, jobs.delete)),
            Route("GET", SubmitRoute.path, query: JobListRoute.parameters, .answer(.queue, list.list)),
            Route("POST", SubmitRoute.path, query: nil, .intake(submit.submit)),
            Route(
                "POST", TrackabilityRoute.path, query: TrackabilityRoute.parameters, .intake(trackability.judge)),
            Route(
                "GET", UploadFrameRoute.pattern,
                .answer(.blobs, UploadFrameRoute(services: services, pictures: pictures).frame)),
            Route("POST", UploadRoutes.path, .intake(uploads.create)),
            Route("GET", UploadRoutes.pattern, .answer(.blobs, uploads.show)),
            Route("PATCH", UploadRoutes.pattern, .intake(uploads.append)),
            Route("DELETE", UploadRoutes.pattern, .answer(.blobs, uploads.delete)),
            Route("GET", HealthRoutes.alivePath, .answer(.inline, health.alive)),
            Route("GET", "/readyz", .answer(.queue, health.ready)),
            Route("GET", "/metrics", .answer(.queue, MetricsRoute(services: services).metrics)),
            Route("GET", DocumentRoutes.documentPath, .answer(.inline, documents.document)),
            Route("GET", DocumentRoutes.pagePath, .answer(.inline, documents.docs)),
            Route("GET", "/", .answer(.inline, page.index)),
            Route("GET", PageRoutes.assetPattern, .answer(.inline, page.asset)),
            Route("GET", PageRoutes.embedPattern, .answer(.inline, page.embed)),
            Route("GET", PageRoutes.playerPath, .answer(.inline, page.player)),
        ]
    }
}
