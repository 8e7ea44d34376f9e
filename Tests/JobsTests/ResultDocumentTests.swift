import Foundation
import FoundationXML
import Jobs
import Testing

/// The formats that other tools read as whole documents.
@Suite("Result documents")
struct ResultDocumentTests {
    @Test("WebVTT has a cue for every frame, which lasts until the next and holds the frame's JSON")
    func vtt() throws {
        let cues = try ResultTests.encode(.vtt).components(separatedBy: "\n\n")
        #expect(cues.first == "WEBVTT" && cues.count == 4)
        #expect(cues[1].hasPrefix("0\n00:00:00.000 --> 00:00:00.033\n{\"frame\":0,"))
        #expect(cues[3].hasPrefix("2\n00:00:00.067 --> 00:00:00.100\n"))
        let payload = try #require(cues[2].split(separator: "\n").last)
        #expect(try FrameRecord(line: payload.utf8).targets.map(\.id) == ["car", "van"])
    }

    @Test(
        "CVAT's XML is well formed, with a track for every target and a box for every frame, outside where it is lost")
    func cvat() throws {
        let document = try XMLDocument(xmlString: try ResultTests.encode(.cvat))
        #expect(
            try document.nodes(forXPath: "/annotations/meta/task/labels/label/name").map { $0.stringValue } == [
                "car", "van",
            ])
        #expect(try document.nodes(forXPath: "//track[@label='car']/box").count == 3)
        #expect(try document.nodes(forXPath: "//track[@label='van']/box/@frame").map { $0.stringValue } == ["1", "2"])
        #expect(try document.nodes(forXPath: "//box[@outside='1']/@frame").map { $0.stringValue } == ["2"])
        let box = try document.nodes(forXPath: "//track[@label='car']/box[@frame='1']/@*").map { $0.stringValue }
        #expect(box == ["1", "0", "0", "1", "71", "51.123", "178", "138.623", "0"])
    }

    @Test("COCO's annotations refer to its images, and leave out what is lost")
    func coco() throws {
        let document = try JSONValue(parsing: Array(try ResultTests.encode(.coco).utf8))
        let images = try #require(document["images"]?.arrayValue)
        let annotations = try #require(document["annotations"]?.arrayValue)
        #expect(images.map { $0["id"] } == [.number(1), .number(2), .number(3)])
        #expect(annotations.map { $0["image_id"] } == [.number(1), .number(2), .number(2), .number(3)])
        #expect(annotations.map { $0["instance_id"] } == [.number(1), .number(1), .number(2), .number(2)])
        #expect(annotations[0]["bbox"] == .array([.number(70), .number(51.123), .number(107), .number(87.5)]))
        #expect(annotations[0]["area"] == .number(9362.5))
    }

    @Test("Label Studio's boxes are in percent of the picture, and end with the last frame in which a target is seen")
    func labelStudio() throws {
        let task = try #require(
            try JSONValue(parsing: Array(try ResultTests.encode(.labelstudio).utf8)).arrayValue?.first)
        let results = try #require(task["predictions"]?.arrayValue?.first?["result"]?.arrayValue)
        #expect(results.map { $0["value"]?["framesCount"] } == [.number(3), .number(3)])
        #expect(results.map { $0["value"]?["duration"] } == [.number(0.1), .number(0.1)])
        let sequence = try #require(results[0]["value"]?["sequence"]?.arrayValue)
        #expect(sequence.map { $0["frame"] } == [.number(1), .number(2)])
        #expect(sequence.map { $0["enabled"] } == [.bool(true), .bool(false)])
        #expect(sequence[0]["x"] == .number(17.5) && sequence[0]["height"] == .number(43.75))
        // From 3 pixels left of the picture: what is left of it is cut off.
        let van = try #require(results[1]["value"]?["sequence"]?.arrayValue)
        #expect(van.map { $0["frame"] } == [.number(2), .number(3)])
        #expect(van[0]["x"] == .number(0) && van[0]["width"] == .number(25.99975))
    }
}
