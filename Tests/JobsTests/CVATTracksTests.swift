import Foundation
import FoundationXML
import Jobs
import Testing

/// CVAT shows a track's last box to the end of the video unless that is `outside`.
@Suite("Ends of CVAT's tracks")
struct CVATTracksTests {
    /// The frames of a target's boxes, those that are `outside` with a minus.
    private static func boxes(
        _ target: String = "car", slice: ResultSlice = ResultSlice(), frameCount: Int?, isWhole: Bool = true,
        stop: Int? = nil, step: Int = 1
    ) throws -> [String] {
        var spec = ResultTests.spec
        (spec.stopFrame, spec.frameStep) = (stop, step)
        var provenance = ResultProvenance(version: "1", spec: spec)
        (provenance.frameCount, provenance.isWhole) = (frameCount, isWhole)
        var encoder = try ResultEncoder(format: .cvat, provenance: provenance, slice: slice)
        var bytes: [UInt8] = []
        encoder.begin(into: &bytes)
        for number in 0..<5 {
            let state: TargetRecord.State = number == 4 ? .lost : .tracked
            let targets = [ResultTests.target("car"), ResultTests.target("van", state: state)]
            encoder.append(
                FrameRecord(frame: number * step, pts: 0, time: Double(number), targets: targets), into: &bytes)
        }
        encoder.end(into: &bytes)
        let document = try XMLDocument(xmlString: String(decoding: bytes, as: UTF8.self))
        return try document.nodes(forXPath: "//track[@label='\(target)']/box").map { node in
            let box = try #require(node as? XMLElement)
            let isOutside = box.attribute(forName: "outside")?.stringValue == "1"
            return (isOutside ? "-" : "") + (box.attribute(forName: "frame")?.stringValue ?? "")
        }
    }

    private static let all = ["0", "1", "2", "3", "4"]

    @Test("a whole result ends with the source, also where the container promises more")
    func whole() throws {
        #expect(try Self.boxes(frameCount: 5) == Self.all)
        #expect(try Self.boxes(frameCount: 9) == Self.all)
    }

    @Test("one that ends at its stop_frame is closed on the frame after, if there is one")
    func stopped() throws {
        #expect(try Self.boxes(frameCount: 9, stop: 5) == Self.all + ["-5"])
        #expect(try Self.boxes(frameCount: 9, stop: 14, step: 3) == ["0", "3", "6", "9", "12"])
        #expect(try Self.boxes(frameCount: 99, stop: 14, step: 3) == ["0", "3", "6", "9", "12", "-13"])
        #expect(try Self.boxes(frameCount: 5, stop: 5) == Self.all)
        #expect(try Self.boxes(frameCount: nil, stop: 5) == Self.all)
        // The source ended first, whatever the container says.
        #expect(try Self.boxes(frameCount: 90, stop: 50) == Self.all)
    }

    @Test("that of a job that was canceled, has failed or goes on is closed, where the source goes on")
    func unfinished() throws {
        #expect(try Self.boxes(frameCount: 9, isWhole: false) == Self.all + ["-5"])
        #expect(try Self.boxes(frameCount: 5, isWhole: false) == Self.all)
        #expect(try Self.boxes(frameCount: nil, isWhole: false) == Self.all)
    }

    @Test("a slice is closed where the result goes on behind it")
    func slice() throws {
        #expect(try Self.boxes(slice: ResultSlice(from: 1, to: 3), frameCount: nil) == ["1", "2", "-3"])
        #expect(try Self.boxes(slice: ResultSlice(from: 1, to: 5), frameCount: 5) == ["1", "2", "3", "4"])
        #expect(try Self.boxes(slice: ResultSlice(from: 9), frameCount: 20, isWhole: false) == [])
    }

    @Test("a track whose last box is outside already needs no other")
    func lost() throws {
        #expect(try Self.boxes("van", frameCount: 9, stop: 5) == ["0", "1", "2", "3", "-4"])
        #expect(try Self.boxes("van", slice: ResultSlice(to: 4), frameCount: 9) == ["0", "1", "2", "3", "-4"])
    }
}
