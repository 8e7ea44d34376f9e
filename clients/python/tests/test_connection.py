"""What the client does when something goes wrong between it and the server."""

from __future__ import annotations

import email.utils
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
import unittest
import uuid

import support
import lktrack
from lktrack import (
    Busy, Client, ConnectionFailed, InvalidRequest, Job, NotFound, StorageFull, TooLarge, WaitTimeout,
)

JOB = {"id": "0197c5a1-0000-7000-8000-000000000000", "status": "queued", "progress": {}, "error": None,
       "spec": {"targets": [{"id": "target-1"}]}}


def answer(status, document=None, **headers):
    body = json.dumps(document if document is not None else {"status": status, "detail": "so it is"}).encode()
    return status, {name.replace("_", "-"): value for name, value in headers.items()}, body


class RetryTests(support.TestCase):
    def setUp(self) -> None:
        self.clock = support.Clock()

    def client(self, fake, **options) -> Client:
        return self.open(fake.url, sleep=self.clock, **options)

    def test_a_submission_whose_answer_is_lost_is_sent_again_as_the_same_and_is_one_job(self):
        label = "lost-%s" % uuid.uuid4()

        def behave(number, request):
            # The server has done it; the client does not hear of it.
            done = support.forward(request)
            return None if number == 0 else done

        with support.Fake(behave) as fake:
            job = self.client(fake).submit(support.CLIP, support.CLIP_ROI, labels={"test": label}, stop_frame=1)
        first, second = fake.requests
        self.assertEqual(first.headers["idempotency-key"], second.headers["idempotency-key"])
        self.assertEqual(first.headers["content-type"], second.headers["content-type"])
        self.assertEqual(first.body, second.body)
        self.assertEqual(len(self.clock.waits), 1)
        self.assertEqual([job.id], [job.id for job in self.open(support.URL).jobs(labels={"test": label})])

    def test_each_submission_has_a_key_of_its_own_unless_it_is_given(self):
        with support.Fake(lambda number, request: answer(202, JOB)) as fake:
            client = self.client(fake)
            for key in (None, None, "mine", "mine"):
                client.submit(b"\0\0\0\x18ftyp", "1,2,30,40", idempotency_key=key)
        keys = [request.headers["idempotency-key"] for request in fake.requests]
        self.assertEqual(len(set(keys)), 3)
        self.assertEqual(keys[2:], ["mine", "mine"])
        self.assertEqual(fake.requests[2].body, fake.requests[3].body)

    def test_a_busy_server_is_waited_for_as_long_as_it_asks(self):
        date = email.utils.formatdate(time.time() + 20, usegmt=True)
        answers = [answer(429, Retry_After="7"), answer(503, Retry_After=date), answer(200, JOB)]
        with support.Fake(lambda number, request: answers[number]) as fake:
            self.assertEqual(self.client(fake).job(JOB["id"]).status, "queued")
        self.assertEqual(self.clock.waits[0], 7)
        self.assertTrue(15 < self.clock.waits[1] <= 20, self.clock.waits)

    def test_without_a_hint_the_waits_grow_and_then_the_error_is_raised(self):
        with support.Fake(lambda number, request: answer(503)) as fake:
            with self.assertRaises(Busy) as caught:
                self.client(fake, retries=4).job(JOB["id"])
        self.assertEqual(caught.exception.detail, "so it is")
        self.assertEqual(len(fake.requests), 5)
        for wait, longest in zip(self.clock.waits, (0.5, 1, 2, 4)):
            self.assertTrue(longest / 2 <= wait <= longest, self.clock.waits)

    def test_a_server_that_asks_for_too_much_patience_is_not_waited_for(self):
        with support.Fake(lambda number, request: answer(503, Retry_After="86400")) as fake:
            with self.assertRaises(Busy):
                self.client(fake).job(JOB["id"])
        self.assertEqual((len(fake.requests), self.clock.waits), (1, []))

    def test_what_a_retry_cannot_help_is_raised_at_once(self):
        for status, error in ((422, InvalidRequest), (404, NotFound), (507, StorageFull)):
            with support.Fake(lambda number, request: answer(status, Retry_After="1")) as fake:
                with self.assertRaises(error):
                    self.client(fake).job(JOB["id"])
            self.assertEqual(len(fake.requests), 1)
        self.assertEqual(self.clock.waits, [])

    def test_a_frame_that_takes_too_long_to_decode_is_not_asked_for_again(self):
        body = json.dumps({"type": "urn:lktrack:problem:decode-timeout", "detail": "so it is"}).encode()
        headers = {"Content-Type": "application/problem+json", "Retry-After": "60"}
        with support.Fake(lambda number, request: (503, headers, body)) as fake:
            with self.assertRaises(Busy):
                Job(self.client(fake), JOB).frame(59_999)
        self.assertEqual((len(fake.requests), self.clock.waits), (1, []))

    def test_a_submission_that_is_still_being_taken_is_waited_for(self):
        answers = [None, answer(409, Retry_After="1"), answer(202, JOB)]
        with support.Fake(lambda number, request: answers[number]) as fake:
            self.assertEqual(self.client(fake).submit(b"\0\0\0\x18ftyp", "1,2,30,40").id, JOB["id"])
        self.assertEqual(len(fake.requests), 3)

    def test_a_deletion_whose_answer_is_lost_is_done(self):
        answers = [None, answer(404)]
        with support.Fake(lambda number, request: answers[number]) as fake:
            Job(self.client(fake), JOB).delete()
        self.assertEqual([request.method for request in fake.requests], ["DELETE", "DELETE"])

    def test_an_idle_connection_that_the_server_closed_is_no_error(self):
        answers = [answer(200, JOB), None, answer(200, JOB)]
        with support.Fake(lambda number, request: answers[number]) as fake:
            client = self.client(fake)
            client.job(JOB["id"])
            client.job(JOB["id"])
        self.assertEqual((len(fake.requests), self.clock.waits), (3, []))

    def test_nobody_there(self):
        client = self.open("http://127.0.0.1:%d" % support.closed_port(), sleep=self.clock, retries=2)
        with self.assertRaises(ConnectionFailed) as caught:
            client.job(JOB["id"])
        self.assertIn("refused", str(caught.exception))
        self.assertEqual(len(self.clock.waits), 2)

    def test_an_answer_of_something_else_is_an_error_with_what_it_said(self):
        with support.Fake(lambda number, request: (502, {}, b"<html>Bad Gateway</html>")) as fake:
            with self.assertRaises(Busy) as caught:
                self.client(fake, retries=0).job(JOB["id"])
        self.assertIn("Bad Gateway", str(caught.exception))
        with support.Fake(lambda number, request: (200, {}, b"<html>Hello</html>")) as fake:
            with self.assertRaises(ConnectionFailed):
                self.client(fake).job(JOB["id"])

    def test_the_key_and_the_path_of_the_url_are_sent(self):
        with support.Fake(lambda number, request: answer(200, JOB)) as fake:
            self.open(fake.url + "/behind/", key="lkt_secret").job(JOB["id"])
        self.assertEqual(fake.requests[0].path, "/behind/v1/jobs/" + JOB["id"])
        self.assertEqual(fake.requests[0].headers["authorization"], "Bearer lkt_secret")
        for url in ("ftp://a", "", "http://"):
            with self.assertRaises(ValueError):
                Client(url)


