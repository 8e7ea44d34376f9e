import Foundation
import Testing

@Suite("The command line")
struct CommandLineTests {
    @Test("track prints a line a frame in the OTB form, first frame included, and nothing else")
    func otb() throws {
        let sequence = try Material.synthetic(frames: 12)
        let output = try Executable.lktrack("track", sequence.folder.path, "--roi", sequence.box, "--format", "otb")
        #expect(output.status == 0)
        #expect(output.lines.count == 12)
        #expect(output.lines.allSatisfy { $0.split(separator: ",").compactMap { Double($0) }.count == 4 })
        #expect(output.standardError.isEmpty, "no progress bar where standard error is piped")
    }

    @Test("--start, --stop and --step choose the frames")
    func range() throws {
        let sequence = try Material.synthetic(frames: 12)
        let output = try Executable.lktrack(
            "track", sequence.folder.path, "--roi", sequence.box, "--start", "2", "--stop", "9", "--step", "3",
            "--format", "ndjson")
        #expect(output.status == 0)
        let frames = try output.lines.map { line in
            try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])["frame"] as? Int
        }
        #expect(frames == [2, 5, 8])
    }

    @Test("track writes an annotated video and the results to files")
    func annotate() throws {
        let video = try Material.syntheticVideo(frames: 10)
        let folder = try TemporaryFolder()
        let output = try Executable.lktrack(
            "track", video.path, "--roi", video.boxes[0], "--annotate", folder.path("out.avi"), "--output",
            folder.path("out.csv"), "--format", "csv")
        #expect(output.status == 0)
        #expect(output.standardOutput.isEmpty)
        #expect(try String(contentsOfFile: folder.path("out.csv"), encoding: .utf8).split(separator: "\n").count == 11)
        let avi = try Data(contentsOf: URL(fileURLWithPath: folder.path("out.avi")))
        #expect(String(decoding: avi.prefix(4), as: UTF8.self) == "RIFF")
    }

    @Test("track does not write over what it reads", arguments: ["--output", "--annotate"])
    func overwriting(option: String) throws {
        let video = try Material.syntheticVideo(frames: 3)
        let before = try Data(contentsOf: URL(fileURLWithPath: video.path))
        let folder = try TemporaryFolder()
        try FileManager.default.createSymbolicLink(
            atPath: folder.path("link.avi"), withDestinationPath: video.path)
        for path in [video.path, folder.path("link.avi")] {
            let output = try Executable.lktrack("track", video.path, "--roi", video.boxes[0], option, path)
            #expect(output.status == 64 && output.standardError.contains("is the input"))
            #expect(try Data(contentsOf: URL(fileURLWithPath: video.path)) == before)
        }
    }

    @Test("a run that fails leaves the results that were there; those of the frames before a broken one are written")
    func failingRun() throws {
        let sequence = try Material.synthetic(frames: 8)
        let folder = try TemporaryFolder()
        let results = try folder.write(Array("from before".utf8), to: "boxes.csv")
        func track(_ box: String) throws -> Executable.Output {
            try Executable.lktrack(
                "track", sequence.folder.path, "--roi", box, "--format", "csv", "--output", results)
        }
        #expect(try track("5000,5000,20,20").status == 65)
        #expect(try String(contentsOfFile: results, encoding: .utf8) == "from before")

        let broken = sequence.images[5]
        try Data(contentsOf: URL(fileURLWithPath: broken)).prefix(200).write(to: URL(fileURLWithPath: broken))
        let output = try track(sequence.box)
        #expect(output.status == 65 && output.standardError.contains("the results of the 5 frames before are written"))
        // With the header.
        #expect(try String(contentsOfFile: results, encoding: .utf8).split(separator: "\n").count == 6)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == ["boxes.csv"])
    }

    @Test("exit statuses are those of sysexits")
    func exitStatuses() throws {
        let folder = try TemporaryFolder()
        let text = try folder.write(Array("no video".utf8), to: "text.mp4")
        let video = try Material.syntheticVideo(frames: 3)
        #expect(try Executable.lktrack("track").status == 64)
        #expect(try Executable.lktrack("track", video.path, "--roi", "1,2,3").status == 64)
        #expect(try Executable.lktrack("track", video.path, "--roi", "1,2,3,3").status == 64)
        #expect(try Executable.lktrack("track", text, "--roi", "1,1,20,20").status == 65)
        #expect(try Executable.lktrack("track", folder.path("none.mp4"), "--roi", "1,1,20,20").status == 66)
        #expect(
            try Executable.lktrack(
                "track", video.path, "--roi", video.boxes[0], "--output", folder.path("no/such/folder.json")
            ).status == 73)
        #expect(try Executable.lktrack("frobnicate").status == 64)
        #expect(try Executable.lktrack("version").text.hasPrefix("lktrack "))
    }

    @Test("a box may reach outside the image; what cannot be written or made is told before the work")
    func boundaries() throws {
        let folder = try TemporaryFolder()
        let video = try Material.syntheticVideo(frames: 3)
        let outside = try Executable.lktrack("track", video.path, "--roi", "-20,-20,80,80", "--format", "otb")
        #expect(outside.status == 0)
        #expect(outside.lines.first == "-20,-20,80,80")
        let unwritable = try Executable.lktrack(
            "track", video.path, "--roi", video.boxes[0], "--annotate", folder.path("none/out.mp4"))
        #expect(unwritable.status == 73)
        #expect(unwritable.standardOutput.isEmpty)
        #expect(unwritable.standardError.contains("none"))
        for arguments in [["synth", ""], ["synth", folder.path("a"), "--frame-rate", "0"]] {
            #expect(try Executable.run(Executable.lktrack, arguments + ["--frames", "2"]).status == 64)
        }
        let several = try Executable.lktrack(
            "track", video.path, "--roi", "1,1,20,20", "--roi", "9,9,20,20", "--format", "otb")
        #expect(several.status == 64)
        let stop = try Executable.lktrack("track", video.path, "--roi", "1,1,20,20", "--start", "5", "--stop", "2")
        #expect(stop.status == 64)
        #expect(stop.standardError.contains("--stop"))
    }

    @Test("--help teaches: it shows a whole example")
    func help() throws {
        let output = try Executable.lktrack("--help")
        #expect(output.status == 0)
        #expect(output.text.contains("lktrack track clip.mp4 --roi"))
        for command in ["serve", "track", "eval", "synth"] {
            let help = try Executable.lktrack(command, "--help")
            #expect(help.status == 0)
            #expect(help.text.contains("lktrack \(command)"))
        }
    }

    @Test("synth makes the same bytes from the same seed, and others from another")
    func synth() throws {
        let folder = try TemporaryFolder()
        for (name, seed) in [("a", "3"), ("b", "3"), ("c", "4")] {
            let made = try Executable.lktrack(
                "synth", folder.path(name), "--frames", "2", "--size", "160x120", "--seed", seed, "--noise", "4")
            #expect(made.status == 0)
        }
        let images = try ["a", "b", "c"].map {
            try Data(contentsOf: URL(fileURLWithPath: folder.path("\($0)/img/000002.png")))
        }
        #expect(images[0] == images[1])
        #expect(images[0] != images[2])
    }

    @Test("the same input gives the same bytes in every mode, in one process or over HTTP, with any number of workers")
    func determinism() throws {
        let video = try Material.syntheticVideo(frames: 60, targets: 2)
        let rois = video.boxes.flatMap { ["--roi", $0] }
        let modes = ["robust", "template", "points"]
        func tracked(_ mode: String) throws -> Data {
            try Executable.run(
                Executable.lktrack, ["track", video.path, "--format", "ndjson", "--tracker", mode] + rois
            ).standardOutput
        }
        let expected = try modes.map(tracked)
        #expect(try modes.map(tracked) == expected)
        #expect(Set(expected).count == modes.count)
        for workers in ["1", "2", "8"] {
            let server = try Server("--workers", workers)
            let ids = try modes.map { mode in
                try (0..<2).map { _ in
                    try server.submit(
                        ["video=@\(video.path)", "tracker=\(mode)"] + video.boxes.map { "roi=\($0)" })
                }
            }
            for (ids, bytes) in zip(ids, expected) {
                for id in ids {
                    #expect(try server.finish(id)["status"] as? String == "succeeded")
                    #expect(try server.get("/v1/jobs/\(id)/results?format=ndjson").body == bytes)
                }
            }
        }
    }

    @Test("eval scores like an independent scorer would: a perfect result on an easy scene, JSON and table")
    func evaluation() throws {
        let sequence = try Material.synthetic(frames: 30)
        let output = try Executable.lktrack("eval", sequence.folder.path, "--json")
        #expect(output.status == 0)
        let report = try #require(
            try JSONSerialization.jsonObject(with: output.standardOutput) as? [String: Any])
        let target = try #require((report["targets"] as? [[String: Any]])?.first)
        let success = try #require(target["success_auc"] as? Double)
        #expect(success > 0.9)
        #expect(target["frames"] as? Int == 30)
        #expect(target["lost"] as? Int == 0)
        #expect(try #require(target["calibration_error"] as? Double) < 0.2)
        #expect(target["tracked_held_share"] as? Double == 1)
        #expect(try Executable.lktrack("eval", sequence.folder.path).text.contains("success AUC"))
    }

    @Test("eval draws plots into a file or a folder, starts in several places, and refuses what it cannot do")
    func plots() throws {
        let sequence = try Material.synthetic(frames: 12)
        let folder = try TemporaryFolder()
        let drawn = try Executable.lktrack(
            "eval", sequence.folder.path, "--tre", "3", "--plot", folder.path("both.svg"), "--json")
        #expect(drawn.status == 0)
        let report = try #require(try JSONSerialization.jsonObject(with: drawn.standardOutput) as? [String: Any])
        let target = try #require((report["targets"] as? [[String: Any]])?.first)
        #expect(target["frames"] as? Int == 12 + 8 + 4)
        let both = try String(contentsOfFile: folder.path("both.svg"), encoding: .utf8)
        #expect(both.hasPrefix("<?xml"))
        #expect(both.contains("Success plot") && both.contains("Precision plot"))
        #expect(try Executable.lktrack("eval", sequence.folder.path, "--plot", folder.path("plots")).status == 0)
        for (name, title) in [("success", "Success plot"), ("precision", "Precision plot")] {
            let text = try String(contentsOfFile: folder.path("plots/\(name).svg"), encoding: .utf8)
            #expect(text.contains(title))
        }
        #expect(
            try Executable.lktrack("eval", sequence.folder.path, "--plot", folder.path("none/a.svg")).status == 73)
        #expect(try Executable.lktrack("eval", sequence.folder.path, "--start", "3").status == 64)
        #expect(try Executable.lktrack("eval", "--convergence", sequence.folder.path).status == 64)
        #expect(try Executable.lktrack("eval").status == 64)
    }

    @Test(
        "on Car4 the template tracker reaches the success of the implementation that it replaces",
        .enabled(if: Material.isReal))
    func car4() throws {
        let sequence = try Material.sequence("Car4", box: "", frames: 659)
        let output = try Executable.lktrack(
            "eval", sequence.folder.path, "--tracker", "template", "--stop", "135", "--json")
        let report = try #require(
            try JSONSerialization.jsonObject(with: output.standardOutput) as? [String: Any])
        let target = try #require((report["targets"] as? [[String: Any]])?.first)
        #expect(try #require(target["success_auc"] as? Double) >= 0.80)
        #expect(target["frames"] as? Int == 135)
    }

    @Test(
        "on the public sequences mode robust is ahead of CSRT in the mean and in the worst, and its confidence is honest",
        .enabled(if: Material.isReal))
    func publicSequences() throws {
        let folders = try ["Bolt2", "Car4", "Couple", "Crossing", "DragonBaby", "Jogging"].map {
            try Material.sequence($0, box: "", frames: 1).folder.path
        }
        let output = try Executable.run(Executable.lktrack, ["eval", "--json"] + folders)
        let report = try #require(
            try JSONSerialization.jsonObject(with: output.standardOutput) as? [String: Any])
        let targets = try #require(report["targets"] as? [[String: Any]])
        let success = targets.compactMap { $0["success_auc"] as? Double }
        #expect(success.count == 7)
        #expect(success.reduce(0, +) / 7 >= 0.68)
        #expect(try #require(success.min()) >= 0.45)
        let pooled = try #require(report["pooled"] as? [String: Any])
        #expect(try #require(pooled["calibration_error"] as? Double) <= 0.15)
        #expect(try #require(pooled["tracked_held_share"] as? Double) >= 0.85)
    }

    @Test("a wrong configuration stops the start with the key's name")
    func configuration() throws {
        let folder = try TemporaryFolder()
        for (text, name) in [
            ("server:\n  prot: 1\n", "server.prot"), ("workers: many\n", "workers"), ("server: 3\n", "server"),
            ("server:\n  address: 0.0.0.0\n", "auth"),
        ] {
            let file = try folder.write(Array(text.utf8), to: "wrong.yaml")
            let output = try Executable.lktrack(
                "serve", "--port", "0", "--config", file, "--data-dir", folder.path("data"))
            #expect(output.status == 78)
            #expect(output.standardError.contains(name), "\(output.standardError)")
        }
    }
}
