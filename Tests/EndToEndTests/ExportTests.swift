import Foundation
import Testing

/// Every format, read by a program that nobody here wrote, and compared with the NDJSON.
@Suite("Exports read by other tools")
struct ExportTests {
    /// What each reader starts with: `frames` is the NDJSON, `path(format)` a file.
    private static let prelude = """
        import json, sys
        folder = sys.argv[1]
        path = lambda format: folder + "/" + format
        frames = [json.loads(line) for line in open(path("ndjson"))]
        ids = ["car", "bus", "late"]
        seen = lambda target: target["state"] in ("tracked", "coasting")

        def same(found, expected, tolerance=0.00051):
            assert len(found) == len(expected), (found, expected)
            for a, b in zip(found, expected):
                assert abs(float(a) - float(b)) <= tolerance, (found, expected)

        def targets():
            for frame in frames:
                for target in frame["targets"]:
                    yield frame, target

        """

    private func read(_ script: String) throws {
        let job = try ExportedJob.shared.get()
        let output = try Python.run(Self.prelude + script, job.folder.url.path)
        #expect(output.status == 0, "\(output.standardError.suffix(2_000))")
        #expect(output.text.hasSuffix("read\n"))
    }

    @Test("the job has a target that is lost and one that starts later, or there would be nothing to compare")
    func material() throws {
        try read(
            """
            assert len(frames) == \(ExportedJob.frames)
            states = {id: [t["state"] for f in frames for t in f["targets"] if t["id"] == id] for id in ids}
            assert set(states["car"]) == {"tracked"}, states["car"]
            assert "lost" in states["bus"][\(ExportedJob.lostFrom):], states["bus"]
            assert len(states["late"]) == \(ExportedJob.frames - ExportedJob.lateFrom), states["late"]
            print("read")
            """)
    }

    @Test("MOT, by motmetrics: boxes, frames, numbers and confidences; a lost target's confidence is 0")
    func mot() throws {
        try read(
            """
            import motmetrics
            table = motmetrics.io.loadtxt(path("mot"), fmt="mot15-2D", min_confidence=-1)
            count = 0
            for frame, target in targets():
                row = table.loc[(frame["frame"] + 1, ids.index(target["id"]) + 1)]
                same([row.X, row.Y, row.Width, row.Height], target["box"])
                same([row.Confidence], [target["confidence"] if seen(target) else 0])
                count += 1
            assert len(table) == count
            # By default it leaves out what has no confidence.
            default = motmetrics.io.loadtxt(path("mot"), fmt="mot15-2D", min_confidence=1e-9)
            assert len(default) == sum(1 for _, target in targets() if seen(target) and target["confidence"] > 0)
            print("read")
            """)
    }

    @Test("COCO-VID, by pycocotools: an image for every frame, an annotation for every target that is seen")
    func coco() throws {
        try read(
            """
            from pycocotools.coco import COCO
            coco = COCO(path("coco"))
            assert [image["frame_id"] for image in coco.dataset["images"]] == [f["frame"] for f in frames]
            assert all((i["width"], i["height"]) == (480, 240) for i in coco.dataset["images"])
            assert [i["name"] for i in coco.dataset["instances"]] == ids
            assert [v["id"] for v in coco.dataset["videos"]] == [1]
            count = 0
            for frame, target in targets():
                number = ids.index(target["id"]) + 1
                found = [a for a in coco.loadAnns(coco.getAnnIds(imgIds=[frame["frame"] + 1]))
                         if a["instance_id"] == number]
                assert len(found) == (1 if seen(target) else 0), (frame["frame"], target)
                if found:
                    same(found[0]["bbox"], target["box"])
                    same([found[0]["area"]], [target["box"][2] * target["box"][3]], 0.001)
                    same([found[0]["score"]], [target["confidence"]], 1e-6)
                    assert found[0]["video_id"] == 1 and coco.loadCats(found[0]["category_id"])
                    count += 1
            assert len(coco.getAnnIds()) == count
            print("read")
            """)
    }

    @Test("CVAT, by Datumaro: a box for every frame and target, outside where it is lost")
    func cvat() throws {
        try read(
            """
            from datumaro import AnnotationType, Dataset
            dataset = Dataset.import_from(path("dataset"), "cvat")
            labels = [label.name for label in dataset.categories()[AnnotationType.label]]
            assert labels == ids, labels
            boxes = {}
            for item in dataset:
                for box in item.annotations:
                    boxes[(item.attributes["frame"], labels[box.label])] = box
            count = 0
            for frame, target in targets():
                box = boxes[(frame["frame"], target["id"])]
                assert box.attributes["track_id"] == ids.index(target["id"])
                assert box.attributes["outside"] == (not seen(target)), (frame["frame"], target)
                assert box.attributes["occluded"] == (target["state"] == "coasting")
                assert box.attributes["keyframe"]
                same([box.x, box.y, box.w, box.h], target["box"], 0.011)
                count += 1
            assert len(boxes) == count
            print("read")
            """)
    }

