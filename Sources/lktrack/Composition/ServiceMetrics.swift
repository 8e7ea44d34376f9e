import Foundation
import HTTPServer
import Jobs
import Media
import PrometheusMetrics
import Workers

/// What the workers measure, as metrics.
struct WorkerMetrics: WorkerMeter {
    private let queueWait: Histogram
    private let runs: Histogram
    private let frames: Counter
    private let decodeWait: Counter
    private let track: Counter
    private let write: Counter
    private let decoderRestarts: Counter

    init(_ registry: MetricsRegistry) {
        queueWait = registry.histogram(
            "lktrack_job_queue_wait_seconds", "From a job's submission to its start in this process.",
            bounds: Histogram.jobBounds)
        runs = registry.histogram(
            "lktrack_job_run_seconds", "From a job's start to its end in this process, whatever the end.",
            bounds: Histogram.jobBounds)
        frames = registry.counter("lktrack_frames_tracked", "Frames that were tracked, repeated ones included.")
        func stage(_ name: String) -> Counter {
            registry.counter(
                "lktrack_frame_stage_seconds", "Where the time of jobs went, by stage.", labels: [("stage", name)],
                divisor: Counter.nanoseconds)
        }
        decodeWait = stage("decode_wait")
        track = stage("track")
        write = stage("write")
        decoderRestarts = registry.counter(
            "lktrack_decoder_restarts", "Jobs that started over because their decoder had died.")
    }

    func jobStarted(waited: Duration) { queueWait.observe(waited) }

    func jobEnded(_ status: JobStatus, ran: Duration) { runs.observe(ran) }

    func tracked(frames count: Int, _ times: FrameTimes) {
        frames.add(Int64(count))
        decodeWait.add(times.decodeWait)
        track.add(times.track)
        write.add(times.write)
    }

    func decoderRestarted() { decoderRestarts.add() }
}

/// What is looked up in the process itself when metrics are asked for.
enum ServiceMetrics {
    /// - Parameter server: not kept alive by its own metrics.
    static func register(in registry: MetricsRegistry, startTime: Date, server: HTTPServer) {
        registry.register(ProcessMetrics(startTime: startTime).collect)
        registry.register(decoders)
        registry.register { [weak server] in
            guard let server else { return [] }
            return [
                .gauge(
                    "lktrack_http_requests_in_flight",
                    "Requests that have come and are not answered as a whole yet, this one included.",
                    Double(server.requestsInFlight)),
                .gauge("lktrack_http_connections", "Open connections.", Double(server.connectionCount)),
            ]
        }
    }

    private static let decoders: MetricsRegistry.Collector = {
        let counts = DecoderCounts.current
        return [
            .counter("lktrack_decoder_starts", "Decoder processes that were started.", Double(counts.started)),
            .counter(
                "lktrack_decoder_crashes", "Decoder processes that died or broke their protocol.",
                Double(counts.crashed)),
            .counter(
                "lktrack_decoder_timeouts", "Decoder processes that were stopped because they stood still.",
                Double(counts.timedOut)),
        ]
    }
}
