import Foundation
import Testing

@Suite("Points")
struct PointsTests {
    /// Two images of a synthetic scene, and the box of its target in the first.
    private func scene(frames: Int = 2) throws -> (sequence: Material.Sequence, box: [Double]) {
        let sequence = try Material.synthetic(frames: frames)
        return (sequence, sequence.box.split(separator: ",").compactMap { Double($0) })
    }

    @Test("flow prints a line a point, or JSON with the same numbers, and nothing else")
    func flow() throws {
        let (sequence, box) = try scene()
        let images = sequence.images
        let points = ["\(box[0] + box[2] / 2),\(box[1] + box[3] / 2)", "\(box[0] + 15),\(box[1] + 20)"]
        let output = try Executable.run(Executable.lktrack, ["flow"] + images + ["--points"] + points)
        #expect(output.status == 0, "\(output.standardError)")
        #expect(output.standardError.isEmpty)
        let rows = output.lines.map { $0.split(separator: " ") }
        #expect(rows.count == 2 && rows.allSatisfy { $0.count == 8 && $0[7] == "tracked" })
        for row in rows {
            let numbers = row.prefix(7).compactMap { Double($0) }
            #expect(abs(numbers[0] + numbers[4] - numbers[2]) < 0.002)
            #expect(abs(numbers[1] + numbers[5] - numbers[3]) < 0.002)
            #expect(abs(numbers[4]) < 5 && abs(numbers[5]) < 5 && numbers[6] < 0.1)
        }
        let json = try Executable.run(Executable.lktrack, ["flow"] + images + ["--json", "--points"] + points)
        let document = try #require(try JSONSerialization.jsonObject(with: json.standardOutput) as? [String: Any])
        let found = try #require(document["points"] as? [[String: Any]])
        let to = try #require(found.first?["to"] as? [String: Any])
        #expect(found.count == 2 && to["state"] as? String == "tracked")
        #expect(abs(try #require(to["dx"] as? Double) - (Double(rows[0][4]) ?? .nan)) < 1e-9)
        // A picture's flow to itself is nothing; the grid is row by row.
        let still = try Executable.lktrack("flow", images[0], images[0], "--grid", "3", "--roi", sequence.box)
        #expect(still.lines.count == 9)
        #expect(still.lines.allSatisfy { $0.contains(" 0.000 0.000 0.000 tracked") })
    }

    @Test("flow's exit statuses are those of sysexits, and name the image")
    func exitStatuses() throws {
        let (sequence, _) = try scene()
        let (first, second) = (sequence.images[0], sequence.images[1])
        let folder = try TemporaryFolder()
        let text = try folder.write(Array("no image".utf8), to: "text.png")
        let small = try Executable.lktrack("synth", folder.path("small"), "--frames", "1", "--size", "64x48")
        #expect(small.status == 0)
        let other = folder.path("small/img/000001.png")
        for (arguments, status, word) in [
            ([first, second], 64, "--points"), ([first, second, "--points", "1,2", "--levels", "7"], 64, "levels"),
            ([first, second, "--points", "9,9", "5000,1"], 64, "--points"),
            ([first, text, "--grid", "3"], 65, "text.png"), ([text, first, "--grid", "3"], 65, "text.png"),
            ([first, other, "--grid", "3"], 65, "000001.png"), ([first, folder.url.path, "--grid", "3"], 65, "folder"),
            ([first, folder.path("none.png"), "--grid", "3"], 66, "none.png"),
        ] {
            let output = try Executable.run(Executable.lktrack, ["flow"] + arguments)
            #expect(output.status == Int32(status), "\(arguments)")
            #expect(output.standardError.contains(word), "\(output.standardError)")
            #expect(output.standardOutput.isEmpty)
        }
    }

    @Test("a job in mode points has every point in every frame, the same over HTTP and on the command line")
    func job() throws {
        let (sequence, box) = try scene(frames: 12)
        let folder = try TemporaryFolder()
        let tar = folder.path("frames.tar")
        #expect(try Executable.run("/usr/bin/env", ["tar", "-C", sequence.folder.path, "-cf", tar, "img"]).status == 0)
        let points = [[box[0] + box[2] / 2, box[1] + box[3] / 2], [box[0] + 15, box[1] + 20]]
        let server = try Server()
        let spec = #"{"targets": [{"points": \#(points)}], "tracker": {"mode": "points"}}"#
        let id = try server.submit(["archive=@\(tar)", "spec=\(spec)"])
        #expect(try server.finish(id)["status"] as? String == "succeeded")
        let ndjson = try server.get("/v1/jobs/\(id)/results?format=ndjson")
        #expect(ndjson.lines.count == 12)
        for line in ndjson.lines {
            let record = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            let target = try #require((record["targets"] as? [[String: Any]])?.first)
            let found = try #require(target["points"] as? [[String: Any]])
            #expect(found.count == 2 && found.allSatisfy { $0["state"] as? String == "tracked" })
            #expect(target["peak_ratio"] == nil)
            #expect((target["forward_backward"] == nil) == (record["frame"] as? Int == 0))
        }
        let tracked = try Executable.run(
            Executable.lktrack,
            ["track", sequence.folder.path, "--tracker", "points", "--format", "ndjson", "--points"]
                + points.map { "\($0[0]),\($0[1])" })
        #expect(tracked.standardOutput == ndjson.body)

        let outside = #"{"targets": [{"points": [[1, 2], [9000, 2]]}], "tracker": {"mode": "points"}}"#
        let failed = try server.finish(try server.submit(["archive=@\(tar)", "spec=\(outside)"]))
        #expect((failed["error"] as? [String: Any])?["pointer"] as? String == "#/targets/0/points/1")
    }
}
