import Foundation
import Jobs
import Testing

@Suite("JobWriter")
struct JobWriterTests {
    private static let id = JobID(milliseconds: 0x0197_0000_0000, random: Array(0..<10))

    private func job(_ status: JobStatus) -> Job {
        let target = TargetSpec(id: "car", box: PixelBox(x: 70, y: 51, width: 107, height: 87))
        return Job(
            id: Self.id, tenant: .anonymous, status: status, spec: JobSpec(targets: [target]),
            source: JobSource(kind: .video, blobKey: "secret", bytes: 812_345, sha256: "ab12"),
            createdAt: Date(unixMilliseconds: 1_750_000_000_000))
    }

    @Test("a queued job is written as the interface has it")
    func queued() {
        let text = String(decoding: JobWriter.json(job(.queued)).encoded(), as: UTF8.self)
        #expect(
            text == """
                {"id":"\(Self.id)","status":"queued","created_at":"2025-06-15T15:06:40.000Z","started_at":null,\
                "finished_at":null,"expires_at":null,"attempt":0,\
                "progress":{"frames_done":0,"frames_total":null,"frames_per_second":0},\
                "source":{"kind":"video","file_name":null,"bytes":812345,"sha256":"ab12","width":null,"height":null,\
                "frame_rate":null,"codec":null,"frame_count":null},\
                "spec":{"targets":[{"id":"car","box":[70,51,107,87],"start_frame":0,"keyframes":[]}],\
                "tracker":{"mode":"robust","motion":"affine","aligner":"inverse_compositional","levels":3,\
                "max_iterations":10,"epsilon":0.02,"illumination":"gain_bias","gamma":1,"on_lost":"search"},\
                "start_frame":0,"stop_frame":null,"frame_step":1,"output":{"video":"none","crops":false},\
                "deadline_seconds":null,"priority":0,"labels":{},"webhook":null},"error":null,\
                "links":{"self":"/v1/jobs/\(Self.id)","events":"/v1/jobs/\(Self.id)/events",\
                "results":"/v1/jobs/\(Self.id)/results","video":"/v1/jobs/\(Self.id)/video",\
                "deliveries":null,"source":"/v1/jobs/\(Self.id)/source"}}
                """)
    }

    @Test("a failure has its code, and its frame and pointer where it has them")
    func failed() {
        var job = job(.failed)
        job.failure = JobFailure(code: .undecodable, message: "m", frame: 3)
        #expect(JobWriter.json(job)["error"] == ["code": "undecodable", "message": "m", "frame": 3])
        job.failure = JobFailure(code: .invalidSpec, message: "m", pointer: "#/targets/0/box")
        #expect(
            JobWriter.json(job)["error"] == ["code": "invalid_spec", "message": "m", "pointer": "#/targets/0/box"])
    }

    @Test("a video is linked where there is one, or one can be made of the result", arguments: JobStatus.allCases)
    func video(status: JobStatus) {
        let link = JSONValue.string("/v1/jobs/\(Self.id)/video")
        var job = job(status)
        #expect(JobWriter.json(job)["links"]?["video"] == (status.isFinal ? .null : link))
        job.resultKey = "key"
        #expect(JobWriter.json(job)["links"]?["video"] == link)
        (job.resultKey, job.videoKey) = (nil, "key")
        #expect(JobWriter.json(job)["links"]?["video"] == link)
    }

    @Test("sources and failures are stored and read back")
    func stored() throws {
        var source = job(.queued).source
        #expect(try JobSource(storedJSON: source.storedJSON) == source)
        (source.fileName, source.width, source.height, source.frameRate, source.codec, source.frameCount) = (
            "a\n", 360, 240, 29.97, "h264", 300
        )
        #expect(try JobSource(storedJSON: source.storedJSON) == source)
        #expect(throws: JobsError.self) { try JobSource(storedJSON: [:]) }
        let failure = JobFailure(code: .limitExceeded, message: "m", frame: 1, pointer: "#")
        #expect(try JobFailure(storedJSON: failure.storedJSON) == failure)
        #expect(throws: JobsError.self) { try JobFailure(storedJSON: ["code": 1]) }
    }
}
