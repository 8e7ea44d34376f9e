"""The way of a job, against a real server."""

from __future__ import annotations

import io
import json
import math
import os
import shutil
import tarfile
import tempfile
import unittest
import urllib.request

import support
from lktrack import Conflict, InvalidRequest, Job, JobFailed, NotFound, SourceError, WaitTimeout

try:
    import numpy
except ImportError:
    numpy = None


class JobTests(support.TestCase):
    def setUp(self) -> None:
        self.client = self.open(support.URL)

    def finished(self, source, rois=support.CLIP_ROI, **options) -> Job:
        return self.client.submit(source, rois, **options).wait(timeout=120)


class WholeWayTests(JobTests):
    def test_a_video_gets_a_record_for_every_frame_as_the_server_sends_it(self):
        seen = []
        job = self.client.submit(support.CLIP, support.CLIP_ROI, labels={"test": "whole-way"})
        self.assertFalse(job.done)
        job.wait(timeout=120, progress=lambda job: seen.append(job.status))
        self.assertEqual(job.status, "succeeded")
        self.assertEqual(seen[-1], "succeeded")
        records = job.results()
        self.assertEqual([record["frame"] for record in records], list(range(int(support.CLIP_FRAMES))))
        with urllib.request.urlopen("%s/v1/jobs/%s/results?format=ndjson" % (support.URL, job.id)) as answer:
            self.assertEqual(records, [json.loads(line) for line in answer])
        self.assertEqual(records, list(job.iter_results()))
        self.assertEqual([record["frame"] for record in job.results(start=2, stop=4)], [2, 3])
        self.assertEqual(self.client.job(job.id).document, job.document)

    def test_boxes_are_rows_of_targets_in_the_order_they_were_given(self):
        x, y, width, height = (float(side) for side in support.CLIP_ROI.split(","))
        job = self.finished(
            support.CLIP, (), stop_frame=6, targets=[
                {"id": "late", "box": [x, y, width, height], "start_frame": 3},
                {"id": "first", "box": [x, y, width, height]},
            ])
        self.assertEqual(job.targets, ["late", "first"])
        boxes = job.boxes()
        self.assertEqual([len(row) for row in boxes], [2] * 6)
        # The target that is not there yet.
        for row in boxes[:3]:
            self.assertTrue(all(math.isnan(side) for side in row[0]))
        for expected, side in zip((x, y, width, height), boxes[3][0]):
            self.assertAlmostEqual(side, expected, places=2)
        for record, row in zip(job.results(), boxes):
            target = [target for target in record["targets"] if target["id"] == "first"][0]
            self.assertEqual(row[1], target["box"])

    def test_a_lost_target_has_no_box(self):
        images = sorted(os.listdir(os.path.join(support.FOLDER, "img")))
        first = os.path.join(support.FOLDER, "img", images[0])
        frames = [first] * 3 + [_black_png(first)] * 20
        job = self.finished(frames, support.FOLDER_ROI, tracker="template", on_lost="stop")
        states = [record["targets"][0]["state"] for record in job.results()]
        boxes = job.boxes()
        self.assertIn("lost", states)
        for state, row in zip(states, boxes):
            self.assertEqual(math.isnan(row[0][0]), state in ("lost", "out_of_frame"), states)

    def test_an_array_needs_numpy_and_equals_the_boxes(self):
        job = self.finished(support.CLIP, [support.CLIP_ROI, support.CLIP_ROI], stop_frame=5)
        if numpy is None:
            with self.assertRaises(ImportError):
                job.array()
            return
        array = job.array()
        self.assertEqual(array.shape, (5, 2, 4))
        self.assertEqual(array.dtype, numpy.float64)
        numpy.testing.assert_array_equal(array, numpy.array(job.boxes()))

    def test_jobs_are_listed_page_by_page_and_by_label(self):
        label = {"test": "list-%d" % os.getpid()}
        ids = [self.client.submit(support.CLIP, support.CLIP_ROI, labels=label, stop_frame=1).id for _ in range(3)]
        self.assertEqual([job.id for job in self.client.jobs(labels=label)], ids[::-1])
        self.assertEqual([job.id for job in self.client.jobs(labels=label, limit=2)], ids[:0:-1])
        # Every page of one.
        pages = list(self.client._pages([("limit", "1"), ("label.test", label["test"])]))
        self.assertEqual([[document["id"] for document in page] for page in pages], [[id] for id in ids[::-1]])

    def test_a_video_can_be_tracked_again_by_its_job(self):
        first = self.finished(support.CLIP, stop_frame=8)
        again = self.finished(first, stop_frame=8)
        self.assertNotEqual(first.id, again.id)
        self.assertEqual(again.results(), first.results())

    def test_a_job_is_corrected_by_its_job_with_more_keyframes_than_a_url_holds(self):
        first = self.finished(support.CLIP, stop_frame=6)
        box = [float(side) for side in support.CLIP_ROI.split(",")]
        keyframes = [{"frame": frame, "box": box} for frame in range(1, int(support.CLIP_FRAMES))]
        target = {"id": "car", "box": box, "keyframes": keyframes, "start_frame": 0}
        targets = [dict(target, id="car-%d" % number) for number in range(12)]
        self.assertGreater(len(json.dumps(targets)), 16 * 1024)
        again = self.finished(
            first, (), targets=targets, spec={"tracker": {"mode": "template"}}, motion="translation",
            labels={"test": "corrected"}, video="mp4", priority="3")
        spec = again.document["spec"]
        self.assertEqual([len(target["keyframes"]) for target in spec["targets"]], [len(keyframes)] * 12)
        self.assertEqual((spec["tracker"]["mode"], spec["tracker"]["motion"]), ("template", "translation"))
        self.assertEqual((spec["labels"], spec["output"]["video"], spec["priority"]), ({"test": "corrected"}, "mp4", 3))
        # The same by a form.
        form = self.finished(support.CLIP, (), targets=targets, tracker="template", motion="translation")
        self.assertEqual(form.results(), again.results())

    def test_what_is_said_twice_is_a_mistake(self):
        for arguments in (
                dict(rois=support.CLIP_ROI, targets=[]), dict(rois=support.CLIP_ROI, spec={"targets": []}),
                dict(spec={"stop_frame": 3}, stop_frame=4), dict(spec={"labels": {"a": "1"}}, labels={"a": "2"}),
                dict(tracker={"motion": "affine"}, motion="similarity"), dict(spec={"output": 3}, video="mp4")):
            with self.assertRaises(ValueError, msg=str(arguments)):
                self.client.submit(support.CLIP, **arguments)

    def test_a_video_and_crops_that_were_not_asked_for_are_waited_for(self):
        job = self.finished(support.CLIP, stop_frame=6)
        self.assertEqual(job.document["spec"]["output"]["video"], "none")
        with tempfile.TemporaryDirectory() as folder:
            for name, save in (("video.mp4", job.video), ("crops.mp4", job.crops)):
                path = os.path.join(folder, name)
                save(path)
                with open(path, "rb") as video:
                    self.assertEqual(video.read()[4:8], b"ftyp", name)
            memory = io.BytesIO()
            self.finished(support.CLIP, stop_frame=2).crops(memory, "target-1")
            self.assertEqual(memory.getvalue()[4:8], b"ftyp")
            with self.assertRaises(NotFound):
                job.crops(os.path.join(folder, "none"), "none")
            self.assertEqual(sorted(os.listdir(folder)), ["crops.mp4", "video.mp4"])
        several = self.client.submit(support.CLIP, [support.CLIP_ROI] * 2, stop_frame=1)
        with self.assertRaises(ValueError):
            several.crops(io.BytesIO())

    def test_a_frame_is_the_picture_that_was_tracked_on(self):
        job = self.finished(support.FOLDER, support.FOLDER_ROI, stop_frame=1)
        self.assertEqual(job.frame(0)[:8], b"\x89PNG\r\n\x1a\n")
        self.assertEqual(job.frame(0, "jpeg")[:2], b"\xff\xd8")
        with self.assertRaises(NotFound):
            job.frame(10 ** 6)

    def test_who_was_called_back(self):
        self.assertEqual(self.finished(support.CLIP, stop_frame=1).deliveries(), [])

    def test_boxes_are_judged_on_an_image_and_on_a_frame_of_a_job(self):
        images = os.path.join(support.FOLDER, "img")
        path = os.path.join(images, sorted(os.listdir(images))[0])
        by_path = self.client.trackability(path, support.FOLDER_ROI)
        self.assertEqual(len(by_path), 1)
        self.assertIn("verdict", by_path[0])
        with open(path, "rb") as file:
            self.assertEqual(self.client.trackability(file.read(), [support.FOLDER_ROI]), by_path)
        job = self.finished(support.FOLDER, support.FOLDER_ROI, stop_frame=1)
        self.assertEqual(self.client.trackability(job, support.FOLDER_ROI, frame=0), by_path)
        with self.assertRaises(SourceError):
            self.client.trackability(os.path.join(images, "none.png"), support.FOLDER_ROI)

    def test_files_are_saved_whole(self):
        job = self.finished(support.CLIP, stop_frame=6, video="mp4")
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "boxes.csv")
            job.download(path, format="csv")
            with open(path, encoding="utf-8") as file:
                lines = file.read().splitlines()
            self.assertEqual(len(lines), 7)
            self.assertTrue(lines[0].startswith("frame,"))
            job.download(os.path.join(folder, "out.mp4"), "video")
            job.download(os.path.join(folder, "source"), "source")
            with open(os.path.join(folder, "source"), "rb") as sent, open(support.CLIP, "rb") as original:
                self.assertEqual(sent.read(), original.read())
            with open(os.path.join(folder, "out.mp4"), "rb") as video:
                self.assertEqual(video.read()[4:8], b"ftyp")
            with self.assertRaises(OSError):
                job.download(os.path.join(folder, "none", "boxes.csv"), format="csv")
            self.assertEqual(sorted(os.listdir(folder)), ["boxes.csv", "out.mp4", "source"])
        memory = io.BytesIO()
        job.download(memory, format="otb")
        self.assertEqual(len(memory.getvalue().splitlines()), 6)

    def test_events_end_with_the_end(self):
        job = self.client.submit(support.CLIP, support.CLIP_ROI)
        events = list(job.events())
        self.assertEqual(events[-1].type, "end")
        self.assertIn("status", [event.type for event in events])
        self.assertEqual([event.type for event in events].count("end"), 1)
        self.assertEqual(job.refresh().status, "succeeded")


