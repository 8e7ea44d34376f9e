"""The client as a program."""

from __future__ import annotations

import ast
import json
import os
import pty
import stat
import subprocess
import sys
import tempfile
import threading
import unittest

import support
import lktrack

PROGRAM = os.path.abspath(lktrack.__file__)


def run(*arguments, url=support.URL):
    environment = dict(os.environ, LKTRACK_URL=url, PYTHONDONTWRITEBYTECODE="1")
    result = subprocess.run(
        [sys.executable, "-W", "error", PROGRAM, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=environment, stdin=subprocess.DEVNULL)
    return result.returncode, result.stdout.decode(), result.stderr.decode()


class CommandTests(unittest.TestCase):
    def test_submit_and_wait_prints_the_results(self):
        status, output, error = run(
            "submit", support.CLIP, "--roi", support.CLIP_ROI, "--wait", "--format", "csv", "--set", "stop_frame=5")
        self.assertEqual(status, 0, error)
        self.assertEqual(len(output.splitlines()), 6)
        self.assertTrue(output.startswith("frame,"))
        # No terminal: no bar.
        self.assertNotIn("\r", error)

    def test_a_job_step_by_step(self):
        status, output, error = run(
            "submit", support.CLIP, "--roi", support.CLIP_ROI, "--label", "test=command-%d" % os.getpid(),
            "--spec", '{"stop_frame": 5}')
        self.assertEqual(status, 0, error)
        job = output.strip()
        self.assertEqual(run("wait", job)[:2], (0, "succeeded\n"))
        self.assertEqual(json.loads(run("status", job)[1])["id"], job)
        listed = run("list", "--label", "test=command-%d" % os.getpid(), "--status", "succeeded")[1]
        self.assertEqual(listed.split()[0], job)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "boxes.txt")
            self.assertEqual(run("results", job, "--format", "otb", "--output", path)[0], 0)
            with open(path, encoding="ascii") as file:
                self.assertEqual(len(file.readlines()), 5)
        events = [json.loads(line) for line in run("events", job)[1].splitlines()]
        self.assertEqual(events[-1]["event"], "end")
        status, _, error = run("cancel", job)
        self.assertEqual(status, lktrack.EXIT_REFUSED)
        self.assertIn("409", error)
        self.assertEqual(run("delete", job)[0], 0)
        self.assertEqual(run("status", job)[0], lktrack.EXIT_REFUSED)

    def test_what_a_job_has_beside_its_results(self):
        job = run("submit", support.CLIP, "--roi", support.CLIP_ROI, "--set", "stop_frame=5")[1].strip()
        self.assertEqual(run("wait", job)[0], 0)
        with tempfile.TemporaryDirectory() as folder:
            for arguments, place, magic in (
                    (["video", job], 4, b"ftyp"), (["crops", job], 4, b"ftyp"),
                    (["crops", job, "--target", "target-1"], 4, b"ftyp"), (["frame", job, "2"], 1, b"PNG"),
                    (["frame", job, "2", "--format", "jpeg"], 0, b"\xff\xd8")):
                path = os.path.join(folder, "-".join(arguments))
                status, _, error = run(*arguments, "--output", path)
                self.assertEqual(status, 0, error)
                with open(path, "rb") as file:
                    self.assertEqual(file.read()[place:place + len(magic)], magic, arguments)
            path = os.path.join(folder, "none")
            self.assertEqual(run("crops", job, "--target", "none", "--output", path)[0], lktrack.EXIT_REFUSED)
            self.assertFalse(os.path.exists(path))
        self.assertEqual(run("deliveries", job)[:2], (0, ""))

    def test_boxes_are_judged(self):
        folder = os.path.join(support.FOLDER, "img")
        image = os.path.join(folder, sorted(os.listdir(folder))[0])
        status, output, error = run("trackability", image, "--roi", support.FOLDER_ROI, "--roi", support.FOLDER_ROI)
        self.assertEqual(status, 0, error)
        boxes = [json.loads(line) for line in output.splitlines()]
        self.assertEqual(len(boxes), 2)
        self.assertIn("verdict", boxes[0])

    def test_a_folder_and_a_list_of_images(self):
        folder = os.path.join(support.FOLDER, "img")
        images = [os.path.join(folder, name) for name in sorted(os.listdir(folder))]
        whole = run("submit", folder, "--roi", support.FOLDER_ROI, "--wait", "--format", "otb")
        single = run("submit", *images, "--roi", support.FOLDER_ROI, "--wait", "--format", "otb")
        self.assertEqual(whole[0], 0, whole[2])
        self.assertEqual(whole[1], single[1])
        self.assertEqual(len(whole[1].splitlines()), int(support.FOLDER_FRAMES))

    def test_the_exit_status_tells_what_went_wrong(self):
        status, _, error = run("submit", support.CLIP, "--roi", "5000,5000,20,20", "--wait")
        self.assertEqual(status, lktrack.EXIT_JOB_FAILED)
        self.assertIn("invalid_spec", error)
        status, _, error = run("submit", support.CLIP)
        self.assertEqual(status, lktrack.EXIT_REFUSED)
        self.assertIn("#/targets", error)
        for arguments in (["submit"], ["submit", "x.mp4", "--set", "nonsense"], ["nonsense"], [],
                          ["submit", "/none.mp4", "--spec", "{"]):
            status, _, error = run(*arguments)
            self.assertIn(status, (1, 2), arguments)
            self.assertNotIn("Traceback", error)
        self.assertIn("COMMAND", run("--help")[1])

    def test_a_pipe_is_written_to_and_stays_a_pipe(self):
        with tempfile.TemporaryDirectory() as folder:
            pipe = os.path.join(folder, "pipe")
            os.mkfifo(pipe)
            received = []

            def read():
                with open(pipe, "rb") as file:
                    received.append(file.read())

            reader = threading.Thread(target=read)
            reader.start()
            status, _, error = run("submit", support.CLIP, "--roi", support.CLIP_ROI, "--wait", "--output", pipe)
            reader.join()
            self.assertEqual(status, 0, error)
            self.assertTrue(json.loads(received[0])["frames"])
            self.assertTrue(stat.S_ISFIFO(os.stat(pipe).st_mode))
            self.assertEqual(os.listdir(folder), ["pipe"])

    def test_a_terminal_gets_a_progress_bar(self):
        main, terminal = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, PROGRAM, "--url", support.URL, "submit", support.CLIP, "--roi", support.CLIP_ROI,
             "--wait", "--output", os.devnull], stderr=terminal, stdin=subprocess.DEVNULL)
        os.close(terminal)
        shown = b""
        while True:
            try:
                piece = os.read(main, 4096)
            except OSError:  # EIO: the other end is closed.
                break
            if not piece:
                break
            shown += piece
        os.close(main)
        self.assertEqual(process.wait(), 0)
        last = shown.decode().split("\r")[-2]
        self.assertIn("100%%  %s/%s" % (support.CLIP_FRAMES, support.CLIP_FRAMES), last)
        self.assertIn("#" * lktrack.ProgressBar.WIDTH, last)


class FileTests(unittest.TestCase):
    """The file keeps its promise: one, of the standard library, for Python 3.8."""

    def tree(self):
        with open(PROGRAM, encoding="utf-8") as file:
            return ast.parse(file.read(), feature_version=(3, 8))

    def test_it_needs_nothing_but_the_standard_library(self):
        known = getattr(sys, "stdlib_module_names", None)
        if known is None:
            self.skipTest("this Python does not name its standard library")
        roots = set()
        for node in ast.walk(self.tree()):
            if isinstance(node, ast.Import):
                roots |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                roots.add((node.module or "").split(".")[0])
        self.assertEqual(roots - set(known), {"numpy"})

    def test_everything_public_is_documented(self):
        for name in lktrack.__all__:
            value = getattr(lktrack, name)
            self.assertTrue(value.__doc__, name)
            for member, function in vars(value).items():
                if callable(function) and not member.startswith("_") and value.__module__ == "lktrack":
                    is_class = isinstance(function, type)
                    self.assertTrue(is_class or function.__doc__ or value is lktrack.ProgressBar, (name, member))


if __name__ == "__main__":
    unittest.main()
