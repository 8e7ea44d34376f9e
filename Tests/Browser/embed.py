"""A finished job in another site's frame, and boxes over another site's own video."""

import functools
import http.server
import threading

from lktrack_page import Scene, Server, browser, open_page, scenarios, until


class Site:
    """Another origin: files of a folder."""

    def __init__(self, folder):
        class Handler(http.server.SimpleHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                """With ranges: without, a browser does not seek in a video."""
                if "Range" not in self.headers:
                    return super().do_GET()
                content = (folder / self.path.lstrip("/")).read_bytes()
                first, last = self.headers["Range"].removeprefix("bytes=").split("-")
                part = content[int(first):int(last) + 1 if last else None]
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {first}-{int(first) + len(part) - 1}/{len(content)}")
                self.send_header("Content-Length", str(len(part)))
                self.send_header("Content-Type", "video/mp4")
                self.end_headers()
                self.wfile.write(part)
        (folder / "favicon.ico").write_bytes(b"")
        handler = functools.partial(Handler, directory=str(folder))
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def in_a_frame(folder):
    scene = Scene(folder, frames=20)
    (folder / "site").mkdir()
    site = Site(folder / "site")
    allowing, refusing = Server(folder, LKTRACK_SERVER_ORIGINS=site.url), Server(folder)
    with browser() as chromium:
        for server, is_shown in ((allowing, True), (refusing, False)):
            job = server.submit(scene.mp4(), *scene.rois)
            server.finish(job)
            (folder / "site" / "index.html").write_text(
                f'<!DOCTYPE html><title>A site</title><iframe src="{server.url}/embed/{job}#frame=7" width="900" height="800" title="Job"></iframe>')
            page = open_page(chromium, allowed=("frame-ancestors", "violates the following", "404"))
            page.goto(site.url)
            frame = page.frame_locator("iframe")
            if is_shown:
                nothing_to_show(page, server)
                page.goto(site.url)
                until("a frame", lambda: (frame.get_by_label("Frame", exact=True).get_attribute("aria-valuetext") or "") == "frame 7")
                frame.get_by_role("button", name="Forward one frame").click()
                until("a step", lambda: frame.get_by_label("Frame", exact=True).get_attribute("aria-valuetext") == "frame 8")
            else:
                until("the refusal", lambda: any("frame-ancestors" in text or "refused" in text for text in page.refusals))
                assert frame.locator(".viewer").count() == 0
            assert not page.troubles, page.troubles


def nothing_to_show(page, server):
    """A job that is gone leaves no player, and no advice that cannot be followed here."""
    page.goto(f"{server.url}/embed/01900000-0000-7000-8000-000000000000")
    page.get_by_text("There is no job with this id").wait_for()
    assert page.locator(".viewer").is_hidden() and page.get_by_text("The list").count() == 0


def over_its_own_video(folder):
    scene = Scene(folder, frames=40)
    site_folder = folder / "site"
    site_folder.mkdir()
    site = Site(site_folder)
    (site_folder / "clip.mp4").write_bytes(scene.mp4().read_bytes())
    allowing, refusing = Server(folder, LKTRACK_SERVER_ORIGINS=site.url), Server(folder)
    with browser() as chromium:
        for server, is_drawn in ((allowing, True), (refusing, False)):
            job = server.submit(scene.mp4(), *scene.rois)
            server.finish(job)
            (site_folder / "index.html").write_text(f"""<!DOCTYPE html><title>A site</title>
                <video width="320" height="240" muted src="clip.mp4" data-lktrack="{server.url}/v1/jobs/{job}/results?format=ndjson"></video>
                <script type="module" src="{server.url}/player.js"></script>""")
            page = open_page(chromium, allowed=("CORS policy", "ERR_FAILED"))
            page.goto(site.url)
            if not is_drawn:
                until("the refusal", lambda: any("CORS policy" in text for text in page.refusals))
                assert page.locator("canvas").count() == 0
                continue
            page.locator("canvas").wait_for()
            page.evaluate("document.querySelector('video').currentTime = 20.5 / 25")
            box = server.frames(job)[20]["targets"][0]["box"]
            x, y = round(box[0]), round(box[1] + box[3] / 2)
            # The left edge of the first target's box, in its colour.
            until("the box of frame 20", lambda: page.evaluate(
                """([x, y]) => {
                  const { data } = document.querySelector('canvas').getContext('2d').getImageData(x - 1, y, 2, 1);
                  return [0, 4].some((at) => data[at] === 0x35 && data[at + 1] === 0xb7 && data[at + 2] === 0xff);
                }""", [x, y]))
            assert not page.troubles, page.troubles


scenarios(in_a_frame, over_its_own_video)