class SourceTests(JobTests):
    """One result, however the frames come."""

    def setUp(self) -> None:
        super().setUp()
        self.images = os.path.join(support.FOLDER, "img")
        names = sorted(os.listdir(self.images))
        self.paths = [os.path.join(self.images, name) for name in names]
        self.expected = self.finished(support.FOLDER, support.FOLDER_ROI).boxes()
        self.assertEqual(len(self.expected), int(support.FOLDER_FRAMES))

    def test_a_folder_of_images(self):
        self.assertEqual(self.finished(self.images, support.FOLDER_ROI).boxes(), self.expected)

    def test_a_list_of_paths_keeps_its_order_whatever_the_names_are(self):
        with tempfile.TemporaryDirectory() as folder:
            renamed = []
            for number, path in enumerate(self.paths):
                renamed.append(os.path.join(folder, "%d.png" % (len(self.paths) - number)))
                shutil.copy(path, renamed[-1])
            self.assertEqual(self.finished(renamed, support.FOLDER_ROI).boxes(), self.expected)

    def test_a_list_of_bytes(self):
        frames = []
        for path in self.paths:
            with open(path, "rb") as file:
                frames.append(file.read())
        self.assertEqual(self.finished(frames, support.FOLDER_ROI).boxes(), self.expected)

    def test_an_archive_as_a_file_and_as_bytes(self):
        memory = io.BytesIO()
        with tarfile.open(fileobj=memory, mode="w") as archive:
            archive.add(self.images, "img")
        self.assertEqual(self.finished(memory.getvalue(), support.FOLDER_ROI).boxes(), self.expected)
        with tempfile.NamedTemporaryFile(suffix=".tar") as file:
            file.write(memory.getvalue())
            file.flush()
            self.assertEqual(self.finished(file.name, support.FOLDER_ROI).boxes(), self.expected)

    def test_the_bytes_of_a_video(self):
        with open(support.CLIP, "rb") as file:
            job = self.finished(memoryview(file.read()), stop_frame=4)
        self.assertEqual(job.boxes(), self.finished(support.CLIP, stop_frame=4).boxes())

    def test_boxes_as_numbers_and_as_text(self):
        numbers = [float(side) for side in support.FOLDER_ROI.split(",")]
        for rois in (numbers, [numbers], (tuple(numbers),), [support.FOLDER_ROI]):
            job = self.finished(self.paths[:2], rois)
            self.assertEqual(len(job.targets), 1)
            self.assertEqual(job.boxes(), self.expected[:2])
        with self.assertRaises(ValueError):
            self.client.submit(self.paths[:2], [(1, 2, 3)])
        with self.assertRaises(ValueError):
            self.client.submit(self.paths[:2], [(1, 2, 3, math.nan)])

    def test_what_cannot_be_read_is_said_before_anything_is_sent(self):
        with tempfile.TemporaryDirectory() as folder:
            for source in (folder, os.path.join(folder, "none.mp4"), [], [os.path.join(folder, "none.png")]):
                with self.assertRaises(SourceError):
                    self.client.submit(source, "1,2,30,40")

    def test_a_name_that_needs_quoting(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'a "b"\r\nc ü.avi')
            shutil.copy(support.CLIP, path)
            job = self.finished(path, stop_frame=1)
            self.assertEqual(job.status, "succeeded")

    def test_the_upload_reports_how_far_it_is(self):
        steps = []
        self.client.submit(support.CLIP, support.CLIP_ROI, progress=lambda sent, total: steps.append((sent, total)))
        self.assertEqual(steps[-1][0], steps[-1][1])
        self.assertEqual(steps, sorted(steps))
        self.assertGreater(steps[-1][1], os.path.getsize(support.CLIP))


