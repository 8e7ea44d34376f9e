import Jobs
import Testing
import TrackingAPI

@Suite("Submitting points")
struct PointsTests {
    @Test("points without a box are accepted in mode points, and are in the job's spec")
    func accepted() throws {
        let service = try Service()
        let spec = #"{"targets": [{"id": "car", "points": [[12.5, 40], [3, 4]]}], "tracker": {"mode": "points"}}"#
        let answer = service.post(Form().file("video", Sample.video()).spec(spec))
        #expect(answer.status == 202, "\(answer.text)")
        let id = try #require(answer.jobID)
        let job = try #require(try service.store.job(id, tenant: .anonymous))
        #expect(job.spec.targets[0].points == [PixelPoint(x: 12.5, y: 40), PixelPoint(x: 3, y: 4)])
        #expect(job.spec.targets[0].box == nil && job.spec.tracker.mode == .points)
        #expect(answer.json?["spec"]?["targets"]?.arrayValue?.first?["points"] == [[12.5, 40], [3, 4]])
    }

    @Test(
        "points that cannot be followed are refused with their places",
        arguments: [
            (#"{"targets": [{"points": [[1, 2]]}], "tracker": {"mode": "template"}}"#, "#/targets/0/points"),
            (
                #"{"targets": [{"points": [[1, 2], [1, 2], [3, 4], [-1, 2]]}], "tracker": {"mode": "points"}}"#,
                "#/targets/0/points/3"
            ), (#"{"targets": [{}], "tracker": {"mode": "points"}}"#, "#/targets/0/box"),
        ])
    func refused(_ spec: String, _ pointer: String) throws {
        let answer = try Service().post(Form().file("video", Sample.video()).spec(spec))
        #expect(answer.status == 422)
        #expect(answer.json?["errors"]?.arrayValue?.map { $0["pointer"]?.stringValue } == [pointer])
    }
}