class BrokenBodyTests(support.TestCase):
    """An answer that ends too early must not pass for a whole one, chunked or not."""

    RECORDS = b"".join(b'{"frame":%d,"targets":[]}\n' % number for number in range(3))

    def bodies(self):
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(line) + 1, line + b"\n") for line in self.RECORDS.splitlines())
        yield {"Content-Length": str(len(self.RECORDS))}, self.RECORDS, [10, 30, len(self.RECORDS) - 1]
        chunks += b"0\r\n\r\n"
        # In a chunk, between two, in a chunk's size, and before the last one.
        first = chunks.index(b"\r\n", 4) + 2
        yield {"Transfer-Encoding": "chunked"}, chunks, [10, first, first + 1, len(chunks) - 5]

    def test_results_are_fetched_again(self):
        for headers, body, cuts in self.bodies():
            for cut in cuts:
                clock = support.Clock()

                def behave(number, request):
                    return 200, dict(headers, **({"X-Cut-After": str(cut)} if number == 0 else {})), body

                with support.Fake(behave) as fake:
                    records = Job(self.open(fake.url, sleep=clock), JOB).results()
                self.assertEqual([record["frame"] for record in records], [0, 1, 2], (headers, cut))
                self.assertEqual(len(fake.requests), 2, (headers, cut))

    def test_records_one_by_one_end_with_an_error_and_files_are_not_left_in_pieces(self):
        for headers, body, cuts in self.bodies():
            for cut in cuts:
                with support.Fake(lambda number, request: (200, dict(headers, **{"X-Cut-After": str(cut)}), body)) as fake:
                    job = Job(self.open(fake.url, sleep=support.Clock(), retries=1), JOB)
                    with self.assertRaises(ConnectionFailed):
                        list(job.iter_results())
                    with tempfile.TemporaryDirectory() as folder:
                        with self.assertRaises(ConnectionFailed):
                            job.download(os.path.join(folder, "boxes"))
                        self.assertEqual(os.listdir(folder), [])


