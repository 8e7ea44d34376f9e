import HTTPServer
import Jobs
import Logging

/// The HTTP interface, version 1: routes, handlers and problem documents over the stores.
///
/// It knows status codes and nothing of tracking; jobs are queued for workers, wherever those are.
public struct TrackingAPI: HTTPApplication {
    private let router: Router
    private let renderings: RenderingQueue

    /// - Parameters:
    ///   - version: of the program; stands in results.
    ///   - health: asked for each request that depends on it; must not block.
    ///   - onSubmit: a job was queued.
    ///   - onCancel: a job that may be running is wanted no more.
    public init(
        store: any JobStore, blobs: any BlobStore, media: any MediaServices, renderer: any VideoRenderer,
        environment: any Environment = SystemEnvironment(), configuration: APIConfiguration = APIConfiguration(),
        version: String, logger: Logger, health: @escaping @Sendable () -> ServiceHealth,
        onSubmit: @escaping @Sendable () -> Void, onCancel: @escaping @Sendable (JobID) -> Void
    ) {
        let services = Services(
            store: store, blobs: blobs, media: media, ids: JobIDGenerator(environment: environment),
            environment: environment, configuration: configuration, version: version, logger: logger, health: health,
            onSubmit: onSubmit, onCancel: onCancel)
        renderings = RenderingQueue(services, renderer: renderer)
        router = Router(RouteTable.routes(services, renderings), tenant: { _ in .anonymous })
    }

    /// Ends what is done in the background. Requests are answered still.
    public func stop() { renderings.close() }

    public func begin(_ request: HTTPRequest) -> HTTPDisposition { router.disposition(of: request) }

    public func error(status: Int, detail: String, requestID: String) -> HTTPResponse {
        Problem(.of(status: status), detail).response(requestID: requestID)
    }
}
