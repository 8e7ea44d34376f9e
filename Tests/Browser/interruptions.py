"""What breaks off in the middle goes on: uploads, pages, servers. And what is wanted no more ends."""

import json

from lktrack_page import (Scene, Server, browser, choose, draw, ended, first_frame, job_of, open_page, scenarios,
                          shown_frame, status, until)

LINE_BREAKS = ("ERR_", "Failed to load resource")


def slow_line(page, bytes_a_second):
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", {
        "offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_a_second})
    return session


def big_file(folder):
    """A video of several pieces: uncompressed, so that it is large and soon made."""
    import subprocess
    path = folder / "large.avi"
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=640x480:rate=25", "-frames:v", "30",
                    "-c:v", "rawvideo", "-pix_fmt", "yuv420p", str(path)], check=True)
    return path


def pause_and_resume_an_upload(folder):
    server, video = Server(folder), big_file(folder)
    with browser() as chromium:
        page = open_page(chromium, allowed=LINE_BREAKS)
        page.goto(server.url + "/")
        line = slow_line(page, 2_500_000)
        choose(page, video)
        bar = page.get_by_label("Upload of large.avi")
        # It is seen that it goes on, about each second.
        first = until("the first piece", lambda: float(bar.get_attribute("value") or 0))
        second = until("the next piece", lambda: (value := float(bar.get_attribute("value"))) > first and value)
        assert second * video.stat().st_size < 4_000_000, (first, second)
        page.get_by_role("button", name="Pause", exact=True).click()
        assert "Paused" in page.locator(".upload").inner_text()
        stopped = float(bar.get_attribute("value"))
        upload = json.loads(page.evaluate("sessionStorage.getItem('lktrack-draft')"))["path"]
        offset = server.json(upload)["offset"]
        assert 0 < offset < video.stat().st_size
        assert float(bar.get_attribute("value")) == stopped < 1

        # Loaded anew, it asks for the file, and goes on where it stopped.
        page.reload()
        page.get_by_text("An upload was interrupted").wait_for()
        line = slow_line(page, 6_000_000)
        choose(page, video)
        until("the rest", lambda: float(page.get_by_label("Upload of large.avi").get_attribute("value") or 0) >= stopped)
        assert json.loads(page.evaluate("sessionStorage.getItem('lktrack-draft')"))["path"] == upload

        # So it does when the server dies.
        server.crash()
        until("the page to notice", lambda: "Trying again" in page.locator(".upload").inner_text())
        server.start()
        line.send("Network.emulateNetworkConditions", {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1})
        first_frame(page)
        assert json.loads(page.evaluate("sessionStorage.getItem('lktrack-draft')"))["path"] == upload
        draw(page, [100, 80, 120, 90])

        # And what was drawn is there after another reload.
        page.reload()
        first_frame(page)
        until("the box", lambda: page.locator(".box").count() == 1)
        page.get_by_role("button", name="Track", exact=True).click()
        job = job_of(page)
        ended(page)
        assert server.get(f"/v1/jobs/{job}/source") == video.read_bytes()
        assert not page.troubles, page.troubles


def the_server_restarts_while_a_job_runs(folder):
    server, scene = Server(folder, LKTRACK_LEASE_SECONDS="1"), Scene(folder, frames=60)
    job = server.submit(scene.again(10), *scene.rois)
    with browser() as chromium:
        page = open_page(chromium, allowed=LINE_BREAKS)
        page.goto(f"{server.url}/#/jobs/{job}")
        until("frames", lambda: shown_frame(page) > 0)
        assert status(page) == "running"
        server.crash()
        page.locator(".line-broken").wait_for()
        assert "Trying again" in page.locator(".line-broken").inner_text()
        server.start()
        ended(page)
        assert page.locator(".line-broken").is_hidden()
        frames = server.frames(job)
        assert len(frames) == 600
        until("each frame once", lambda: page.get_by_label("Frame", exact=True).get_attribute("max") == "599")
        assert not page.troubles, page.troubles


def cancel(folder):
    server, scene = Server(folder), Scene(folder, frames=60)
    job = server.submit(scene.again(40), *scene.rois)
    with browser() as chromium:
        page = open_page(chromium)
        page.goto(f"{server.url}/#/jobs/{job}")
        until("frames", lambda: shown_frame(page) > 0)
        # Who looks at another frame meanwhile is left alone, until it is to go on.
        page.locator(".viewer").focus()
        page.keyboard.press("Home")
        until("the first frame", lambda: shown_frame(page) == 0)
        done = page.get_by_label("Frame", exact=True).get_attribute("max")
        until("more frames", lambda: page.get_by_label("Frame", exact=True).get_attribute("max") != done)
        assert shown_frame(page) == 0
        page.get_by_role("button", name="Watch the newest frame").click()
        until("the newest frame", lambda: shown_frame(page) >= int(done))
        page.get_by_role("button", name="Cancel").click()
        ended(page, "canceled")
        kept = len(server.frames(job))
        assert 0 < kept < 2400
        until("what is kept", lambda: f"Its first {kept} frames are kept" in page.locator(".view").inner_text())
        assert not page.troubles, page.troubles


scenarios(pause_and_resume_an_upload, the_server_restarts_while_a_job_runs, cancel)
