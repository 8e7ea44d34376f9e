#!/usr/bin/env python3
"""From a video to boxes drawn on it: submit, wait, fetch, draw.

    python examples/pipeline.py clip.mp4 out.mp4 --roi 70,51,107,87

Draws with the `ffmpeg` program, which has to be there; everything else is Python's standard library. With --server-video
FILE the service's own annotated video, with the targets' warped outlines, is fetched as well.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from typing import Any, Dict, List, Sequence

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))
from lktrack import Client, Job, LktrackError  # noqa: E402

COLORS = ["red", "lime", "deepskyblue", "yellow", "magenta", "orange", "aqua", "white"]
DRAWN = ("tracked", "coasting")


def commands(records: Sequence[Dict[str, Any]], targets: Sequence[str]) -> str:
    """The script of ffmpeg's `sendcmd`: at each frame's time, where each target's box goes, or that it is not drawn.

    A command is given half a frame before its frame, so that no rounding of time stamps makes it late.
    """
    lines: List[str] = []
    before = None
    for record in records:
        time = record["time"]
        half = (time - before) / 2 if before is not None else 0.0
        before = time
        found = {target["id"]: target for target in record["targets"] if target["state"] in DRAWN}
        orders = []
        for number, target in enumerate(targets):
            name = "drawbox@t%d" % number
            if target not in found:
                orders.append("%s enable 0" % name)
                continue
            x, y, width, height = (round(side) for side in found[target]["box"])
            sides = {"x": x, "y": y, "w": max(width, 1), "h": max(height, 1)}
            orders += ["%s %s %d" % (name, side, value) for side, value in sides.items()]
            orders.append("%s enable 1" % name)
        lines.append("%.6f %s;" % (max(0.0, time - half), ", ".join(orders)))
    return "\n".join(lines) + "\n"


def draw(video: str, output: str, job: Job) -> None:
    """Plays the video again, with the boxes of a job drawn in, each target in a colour of its own."""
    targets = job.targets
    with tempfile.TemporaryDirectory() as folder:
        script = os.path.join(folder, "boxes.txt")
        with open(script, "w", encoding="ascii") as file:
            file.write(commands(job.results(), targets))
        boxes = ["drawbox@t%d=x=0:y=0:w=1:h=1:t=3:c=%s:enable=0" % (number, COLORS[number % len(COLORS)])
                 for number in range(len(targets))]
        filters = ",".join(["sendcmd=f=boxes.txt"] + boxes)
        subprocess.run(
            ["ffmpeg", "-v", "error", "-y", "-i", os.path.abspath(video), "-vf", filters, "-an", "-pix_fmt", "yuv420p",
             os.path.abspath(output)],
            check=True, cwd=folder, stdin=subprocess.DEVNULL)


def main() -> int:
    parser = argparse.ArgumentParser(description="Draws the boxes that lktrack finds on a video.")
    parser.add_argument("video")
    parser.add_argument("output")
    parser.add_argument("--roi", action="append", required=True, metavar="X,Y,W,H", help="a box to follow (repeatable)")
    parser.add_argument("--url", default=os.environ.get("LKTRACK_URL", "http://127.0.0.1:8080"))
    parser.add_argument("--server-video", metavar="FILE", help="where to save the service's own annotated video")
    arguments = parser.parse_args()
    try:
        with Client(arguments.url) as client:
            job = client.submit(
                arguments.video, arguments.roi, labels={"pipeline": "example"},
                video="mp4" if arguments.server_video else None)
            job.wait(progress=True)
            draw(arguments.video, arguments.output, job)
            if arguments.server_video:
                job.download(arguments.server_video, "video")
            frames = job.progress["frames_done"]
            job.delete()
    except LktrackError as error:
        print("pipeline: %s" % error, file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        print("pipeline: ffmpeg failed with status %d" % error.returncode, file=sys.stderr)
        return 1
    print("%s: %d frames, %d targets" % (arguments.output, frames, len(arguments.roi)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
