import Foundation
import Glibc
import Testing

@Suite("Metrics over HTTP")
struct MetricsTests {
    @Test("a process that only works tells how it is, on any address and without keys, and nothing else")
    func workerAlone() throws {
        let server = try Server(
            "--workers", "1", environment: ["LKTRACK_ROLES": "worker", "LKTRACK_SERVER_ADDRESS": "0.0.0.0"])
        #expect(try server.get("/healthz").status == 200)
        #expect(try server.get("/readyz").text.contains("1 of 1 workers are alive"))
        #expect(try Scrape(server)["lktrack_workers_alive"] == 1)
        for path in ["/", "/v1/jobs", "/openapi.json", "/docs"] {
            #expect(try server.get(path).status == 404, "\(path)")
        }
        #expect(try server.post("/v1/jobs", ["-F", "roi=1,2,30,40"]).status == 404)
    }

    @Test("known jobs, requests and refusals are in the metrics, as Prometheus' own client reads them")
    func beforeAndAfter() throws {
        let server = try Server()
        let before = try Scrape(server)
        #expect(before[#"lktrack_jobs_finished_total{outcome="succeeded"}"#] == 0)
        #expect(before["lktrack_frames_tracked_total"] == 0)

        let video = try Material.syntheticVideo(frames: 40)
        for _ in 0..<2 {
            let id = try server.submit(["video=@\(video.path)", "roi=\(video.boxes[0])"])
            #expect(try server.finish(id)["status"] as? String == "succeeded")
        }
        let failing = try server.submit(["video=@\(video.path)", "roi=5000,5000,20,20"])
        #expect(try server.finish(failing)["status"] as? String == "failed")
        let refused = try server.post("/v1/jobs", ["-F", "video=@/etc/hostname", "-F", "roi=1,2,30,40"])
        #expect(refused.status == 415)
        #expect(try server.get("/nothing/here").status == 404)
        let job = try server.get("/v1/jobs/\(failing)")
        #expect(job.status == 200)

        let after = try Scrape(server)
        let size = try Double(#require(try FileManager.default.attributesOfItem(atPath: video.path)[.size] as? Int))
        for (sample, change) in [
            (#"lktrack_jobs{state="succeeded"}"#, 2), (#"lktrack_jobs{state="failed"}"#, 1),
            (#"lktrack_jobs{state="queued"}"#, 0), (#"lktrack_jobs_finished_total{outcome="succeeded"}"#, 2),
            (#"lktrack_jobs_finished_total{outcome="failed"}"#, 1),
            (#"lktrack_jobs_failed_total{code="invalid_spec"}"#, 1), ("lktrack_frames_tracked_total", 80),
            ("lktrack_decoder_starts_total", 3), ("lktrack_decoder_crashes_total", 0),
            ("lktrack_job_run_seconds_count", 3), ("lktrack_job_queue_wait_seconds_count", 3),
            (#"lktrack_http_requests_total{method="POST",route="/v1/jobs",status="2xx"}"#, 3),
            (#"lktrack_http_requests_total{method="POST",route="/v1/jobs",status="4xx"}"#, 1),
            (#"lktrack_http_requests_total{method="GET",route="none",status="4xx"}"#, 1),
            (#"lktrack_http_requests_total{method="GET",route="/metrics",status="2xx"}"#, 1),
            (#"lktrack_http_request_duration_seconds_count{method="POST",route="/v1/jobs"}"#, 4),
            (#"lktrack_uploads_rejected_total{status="415"}"#, 1),
        ] { #expect(after[sample] - before[sample] == Double(change), "\(sample)") }
        #expect(after[#"lktrack_http_request_bytes_total{route="/v1/jobs"}"#] > 3 * size)
        #expect(after[#"lktrack_http_response_bytes_total{route="/v1/jobs/{id}"}"#] >= Double(job.body.count))
        for stage in ["decode_wait", "track", "write"] {
            #expect(after["lktrack_frame_stage_seconds_total{stage=\"\(stage)\"}"] > 0, "\(stage)")
        }
        let stages = ["decode_wait", "track", "write"].map {
            after["lktrack_frame_stage_seconds_total{stage=\"\($0)\"}"]
        }
        #expect(stages.reduce(0, +) <= after["lktrack_job_run_seconds_sum"])
        #expect(after["lktrack_http_requests_in_flight"] == 1)
        #expect(after["lktrack_http_connections"] >= 1)
        #expect(after["lktrack_disk_free_bytes"] > 0)
        #expect(after["lktrack_workers_alive"] == after["lktrack_workers_expected"])
        #expect(after["process_resident_memory_bytes"] > 1_000_000)
        #expect(after["process_cpu_seconds_total"] > before["process_cpu_seconds_total"])
        let started = Date(timeIntervalSince1970: after["process_start_time_seconds"])
        #expect(abs(started.timeIntervalSinceNow) < 300)
        #expect(after["lktrack_build_info{version=\"\(try server.version())\"}"] == 1)
    }

    @Test("names, types and helps are as Prometheus and OpenMetrics want them", arguments: [false, true])
    func conventions(openMetrics: Bool) throws {
        let server = try Server()
        let scrape = try Scrape(server, openMetrics: openMetrics)
        #expect(scrape.families.count >= 25)
        for family in scrape.families {
            #expect(family.name.hasPrefix("lktrack_") || family.name.hasPrefix("process_"), "\(family.name)")
            #expect(["counter", "gauge", "histogram"].contains(family.type), "\(family.name)")
            #expect(family.help.hasSuffix("."), "\(family.name)")
            for sample in family.samples.keys where family.type == "counter" {
                #expect(sample.prefix { $0 != "{" } == "\(family.name)_total")
            }
            // Base units.
            #expect(!["_ms", "_milliseconds", "_kb", "_mb", "_percent"].contains { family.name.hasSuffix($0) })
        }
        #expect(Set(scrape.families.map(\.name)).count == scrape.families.count)
    }

    @Test("a decoder that is killed is a crash and a restart, and the queue ages while nobody works on it")
    func decoderCrash() throws {
        let server = try Server("--workers", "1")
        let video = try Material.syntheticVideo(frames: LifeTests.frames, size: "160x120")
        let rois = Array(repeating: "roi=\(video.boxes[0])", count: LifeTests.targets)
        let id = try server.submit(["video=@\(video.path)"] + rois)
        let waiting = try server.submit(["video=@\(video.path)", "roi=\(video.boxes[0])", "stop_frame=5"])
        try poll("the decoder to start") { !server.decoders().isEmpty }
        try poll("the job to track") { try server.framesDone(id) > 0 }
        for decoder in server.decoders() { kill(decoder, SIGKILL) }
        #expect(server.log.line(containing: "decoder died, starting over") != nil)
        let scrape = try Scrape(server)
        #expect(scrape["lktrack_queue_oldest_age_seconds"] > 0)
        #expect(scrape["lktrack_decoder_crashes_total"] == 1)
        #expect(scrape["lktrack_decoder_restarts_total"] == 1)
        #expect(scrape[#"lktrack_jobs{state="running"}"#] == 1)
        #expect(scrape[#"lktrack_jobs{state="queued"}"#] == 1)
        _ = try server.post("/v1/jobs/\(id)/cancel", [])
        #expect(try server.finish(id)["status"] as? String == "canceled")
        #expect(try server.finish(waiting)["status"] as? String == "succeeded")
        let last = try Scrape(server)
        #expect(last["lktrack_queue_oldest_age_seconds"] == 0)
        #expect(last[#"lktrack_jobs_finished_total{outcome="canceled"}"#] == 1)
        #expect(last["lktrack_decoder_starts_total"] == 3)
    }

    @Test("counts of finished jobs go on after a restart and a deletion")
    func restart() throws {
        let server = try Server()
        let video = try Material.syntheticVideo(frames: 5)
        let id = try server.submit(["video=@\(video.path)", "roi=\(video.boxes[0])"])
        _ = try server.finish(id)
        #expect(try server.get("/v1/jobs/\(id)", "-X", "DELETE").status == 204)
        #expect(server.stop() == 0)
        try server.start()
        let scrape = try Scrape(server)
        #expect(scrape[#"lktrack_jobs_finished_total{outcome="succeeded"}"#] == 1)
        #expect(scrape[#"lktrack_jobs{state="succeeded"}"#] == 0)
        #expect(scrape["lktrack_frames_tracked_total"] == 0)
    }
}

@Suite("Traces in the log")
struct TraceLogTests {
    @Test("the request and every line of its job name the trace that the client sent")
    func lines() throws {
        let server = try Server()
        let video = try Material.syntheticVideo(frames: 5)
        let trace = "0af7651916cd43dd8448eb211c80319c"
        func submit(_ parent: String) throws -> String {
            let response = try server.post(
                "/v1/jobs",
                ["-H", "traceparent: \(parent)", "-F", "video=@\(video.path)", "-F", "roi=\(video.boxes[0])"])
            let id = try #require(try response.json()["id"] as? String)
            #expect(try server.finish(id)["status"] as? String == "succeeded")
            return id
        }
        let traced = try submit("00-\(trace)-b7ad6b7169203331-01")
        let untraced = try submit("00-\(trace.uppercased())-b7ad6b7169203331-01")
        #expect(server.stop() == 0)
        let entries = try server.log.text.split(separator: "\n").compactMap { line in
            try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        }
        for message in ["job started", "job ended"] {
            let lines = entries.filter { $0["message"] as? String == message }
            #expect(lines.first { $0["job"] as? String == traced }?["trace_id"] as? String == trace, "\(message)")
            #expect(lines.first { $0["job"] as? String == untraced }?["trace_id"] == nil, "\(message)")
        }
        let requests = entries.filter { $0["message"] as? String == "request" && $0["method"] as? String == "POST" }
        #expect(requests.map { $0["trace_id"] as? String } == [trace, nil])
        #expect(requests.map { $0["parent_id"] as? String } == ["b7ad6b7169203331", nil])
    }
}
