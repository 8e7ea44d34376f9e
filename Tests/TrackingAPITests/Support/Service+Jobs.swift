import Jobs
import Testing

extension Service {
    /// A queued job with a short video, submitted past the API.
    func submit(
        tenant: TenantID = .anonymous, targets: [String] = ["car"], video: OutputSpec.Video = .none,
        labels: [String: String] = [:], fileName: String? = "clip.mp4", keyframes: Int = 0
    ) throws -> JobID {
        let id = ids.next()
        let writer = try blobs.create(id.sourceKey)
        try Sample.video().withUnsafeBytes(writer.write)
        let source = JobSource(
            kind: .video, blobKey: id.sourceKey, bytes: writer.count, sha256: try writer.commit(), fileName: fileName)
        let corrections = (0..<keyframes).map {
            TargetSpec.Keyframe(frame: $0 + 1, box: PixelBox(x: 100.5, y: 200.25, width: 30.125, height: 40.5))
        }
        let spec = JobSpec(
            targets: targets.map {
                TargetSpec(id: $0, box: PixelBox(x: 1, y: 2, width: 30, height: 40), keyframes: corrections)
            },
            output: OutputSpec(video: video), labels: labels)
        try store.submit(Job(id: id, tenant: tenant, spec: spec, source: source, createdAt: SystemEnvironment().now()))
        return id
    }

    /// Claims a job and ends it as a worker does. It must be the next in the queue.
    ///
    /// - Parameter lines: the NDJSON result; `nil`: none.
    func finish(
        _ id: JobID, as status: JobStatus = .succeeded, lines: [[UInt8]]?, video: [UInt8]? = nil,
        failure: JobFailure? = nil
    ) throws {
        let claimed = try #require(try store.claim(owner: "worker", leaseSeconds: 30))
        try #require(claimed.job.id == id)
        var outcome = JobOutcome(status: status, failure: failure, progress: JobProgress())
        if let lines { outcome.resultKey = try keep(lines.flatMap { $0 }, id.resultKey(attempt: claimed.job.attempt)) }
        if let video {
            outcome.videoKey = try keep(video, id.videoKey(attempt: claimed.job.attempt, fileExtension: "mp4"))
        }
        try #require(try store.publish(outcome, lease: claimed.lease))
    }

    /// The path of the result of a job that has ended with these lines.
    func finishedResult(tenant: TenantID = .anonymous, lines: [[UInt8]]) throws -> String {
        let id = try submit(tenant: tenant)
        try finish(id, lines: lines)
        return "/v1/jobs/\(id)/results"
    }

    private func keep(_ bytes: [UInt8], _ key: String) throws -> String {
        let writer = try blobs.create(key)
        try bytes.withUnsafeBytes(writer.write)
        _ = try writer.commit()
        return key
    }
}

/// Lines of a stored result.
enum Lines {
    static func frame(_ frame: Int, targets: [String] = ["car"]) -> [UInt8] {
        let record = FrameRecord(
            frame: frame, pts: Int64(frame) * 512, time: Double(frame) / 25,
            targets: targets.enumerated().map { index, id in
                let box = PixelBox(x: Double(frame + index * 100), y: 2.5, width: 30, height: 40)
                return TargetRecord(
                    id: id, box: box,
                    quad: [
                        box.x, box.y, box.x + 30, box.y, box.x + 30, box.y + 40, box.x, box.y + 40,
                    ], affine: [1, 0, Double(frame), 0, 1, 0], state: .tracked, confidence: 0.9, zncc: 0.95,
                    residual: 3,
                    iterations: 7, isKeyframe: frame == 0)
            })
        var line: [UInt8] = []
        record.appendLine(to: &line)
        if line.last != UInt8(ascii: "\n") { line.append(UInt8(ascii: "\n")) }
        return line
    }
}