    @Test("CVAT's tracks of a job with a stop_frame, by Datumaro: each ends outside, on the frame after")
    func cvatStopped() throws {
        try read(
            """
            from datumaro import AnnotationType, Dataset
            dataset = Dataset.import_from(path("stopped"), "cvat")
            labels = [label.name for label in dataset.categories()[AnnotationType.label]]
            boxes = {id: {} for id in ids}
            for item in dataset:
                for box in item.annotations:
                    boxes[labels[box.label]][item.attributes["frame"]] = box
            stop = \(ExportedJob.stop)
            for id in ids:
                first = \(ExportedJob.lateFrom) if id == "late" else 0
                assert sorted(boxes[id]) == list(range(first, stop + 1)), sorted(boxes[id])
                for frame, box in boxes[id].items():
                    assert box.attributes["outside"] == (frame == stop), (id, frame)
                last, closing = boxes[id][stop - 1], boxes[id][stop]
                same([closing.x, closing.y, closing.w, closing.h], [last.x, last.y, last.w, last.h])
            print("read")
            """)
    }

    @Test("Label Studio, by its own SDK: it takes the task, and shows each target in the frames in which it is seen")
    func labelStudio() throws {
        try read(
            """
            from label_studio_sdk.label_interface import LabelInterface
            from label_studio_sdk._extensions.label_studio_tools.postprocessing.video import extract_key_frames
            interface = LabelInterface('''<View><Video name="video" value="$video"/>
                <VideoRectangle name="box" toName="video"/>
                <Labels name="labels" toName="video"><Label value="car"/><Label value="bus"/><Label value="late"/></Labels>
                </View>''')
            [task] = json.load(open(path("labelstudio")))
            # Of a task with predictions, the SDK takes the two one by one.
            assert interface.validate_task({"data": task["data"]})
            [prediction] = task["predictions"]
            errors = interface.validate_prediction(prediction, return_errors=True)
            assert not errors, errors
            results = extract_key_frames(prediction["result"])
            assert [result["id"] for result in results] == ids
            for result in results:
                assert result["value"]["labels"] == [result["id"]]
                assert result["value"]["framesCount"] == len(frames)
                same([result["value"]["duration"]], [len(frames) / 25], 1e-3)
                shown = {}
                for element in result["value"]["sequence"]:
                    shown[element["frame"]] = element
                expected = {}
                for frame, target in targets():
                    if target["id"] == result["id"] and seen(target):
                        expected[frame["frame"] + 1] = (frame, target["box"])
                assert shown.keys() == expected.keys(), (result["id"], shown.keys() ^ expected.keys())
                for number, (frame, (x, y, width, height)) in expected.items():
                    element = shown[number]
                    left, right = max(x, 0), min(x + width, 480)
                    top, bottom = max(y, 0), min(y + height, 240)
                    same([element["x"] * 4.8, element["width"] * 4.8], [left, right - left], 0.001)
                    same([element["y"] * 2.4, element["height"] * 2.4], [top, bottom - top], 0.001)
                    same([element["time"]], [frame["time"]], 1e-6)
            print("read")
            """)
    }

    @Test("WebVTT, by webvtt-py: a cue for every frame, from its time to the next, with the frame's JSON")
    func vtt() throws {
        try read(
            """
            import webvtt
            captions = webvtt.read(path("vtt")).captions
            assert len(captions) == len(frames)
            seconds = lambda time: int(time[:2]) * 3600 + int(time[3:5]) * 60 + float(time[6:])
            for index, (caption, frame) in enumerate(zip(captions, frames)):
                assert json.loads(caption.text) == frame
                assert caption.identifier == str(frame["frame"])
                following = frames[index + 1]["time"] if index + 1 < len(frames) else frame["time"] + 0.04
                same([seconds(caption.start), seconds(caption.end)], [frame["time"], following], 0.00051)
            print("read")
            """)
    }

    @Test("CSV, by pandas and by Python's csv: every value of every row")
    func csv() throws {
        try read(
            """
            import csv, pandas
            table = pandas.read_csv(path("csv"))
            rows = list(csv.DictReader(open(path("csv"), newline="")))
            expected = list(targets())
            assert len(table) == len(rows) == len(expected)
            for (frame, target), row, plain in zip(expected, table.itertuples(), rows):
                assert (row.frame, row.pts, row.target, row.state) == (
                    frame["frame"], frame["pts"], target["id"], target["state"])
                assert bool(row.keyframe) == target["keyframe"] and row.iterations == target["iterations"]
                same([row.time], [frame["time"]], 1e-9)
                same([row.x, row.y, row.width, row.height], target["box"], 1e-9)
                same([row.x1, row.y1, row.x2, row.y2, row.x3, row.y3, row.x4, row.y4], target["quad"], 1e-9)
                same([row.a, row.b, row.tx, row.c, row.d, row.ty], target["affine"], 1e-9)
                same([row.confidence, row.zncc, row.residual],
                     [target["confidence"], target["zncc"], target["residual"]], 1e-9)
                for name in ("peak_ratio", "forward_backward"):
                    assert (plain[name] == "") == (name not in target), (plain, target)
            print("read")
            """)
    }

    @Test("OTB lines, by NumPy; JSON, by Python's own reader")
    func others() throws {
        try read(
            """
            import numpy
            lines = numpy.loadtxt(path("otb"), delimiter=",")
            boxes = [target["box"] for _, target in targets() if target["id"] == "car"]
            assert lines.shape == (len(frames), 4)
            for line, box in zip(lines, boxes):
                same(line, box, 1e-9)
            document = json.load(open(path("json")))
            assert document["frames"] == frames
            assert [target["id"] for target in document["spec"]["targets"]] == ids
            print("read")
            """)
    }
}
