import HTTPServer
import Jobs
import Logging

/// The HTTP interface, version 1: routes, handlers and problem documents over the stores.
///
/// It knows status codes and nothing of tracking; jobs are queued for workers, wherever those are.
public struct TrackingAPI: HTTPApplication {
    private let router: Router
    private let tus: TusGate
    private let uploadTails: UploadTails

    /// - Parameters:
    ///   - version: of the program; stands in results.
    ///   - health: asked for each request that depends on it; must not block.
    ///   - onSubmit: a job was queued.
    ///   - onCancel: a job that may be running is wanted no more.
    public init(
        store: any JobStore, uploads: any UploadStore, blobs: any BlobStore, media: any MediaServices,
        environment: any Environment = SystemEnvironment(), configuration: APIConfiguration = APIConfiguration(),
        version: String, logger: Logger, health: @escaping @Sendable () -> ServiceHealth,
        onSubmit: @escaping @Sendable () -> Void, onCancel: @escaping @Sendable (JobID) -> Void
    ) {
        let services = Services(
            store: store, uploads: uploads, blobs: blobs, media: media, ids: JobIDGenerator(environment: environment),
            environment: environment, configuration: configuration, version: version, logger: logger, health: health,
            onSubmit: onSubmit, onCancel: onCancel)
        tus = TusGate(largestUpload: configuration.uploadBytes)
        uploadTails = services.uploadTails
        router = Router(RouteTable.routes(services), tenant: { _ in .anonymous })
    }

    public func begin(_ request: HTTPRequest) -> HTTPDisposition {
        TusGate.covers(request)
            ? tus.disposition(of: request, router.disposition) : router.disposition(of: request)
    }

    /// Returns when what came of requests that were cut off is kept. To be called once the server has stopped, and before
    /// the stores are closed. Blocks.
    public func finishUploads() { uploadTails.wait() }

    public func error(status: Int, detail: String, requestID: String) -> HTTPResponse {
        Problem(.of(status: status), detail).response(requestID: requestID)
    }
}
