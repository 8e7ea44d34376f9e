"""What the programs of this folder share: a real server, a real browser, and the page in it.

Each program is run with the path of `lktrack` and exits with 0 where everything that it says holds.
"""

import contextlib
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import urllib.error
import urllib.parse
import urllib.request

from playwright.sync_api import Page, sync_playwright

LKTRACK = sys.argv[1] if len(sys.argv) > 1 else "lktrack"
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
PATIENCE = float(os.environ.get("LKTRACK_PATIENCE", 60))


class Server:
    """`lktrack serve` on a port of its own, which it keeps when it is started again."""

    running: set["Server"] = set()

    def __init__(self, folder: pathlib.Path, *arguments: str, **environment: str):
        self.data = folder / f"data-{time.monotonic_ns()}"
        self.arguments = arguments
        self.environment = environment
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = None
        Server.running.add(self)
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [LKTRACK, "serve", "--port", str(self.port), "--data-dir", str(self.data), "--workers", "1", *self.arguments],
            env={**os.environ, **self.environment}, cwd=self.data.parent, stderr=subprocess.PIPE, text=True)
        lines = []
        for line in self.process.stderr:
            lines.append(line)
            if '"listening"' in line:
                break
        else:
            raise AssertionError("the server did not start: " + "".join(lines))
        rest = self.process.stderr
        threading.Thread(target=lambda: [None for _ in rest], daemon=True).start()

    def crash(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def lktrack(self, *arguments: str) -> str:
        return run(LKTRACK, *arguments, "--data-dir", str(self.data))

    def get(self, path: str, **headers: str) -> bytes:
        request = urllib.request.Request(self.url + path, headers={k.replace("_", "-"): v for k, v in headers.items()})
        with urllib.request.urlopen(request) as response:
            return response.read()

    def status(self, path: str) -> int:
        try:
            with urllib.request.urlopen(self.url + path) as response:
                return response.status
        except urllib.error.HTTPError as error:
            return error.code

    def json(self, path: str, **headers: str):
        return json.loads(self.get(path, **headers))

    def submit(self, video: pathlib.Path, *rois: str, **fields: str) -> str:
        """By curl, past the page. Returns the job's id."""
        form = [f"video=@{video}", *(f"roi={roi}" for roi in rois), *(f"{k}={v}" for k, v in fields.items())]
        answer = run("curl", "-sS", "--fail-with-body", *(part for field in form for part in ("-F", field)), self.url + "/v1/jobs")
        return json.loads(answer)["id"]

    def finish(self, job: str):
        until(f"job {job} to end", lambda: self.json(f"/v1/jobs/{job}")["status"] not in ("queued", "running"))
        return self.json(f"/v1/jobs/{job}")

    def frames(self, job: str):
        return self.json(f"/v1/jobs/{job}/results?format=json")["frames"]


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, (command, done.stdout[-500:], done.stderr[-1500:])
    return done.stdout


def until(what: str, is_so, seconds: float = PATIENCE):
    """Asks until it is so. (Not in the page: its policy forbids what Playwright's own waiting for functions does.)"""
    deadline = time.monotonic() + seconds
    while True:
        found = is_so()
        if found:
            return found
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)


class Scene:
    """A synthetic video whose boxes are known."""

    def __init__(self, folder: pathlib.Path, name: str = "scene", frames: int = 90, targets: int = 2, size: str = "320x240", seed: int = 3):
        self.avi = folder / f"{name}.avi"
        run(LKTRACK, "synth", str(self.avi), "--frames", str(frames), "--size", size, "--seed", str(seed),
            "--targets", str(targets), "--frame-rate", "25")
        lines = (folder / f"{name}.truth.csv").read_text().splitlines()[1:targets + 1]
        self.boxes = [[round(float(value)) for value in line.split(",")[4:8]] for line in lines]
        self.rois = [",".join(map(str, box)) for box in self.boxes]
        self.count = frames

    def again(self, times: int) -> pathlib.Path:
        """The same over and over: a long video that is soon made."""
        path = self.avi.with_stem(f"{self.avi.stem}-{times}")
        run("ffmpeg", "-v", "error", "-y", "-stream_loop", str(times - 1), "-i", str(self.avi), "-c", "copy", str(path))
        return path

    def mp4(self, *options: str) -> pathlib.Path:
        """H.264 with B-frames, which browsers decode."""
        path = self.avi.with_suffix(".mp4")
        if not path.exists():
            run("ffmpeg", "-v", "error", "-y", "-i", str(self.avi), "-c:v", "libx264", "-preset", "veryfast", "-crf", "16",
                "-bf", "3", "-g", "40", "-pix_fmt", "yuv420p", *options, str(path))
        return path


open_pages: list[Page] = []


@contextlib.contextmanager
def browser():
    open_pages.clear()
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        try:
            yield chromium
        except Exception:
            for page in (page for page in open_pages if not page.is_closed()):
                print("the page says:", page.locator("body").inner_text()[:1500], page.troubles, page.refusals, file=sys.stderr)
            raise
        finally:
            chromium.close()


