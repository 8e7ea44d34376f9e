import HTTPServer
import Jobs
import Logging
import PrometheusMetrics

/// What the handlers work with.
struct Services: Sendable {
    let store: any JobStore
    let uploads: any UploadStore
    let deliveries: any DeliveryStore
    let arriving = ArrivingBytes()
    let abortedUploads = AbortedUploads()
    let uploadDigests = UploadDigests()
    let blobs: any BlobStore
    let space: DiskSpace
    let media: any MediaServices
    let ids: JobIDGenerator
    let environment: any Environment
    let configuration: APIConfiguration
    let version: String
    let logger: Logger
    let statistics: any QueueStatistics
    let metrics: MetricsRegistry
    let health: @Sendable () -> ServiceHealth
    let onSubmit: @Sendable () -> Void
    let onCancel: @Sendable (JobID) -> Void
    let flights = SubmissionFlights()
    let textMemory = TextMemory()
    let watch: JobWatch
    let documents: JobDocuments
    let conversions: ConversionPool
    /// Reads what is sent of blobs that are not files: a bucket may take its time.
    let bucketReads: ConversionPool
    /// Reads and writes jobs for those who wait for them: a long one takes a while.
    let waits = TurnPool(threads: LongTexts.mostAtOnce)
    let streams: LiveStreams

    /// What reads a blob while what is made of it is sent: a bucket may keep those threads from which others want results
    /// that are files.
    func conversions(of reader: any BlobReader) -> ConversionPool {
        reader.fileDescriptor == nil ? bucketReads : conversions
    }

    /// Of the job's own document, which depends on its row alone; the revision grows with every change of that.
    func tag(_ job: Job) -> EntityTag { tag(revision: job.revision) }

    func tag(revision: Int64) -> EntityTag { EntityTag("\(version)-\(revision)") }

    /// Whether somebody still waits for the answer to a request, and is to get it, for work that takes long.
    func isAwaited(_ request: HTTPRequest) -> @Sendable () -> Bool {
        { [health] in !request.hasClientLeft() && !health().isStopping }
    }

    /// The job that a request names.
    func job(_ context: RequestContext) throws -> Job {
        guard let job = try store.job(context.jobID(), tenant: context.tenant) else { throw RequestContext.noSuchJob }
        return job
    }

    /// The same, where its source and results are still to be had.
    func keptJob(_ context: RequestContext) throws -> Job {
        let job = try job(context)
        try requireKept(job)
        return job
    }

    /// Where a decoder finds a source, for somebody who waits; `nil` where it is gone. See ``BlobStore/decodablePath(of:leaving:)``.
    func decodablePath(of source: JobSource) throws -> String? {
        try blobs.decodablePath(of: source, leaving: configuration.diskReserveBytes)
    }

    /// - Throws: 410 where the job's source and results are gone.
    func requireKept(_ job: Job) throws {
        guard let expiry = job.expiresAt, job.hasExpired(at: environment.now()) else { return }
        throw Problem(
            .gone,
            "The job expired at \(RFC3339.string(expiry)); its source and its results are not kept any more.")
    }
}