class EventTests(support.TestCase):
    def test_a_stream_that_breaks_is_taken_up_where_it_was(self):
        parts = [
            b': hello\n\nid: 1\nevent: status\ndata: {"status": "running"}\n\n'
            b'id: 2\nevent: progress\ndata: {"frames_done":\ndata: 5}\n\nid: 3\nevent: status\ndata: {"half":',
            b'id: 3\r\nevent: frame\r\ndata: {"frame": 7}\r\n\r\nevent: end\ndata: {"status": "succeeded"}\nid: 4\n\n'
            b'event: status\ndata: {"late": true}\n\n',
        ]

        def behave(number, request):
            headers = {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked"}
            body = b"%x\r\n%s\r\n" % (len(parts[number]), parts[number])
            # The first one breaks, the second ends well.
            return 200, dict(headers, **{"X-Cut-After": str(len(body))} if number == 0 else {}), body + b"0\r\n\r\n"

        with support.Fake(behave) as fake:
            events = list(Job(self.open(fake.url, sleep=support.Clock()), JOB).events(frames=True))
        self.assertEqual(
            [(event.type, event.data, event.id) for event in events], [
                ("status", {"status": "running"}, "1"), ("progress", {"frames_done": 5}, "2"),
                ("frame", {"frame": 7}, "3"), ("end", {"status": "succeeded"}, "4"),
            ])
        self.assertEqual([request.headers.get("last-event-id") for request in fake.requests], [None, "2"])
        self.assertTrue(all(request.path.endswith("/events?frames=true") for request in fake.requests))

    def test_a_server_without_events_is_asked_for_the_job_instead(self):
        states = ["queued", "running", "running", "succeeded"]
        gets = []

        def behave(number, request):
            if request.path.endswith("/events"):
                return answer(404)
            status = states[min(len(gets), 3)]
            gets.append(status)
            return answer(200, dict(JOB, status=status, progress={"frames_done": len(gets)}))

        clock = support.Clock()
        with support.Fake(behave) as fake:
            events = list(Job(self.open(fake.url, sleep=clock), JOB).events())
        self.assertEqual([event.type for event in events if event.type != "progress"],
                         ["status", "status", "status", "end"])
        self.assertEqual([event.data["frames_done"] for event in events if event.type == "progress"], [1, 2, 3, 4])
        self.assertEqual(clock.waits, [0.5] * 3)


class WaitTests(support.TestCase):
    def test_a_server_that_holds_requests_is_asked_once_for_each_change(self):
        states = ["queued", "running", "succeeded"]

        def behave(number, request):
            return answer(200, dict(JOB, status=states[number]), Preference_Applied="wait=30")

        clock = support.Clock()
        with support.Fake(behave) as fake:
            Job(self.open(fake.url, sleep=clock), JOB).wait()
        self.assertEqual([request.headers["prefer"] for request in fake.requests], ["wait=30"] * 3)
        self.assertEqual(clock.waits, [])

    def test_one_that_does_not_is_asked_less_and_less_often(self):
        def behave(number, request):
            return answer(200, dict(JOB, status="succeeded" if number == 20 else "running"))

        clock = support.Clock()
        with support.Fake(behave) as fake:
            Job(self.open(fake.url, sleep=clock), JOB).wait()
        self.assertEqual(clock.waits, sorted(clock.waits))
        self.assertEqual((clock.waits[0], clock.waits[-1]), Job.POLL)


class RenderingTests(support.TestCase):
    RENDERING = {"status": "rendering", "detail": "The video is being made."}

    def test_a_video_that_is_being_made_is_asked_for_again_and_never_saved_as_one(self):
        ended = dict(JOB, status="succeeded")
        for path, save in (
                ("/video", lambda job, path: job.video(path)),
                ("/video", lambda job, path: job.download(path, "video")),
                ("/targets/target-1/crops", lambda job, path: job.crops(path))):
            answers = [answer(202, self.RENDERING, Retry_After="3"), answer(202, self.RENDERING), (200, {}, b"a video")]
            clock = support.Clock()
            with support.Fake(lambda number, request: answers[number]) as fake:
                with tempfile.TemporaryDirectory() as folder:
                    file = os.path.join(folder, "out.mp4")
                    save(Job(self.open(fake.url, sleep=clock), ended), file)
                    with open(file, "rb") as video:
                        self.assertEqual(video.read(), b"a video")
            self.assertEqual(clock.waits, [3, 1])
            self.assertEqual([request.path for request in fake.requests], ["/v1/jobs/%s%s" % (JOB["id"], path)] * 3)

    def test_one_that_is_not_made_in_time_is_an_error_and_no_file(self):
        with support.Fake(lambda number, request: answer(202, self.RENDERING, Retry_After="1")) as fake:
            job = Job(self.open(fake.url, sleep=support.Clock()), dict(JOB, status="succeeded"))
            with tempfile.TemporaryDirectory() as folder:
                for save in (job.video, job.crops):
                    with self.assertRaises(WaitTimeout) as caught:
                        save(os.path.join(folder, "out.mp4"), timeout=0)
                    self.assertIn("still being made", str(caught.exception))
                self.assertEqual(os.listdir(folder), [])


class ResumeTests(support.TestCase):
    """Files that are sent as tus uploads."""

    SIZE = 9 << 20

    def setUp(self) -> None:
        self.file = tempfile.NamedTemporaryFile(suffix=".mp4")
        self.addCleanup(self.file.close)
        with open(support.CLIP, "rb") as clip:
            self.file.write(clip.read())
        self.file.truncate(self.SIZE)
        self.clock = support.Clock()

    def test_a_large_file_is_one_upload_and_one_job(self):
        steps = []
        client = self.open(support.URL)
        job = client.submit(
            self.file.name, support.CLIP_ROI, stop_frame=1, progress=lambda sent, total: steps.append((sent, total)))
        self.assertEqual(job.document["source"]["bytes"], self.SIZE)
        self.assertEqual(steps[-1], (self.SIZE, self.SIZE))
        self.assertEqual(steps, sorted(steps))
        small = client.submit(support.CLIP, support.CLIP_ROI, stop_frame=1)
        self.assertLess(small.document["source"]["bytes"], lktrack._RESUMED_ABOVE)

    def test_after_a_cut_line_it_goes_on_where_it_was(self):
        """The server hears of the first bytes only: twice the line is cut."""
        cuts = [1 << 20, 3 << 20]
        received = bytearray()

        def behave(number, request):
            if request.method == "POST" and request.path == "/v1/uploads":
                return 201, {"Location": "/v1/uploads/u-1"}, b""
            if request.method == "HEAD":
                return 200, {"Upload-Offset": str(len(received)), "Content-Length": "0"}, b""
            if request.method == "PATCH":
                self.assertEqual(int(request.headers["upload-offset"]), len(received))
                if cuts:
                    received.extend(request.body[:cuts.pop(0)])
                    return None
                received.extend(request.body)
                return 204, {"Upload-Offset": str(len(received))}, b""
            return answer(202, JOB)

        steps = []
        with support.Fake(behave) as fake:
            # A limit of one: what came through in between makes the count begin anew.
            client = self.open(fake.url, sleep=self.clock, retries=1)
            client.submit(self.file.name, "1,2,30,40", progress=lambda sent, total: steps.append((sent, total)))
        with open(self.file.name, "rb") as file:
            self.assertEqual(bytes(received), file.read())
        self.assertEqual([request.method for request in fake.requests],
                         ["POST", "PATCH", "HEAD", "PATCH", "HEAD", "PATCH", "POST"])
        self.assertTrue(all(request.headers.get("tus-resumable") == "1.0.0" for request in fake.requests[:-1]))
        self.assertEqual(len(self.clock.waits), 2)
        self.assertEqual(json.loads(fake.requests[-1].body.decode())["source"], {"upload": "u-1"})
        # The bar goes on from what the server has, and not from 0.
        begun = [sent for (last, _), (sent, _) in zip(steps, steps[1:]) if sent < last]
        self.assertEqual(len(begun), 2)
        self.assertTrue(begun[0] > 1 << 20 and begun[1] > 4 << 20, begun)
        self.assertEqual(steps[-1], (self.SIZE, self.SIZE))

    def test_a_line_that_lets_nothing_through_is_given_up(self):
        def behave(number, request):
            if request.method == "POST":
                return 201, {"Location": "/v1/uploads/u-1"}, b""
            return (200, {"Upload-Offset": "0", "Content-Length": "0"}, b"") if request.method == "HEAD" else None

        with support.Fake(behave) as fake:
            with self.assertRaises(ConnectionFailed):
                self.open(fake.url, sleep=self.clock, retries=2).submit(self.file.name, "1,2,30,40")
        self.assertEqual([request.method for request in fake.requests].count("PATCH"), 3)

    def test_a_real_server_gets_the_rest_of_a_cut_upload(self):
        cut = []

        def behave(number, request):
            if request.method == "PATCH" and not cut:
                cut.append(number)
                request.body = request.body[:2 << 20]
                request.headers["content-length"] = str(len(request.body))
                support.forward(request)
                return None
            return support.forward(request)

        with support.Fake(behave) as fake:
            job = self.open(fake.url, sleep=self.clock).submit(self.file.name, support.CLIP_ROI, stop_frame=1)
        self.assertEqual(job.document["source"]["bytes"], self.SIZE)
        offsets = [int(request.headers["upload-offset"]) for request in fake.requests if request.method == "PATCH"]
        self.assertEqual(offsets, [0, 2 << 20])
        with open(self.file.name, "rb") as file:
            self.assertEqual(job.document["source"]["sha256"], hashlib.sha256(file.read()).hexdigest())

    def test_a_refused_job_leaves_no_upload_behind(self):
        def behave(number, request):
            return support.forward(request)

        with support.Fake(behave) as fake:
            client = self.open(fake.url, sleep=self.clock)
            with self.assertRaises(InvalidRequest):
                client.submit(self.file.name, "1,2,1,1")
            path = [request.path for request in fake.requests if request.method == "DELETE"]
            self.assertEqual(len(path), 1)
            with self.assertRaises(NotFound):
                client._json("GET", path[0], headers={"Tus-Resumable": "1.0.0"})

    def test_a_key_of_ones_own_names_the_content_and_makes_one_job(self):
        client = self.open(support.URL)
        key = "own-%s" % uuid.uuid4()
        jobs = [client.submit(self.file.name, support.CLIP_ROI, stop_frame=1, idempotency_key=key) for _ in range(2)]
        self.assertEqual(jobs[0].id, jobs[1].id)


class UploadTests(support.TestCase):
    def test_an_upload_that_is_refused_before_its_end_is_told_why(self):
        with tempfile.NamedTemporaryFile() as file:
            with open(support.CLIP, "rb") as clip:
                file.write(clip.read())
            file.truncate(48 << 20)
            with self.assertRaises(TooLarge) as caught:
                self.open(support.LIMITED_URL).submit(file.name, "1,2,30,40")
        self.assertEqual(caught.exception.status, 413)
        self.assertIn("1000000", caught.exception.detail)

    def test_a_large_file_is_sent_from_the_disk_and_not_from_memory(self):
        size = 192 << 20
        with tempfile.NamedTemporaryFile() as file:
            with open(support.CLIP, "rb") as clip:
                file.write(clip.read())
            file.truncate(size)
            # In a process of its own: a peak never falls.
            script = (
                "import resource, sys; sys.path.insert(0, sys.argv[3]); import lktrack\n"
                "client = lktrack.Client(sys.argv[1]); before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
                "job = client.submit(sys.argv[2], '1,2,30,40', stop_frame=1)\n"
                "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, job.document['source']['bytes'])\n"
                "job.delete()\n")
            folder = os.path.dirname(os.path.abspath(sys.modules["lktrack"].__file__))
            output = subprocess.run(
                [sys.executable, "-c", script, support.URL, file.name, folder], check=True, stdout=subprocess.PIPE)
            growth, received = output.stdout.split()
        self.assertEqual(int(received), size)
        self.assertLess(int(growth), 16 * 1024, "KiB")


if __name__ == "__main__":
    unittest.main()