def open_page(chromium, *, allowed: tuple[str, ...] = (), **options) -> Page:
    """A page on which nothing may go wrong that is not in `allowed`: neither an exception nor a violated policy."""
    page = chromium.new_context(**{"viewport": {"width": 1280, "height": 900}, **options}).new_page()
    open_pages.append(page)
    page.troubles = []
    page.refusals = []

    def told(message):
        text = f"{message.text} {message.location.get('url', '')}"
        if message.type == "error":
            (page.refusals if any(word in text for word in allowed) else page.troubles).append(text)

    if os.environ.get("LKTRACK_PAGE"):
        serve_from_disk(page, pathlib.Path(os.environ["LKTRACK_PAGE"]))
    # Somebody listens from the start: asked for only when a key is pressed, it may come too late.
    page.on("filechooser", lambda _: None)
    page.on("console", told)
    page.on("pageerror", lambda error: page.troubles.append(f"{error.message} {error.stack}"))
    return page


def serve_from_disk(page: Page, assets: pathlib.Path):
    """LKTRACK_PAGE=Sources/WebPage/Assets tries changes of the page without a build."""
    types = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}

    def answer(route):
        file = assets.joinpath(*urllib.parse.urlsplit(route.request.url).path.split("/")[3:])
        route.fulfill(status=200, content_type=types[file.suffix], body=file.read_text())

    page.route(re.compile(r"^https?://[^/]*/page/"), answer)


def choose(page: Page, *files):
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose files").click()
    chooser.value.set_files([str(file) for file in files])


def drop(page: Page, path: pathlib.Path, name: str | None = None):
    """As if a file of the disk were let go over the drop zone."""
    import base64
    transfer = page.evaluate_handle(
        """([text, name]) => {
          const transfer = new DataTransfer();
          const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
          transfer.items.add(new File([bytes], name));
          return transfer;
        }""", [base64.b64encode(path.read_bytes()).decode(), name or path.name])
    page.dispatch_event(".drop", "drop", {"dataTransfer": transfer})


def first_frame(page: Page):
    page.locator(".layer.editing").wait_for(state="attached", timeout=PATIENCE * 1000)


def scale(page: Page, stage: str = ".stage") -> float:
    return page.evaluate("(stage) => { const s = document.querySelector(stage); return s.querySelector('.frame').clientWidth / s.querySelector('.picture').width; }", stage)


def draw(page: Page, box):
    """With the mouse; the picture's pixels."""
    page.locator(".layer").first.scroll_into_view_if_needed()
    place, by = page.locator(".layer").first.bounding_box(), scale(page)
    x, y, width, height = box
    page.mouse.move(place["x"] + x * by, place["y"] + y * by)
    page.mouse.down()
    page.mouse.move(place["x"] + (x + width) * by, place["y"] + (y + height) * by, steps=4)
    page.mouse.up()


def status(page: Page) -> str:
    badge = page.locator(".job-head .badge")
    return badge.get_attribute("data-status") if badge.count() else ""


def job_of(page: Page) -> str:
    """The job that is shown, once one is."""
    place = until("the job", lambda: (place := page.evaluate("location.hash")).startswith("#/jobs/") and place)
    return place.removeprefix("#/jobs/").split("?")[0]


def ended(page: Page, state: str = "succeeded"):
    until(f"the page to show {state}", lambda: status(page) == state)


def shown_frame(page: Page) -> int:
    """The frame whose picture is on the stage."""
    told = page.get_by_label("Frame", exact=True).get_attribute("aria-valuetext") or ""
    return int(told.removeprefix("frame ")) if told.startswith("frame ") else -1


def go_to(page: Page, frame: int):
    field = page.get_by_label("Go to frame")
    field.fill(str(frame))
    field.press("Enter")
    field.blur()
    until(f"frame {frame}", lambda: shown_frame(page) == frame)


def show_frame(page: Page, frame: int):
    """Of an upload, to draw boxes in it."""
    field = page.get_by_label("Go to frame")
    field.fill(str(frame))
    field.press("Enter")
    until(f"frame {frame}", lambda: page.get_by_role("group", name=f"Frame {frame}, with").count() == 1)


def drawn_box(page, color, overlay: str = ".overlay >> nth=0"):
    """The rectangle that the overlay's pixels of a colour lie in: left, top, right, bottom."""
    return page.locator(overlay).evaluate(
        """(canvas, color) => {
          const { width, height } = canvas;
          const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
          let [left, top, right, bottom] = [width, height, -1, -1];
          for (let y = 0; y < height; y += 1) for (let x = 0; x < width; x += 1) {
            const at = 4 * (y * width + x);
            if (data[at + 3] !== 255 || [0, 1, 2].some((i) => Math.abs(data[at + i] - color[i]) > 2)) continue;
            [left, right] = [Math.min(left, x), Math.max(right, x)];
            [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
          }
          return [left, top, right + 1, bottom + 1];
        }""", color)


def scenarios(*functions):
    """Runs them in turn, in a folder that is gone afterwards; tells all that fail."""
    failed = 0
    names = sys.argv[2:]
    for function in functions:
        if names and function.__name__ not in names:
            continue
        folder = pathlib.Path(tempfile.mkdtemp(prefix="lktrack-page-"))
        began = time.monotonic()
        try:
            function(folder)
            print(f"ok {function.__name__} {time.monotonic() - began:.1f} s", flush=True)
        except Exception:
            failed += 1
            print(f"FAILED {function.__name__}", file=sys.stderr)
            traceback.print_exc()
        finally:
            for server in Server.running:
                server.crash()
            Server.running.clear()
            shutil.rmtree(folder, ignore_errors=True)
    sys.exit(1 if failed else 0)
