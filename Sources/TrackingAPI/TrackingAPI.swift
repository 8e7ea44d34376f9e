import HTTPServer
import Jobs
import Logging
import PrometheusMetrics

/// The HTTP interface, version 1: routes, handlers and problem documents over the stores.
///
/// It knows status codes and nothing of tracking; jobs are queued for workers, wherever those are.
public struct TrackingAPI: HTTPApplication {
    let router: Router
    private let watch: JobWatch
    let waits: TurnPool
    let bucketReads: ConversionPool
    private let renderings: RenderingQueue
    private let requests: HTTPMetrics
    private let tus: TusGate
    private let abortedUploads: AbortedUploads
    private let crossOrigin: CrossOrigin

    /// - Parameters:
    ///   - keys: who may come in; `nil`: everybody, as one tenant.
    ///   - version: of the program; stands in results.
    ///   - metrics: served at `/metrics`, together with what the API adds.
    ///   - health: asked for each request that depends on it; must not block.
    ///   - onSubmit: a job was queued.
    ///   - onCancel: a job that may be running is wanted no more.
    ///   - watch: wakes clients that wait.
    public init(
        store: any JobStore & QueueStatistics & ChangeCount, uploads: any UploadStore, deliveries: any DeliveryStore,
        blobs: any BlobStore, media: any MediaServices, renderer: any VideoRenderer, keys: KeyRing? = nil,
        environment: any Environment = SystemEnvironment(), configuration: APIConfiguration = APIConfiguration(),
        version: String, logger: Logger, metrics: MetricsRegistry = MetricsRegistry(),
        health: @escaping @Sendable () -> ServiceHealth,
        onSubmit: @escaping @Sendable () -> Void, onCancel: @escaping @Sendable (JobID) -> Void,
        watch: JobWatch
    ) {
        let services = Services(
            store: store, uploads: uploads, deliveries: deliveries, blobs: blobs,
            space: DiskSpace(blobs, reserve: configuration.diskReserveBytes), media: media,
            ids: JobIDGenerator(environment: environment),
            environment: environment, configuration: configuration, version: version, logger: logger,
            statistics: store, metrics: metrics, health: health, onSubmit: onSubmit, onCancel: onCancel,
            watch: watch, documents: JobDocuments(store),
            conversions: ConversionPool(threads: configuration.conversionThreads, bodies: configuration.conversions),
            bucketReads: ConversionPool(threads: configuration.bucketThreads, bodies: configuration.bucketBodies),
            streams: LiveStreams(configuration))
        self.watch = watch
        waits = services.waits
        bucketReads = services.bucketReads
        keys?.onRevocation(watch.close)
        renderings = RenderingQueue(services, renderer: renderer)
        tus = TusGate(largestUpload: configuration.uploadBytes)
        abortedUploads = services.abortedUploads
        crossOrigin = CrossOrigin(origins: Set(configuration.origins))
        let routes = RouteTable.routes(services, renderings).filter {
            configuration.scope == .everything || RouteTable.operations.contains($0.pattern)
        }
        requests = HTTPMetrics(routes, registry: metrics)
        let access = AccessControl(
            keys: keys, defaultRate: configuration.requestRate, environment: environment)
        router = Router(
            routes, access: access,
            blobRequests: BlobRequests(
                blobs, threads: configuration.bucketThreads, requests: configuration.bucketRequests))
    }

    /// Ends what is done in the background, and event streams; who waits is answered. Requests are answered still.
    public func stop() {
        watch.stop()
        renderings.close()
    }

    /// Everything the service answers to, as `GET /v1/jobs/{id}`.
    public var routes: [String] { router.routes.map { "\($0.method) \($0.pattern)" } }

    public func begin(_ request: HTTPRequest) -> HTTPDisposition {
        crossOrigin.disposition(
            of: request,
            TusGate.covers(request) ? tus.disposition(of: request, router) : router.disposition(of: request))
    }

    /// Returns when what came of requests that were cut off is kept. To be called once the server has stopped, and before
    /// the stores are closed. Blocks.
    public func finishUploads() { abortedUploads.wait() }

    /// To be told of every request that the server is done with (`HTTPServer`'s observer): they are counted.
    public func observe(_ summary: HTTPRequestSummary) { requests.record(summary) }

    public func error(status: Int, detail: String, requestID: String) -> HTTPResponse {
        Problem(.of(status: status), detail).response(requestID: requestID)
    }

    public func error(status: Int, detail: String, requestID: String, target: String) -> HTTPResponse {
        var response = error(status: status, detail: detail, requestID: requestID)
        if TusGate.covers(target: target) { response.fields["Tus-Resumable"] = Tus.version }
        return response
    }
}
