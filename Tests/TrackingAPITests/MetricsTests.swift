import Foundation
import HTTPServer
import Jobs
import Testing
import TrackingAPI

@Suite("Metrics")
struct MetricsTests {
    /// The value of a sample that is written like this.
    private func value(_ sample: String, in text: String) -> Double? {
        text.split(separator: "\n").first { $0.hasPrefix(sample + " ") }.flatMap {
            $0.split(separator: " ").last.flatMap { Double($0) }
        }
    }

    @Test(
        "the format is chosen by Accept; who accepts neither gets the text format",
        arguments: [
            (nil, "text/plain; version=0.0.4; charset=utf-8"),
            ("*/*", "text/plain; version=0.0.4; charset=utf-8"),
            ("image/png", "text/plain; version=0.0.4; charset=utf-8"),
            ("application/openmetrics-text", "application/openmetrics-text; version=1.0.0; charset=utf-8"),
            // As Prometheus asks.
            (
                "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
                    + "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                "application/openmetrics-text; version=1.0.0; charset=utf-8"
            ),
        ] as [(String?, String)])
    func formats(accept: String?, type: String) throws {
        let answer = try Service().send("GET", "/metrics", accept.map { [("Accept", $0)] } ?? [])
        #expect(answer.status == 200)
        #expect(answer.fields["Content-Type"] == type)
        #expect(answer.text.hasSuffix("# EOF\n") == type.hasPrefix("application/openmetrics"))
        #expect(answer.route == "/metrics")
    }

    @Test("jobs, the age of the queue, endings, disk and workers are as the store has them")
    func store() throws {
        let service = try Service(health: ServiceHealth(workersExpected: 4, workersAlive: 3)) {
            $0.diskReserveBytes = 77
            $0.queuedJobs = 5
        }
        service.blobs.free.withLock { $0 = 1_000_000 }
        let ended = try service.submit()
        try service.finish(
            ended, as: .failed, lines: nil, failure: JobFailure(code: .undecodable, message: "cut off"))
        _ = try service.submit()
        _ = try service.submit()
        let text = service.send("GET", "/metrics").text
        let expected: [(String, Double)] = [
            (#"lktrack_jobs{state="queued"}"#, 2), (#"lktrack_jobs{state="failed"}"#, 1),
            (#"lktrack_jobs{state="running"}"#, 0), (#"lktrack_jobs_finished_total{outcome="failed"}"#, 1),
            (#"lktrack_jobs_failed_total{code="undecodable"}"#, 1),
            (#"lktrack_jobs_failed_total{code="worker_lost"}"#, 0), ("lktrack_disk_free_bytes", 1_000_000),
            (#"lktrack_webhook_deliveries_finished_total{outcome="delivered"}"#, 0),
            ("lktrack_webhook_deliveries_pending", 0), ("lktrack_webhook_oldest_pending_age_seconds", 0),
            ("lktrack_disk_reserve_bytes", 77), ("lktrack_queue_limit_jobs", 5), ("lktrack_workers_expected", 4),
            ("lktrack_workers_alive", 3), (#"lktrack_build_info{version="1.2.3"}"#, 1),
            (#"lktrack_collector_success{collector="store"}"#, 1),
        ]
        for (sample, expected) in expected { #expect(value(sample, in: text) == expected, "\(sample)") }
        let age = try #require(value("lktrack_queue_oldest_age_seconds", in: text))
        #expect(age >= 0 && age < 60)
    }

    @Test("a store that does not answer is said to be missing, and the rest is told all the same")
    func storeGone() throws {
        let service = try Service()
        try service.store.close()
        let answer = service.send("GET", "/metrics")
        #expect(answer.status == 200)
        #expect(value(#"lktrack_collector_success{collector="store"}"#, in: answer.text) == 0)
        #expect(value(#"lktrack_collector_success{collector="disk"}"#, in: answer.text) == 1)
        #expect(value(#"lktrack_jobs{state="queued"}"#, in: answer.text) == nil)
        #expect(value("lktrack_workers_alive", in: answer.text) == 2)
    }

    @Test("no path and no method of a client's making becomes a label")
    func labels() async throws {
        try await Wire.run(try Service()) { wire in
            let requests: [(String, [String])] = [
                ("/v1/jobs/0197c5a1-0000-7000-8000-000000000000", []), ("/etc/passwd", []), ("/a%0ab", []),
                ("/v1/jobs", ["-X", "EVIL"]), ("/healthz", ["-I"]), ("/../secret", ["--path-as-is"]),
            ]
            for (path, arguments) in requests {
                _ = try wire.curl(path, arguments)
                _ = try wire.summary()
            }
            let text = String(decoding: try wire.curl("/metrics").body, as: UTF8.self)
            for (sample, count) in [
                (#"{route="/v1/jobs/{id}",method="GET",status="4xx"}"#, 1),
                // An unknown path, one that was refused for its line feed, and one that was for its dots.
                (#"{route="none",method="GET",status="4xx"}"#, 3),
                (#"{route="/v1/jobs",method="other",status="4xx"}"#, 1),
                (#"{route="/healthz",method="HEAD",status="2xx"}"#, 1),
            ] { #expect(self.value("lktrack_http_requests_total" + sample, in: text) == Double(count), "\(sample)") }
            for word in ["0197c5a1", "passwd", "EVIL", "secret"] { #expect(!text.contains(word)) }
        }
    }

    @Test("uploads that are refused are counted by status, before and after their body came")
    func rejections() async throws {
        try await Wire.run(try Service { $0.uploadBytes = 1 << 20 }) { wire in
            let text = try wire.file("text.mp4", Array("not a video".utf8))
            let large = try wire.file("large.mp4", Sample.video(bytes: 3 << 20))
            let video = try wire.file("clip.mp4", Sample.video(bytes: 1000))
            for arguments in [
                ["-F", "video=@\(large)"], ["-F", "video=@\(text)", "-F", "roi=1,2,30,40"],
                ["-F", "video=@\(text)", "-F", "roi=1,2,30,40"], ["-F", "video=@\(video)", "-F", "roi=1,2,30,40"],
            ] {
                _ = try wire.curl("/v1/jobs", arguments)
                _ = try wire.summary()
            }
            let metrics = String(decoding: try wire.curl("/metrics").body, as: UTF8.self)
            for (status, count) in [("413", 1), ("415", 2), ("422", 0)] {
                let sample = #"lktrack_uploads_rejected_total{status="\#(status)"}"#
                #expect(self.value(sample, in: metrics) == Double(count), "\(status)")
            }
            let received = try #require(
                self.value(#"lktrack_http_request_bytes_total{route="/v1/jobs"}"#, in: metrics))
            #expect(received > 1000)
        }
    }

    @Test("a submission keeps the trace that it came in")
    func trace() throws {
        let service = try Service()
        let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        for (field, expected) in [(parent, "0af7651916cd43dd8448eb211c80319c"), ("00-1-2-3", nil)] {
            let answer = service.send(
                "POST", "/v1/jobs?roi=1,2,30,40", [("Content-Type", "video/mp4"), ("traceparent", field)],
                body: Sample.video())
            #expect(try service.kept(answer).traceID == expected)
        }
    }
}