class EndTests(JobTests):
    def test_a_job_that_fails_raises_with_its_code(self):
        job = self.client.submit(support.CLIP, "5000,5000,20,20")
        with self.assertRaises(JobFailed) as caught:
            job.wait(timeout=120)
        self.assertEqual(caught.exception.code, "invalid_spec")
        self.assertIs(caught.exception.job, job)
        self.assertIn("invalid_spec", str(caught.exception))
        self.assertEqual(job.wait(check=False).status, "failed")

    def test_a_spec_that_is_wrong_raises_the_problem_with_its_fields(self):
        with self.assertRaises(InvalidRequest) as caught:
            self.client.submit(support.CLIP, ["1,2,30,40", "1,2,1,1"], gamma=-1)
        error = caught.exception
        self.assertEqual(error.status, 422)
        self.assertEqual(error.kind, "invalid")
        pointers = [field["pointer"] for field in error.errors]
        self.assertIn("#/targets/1/box", pointers)
        self.assertIn("#/tracker/gamma", pointers)
        self.assertTrue(error.request_id)
        for text in pointers + [error.request_id]:
            self.assertIn(text, str(error))

    def test_a_job_that_is_not_there(self):
        with self.assertRaises(NotFound):
            self.client.job("0197c5a1-0000-7000-8000-000000000000")
        with self.assertRaises(InvalidRequest):
            self.client.job("../../healthz")
        job = self.finished(support.CLIP, stop_frame=1)
        job.delete()
        for action in (job.refresh, job.delete, job.results, lambda: list(job.events())):
            with self.assertRaises(NotFound):
                action()

    def test_a_job_is_canceled_once(self):
        job = self.client.submit(support.CLIP, [support.CLIP_ROI] * 40)
        with self.assertRaises(WaitTimeout) as caught:
            job.wait(timeout=0)
        self.assertIs(caught.exception.job, job)
        job.cancel()
        self.assertEqual(job.wait(timeout=60, check=False).status, "canceled")
        with self.assertRaises(JobFailed):
            job.wait()
        ended = self.finished(support.CLIP, stop_frame=1)
        with self.assertRaises(Conflict):
            ended.cancel()

    def test_a_server_that_is_ready_says_so(self):
        self.assertTrue(self.client.is_ready())
        self.assertFalse(self.open("http://127.0.0.1:%d" % support.closed_port()).is_ready())


def _black_png(like: str) -> bytes:
    """A black picture of the same size as a PNG."""
    import struct
    import zlib

    with open(like, "rb") as file:
        head = file.read(24)
    width, height = struct.unpack(">II", head[16:24])

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + bytes(width)) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


if __name__ == "__main__":
    unittest.main()
