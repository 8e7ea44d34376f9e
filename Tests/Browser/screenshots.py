"""Takes the screenshots of docs/screenshots: `python Tests/Browser/screenshots.py LKTRACK FOLDER`."""

import pathlib
import sys
import tempfile

from lktrack_page import (Scene, Server, browser, choose, draw, first_frame, go_to, job_of, open_page, run,
                          shown_frame, until)


def shoot(page, folder, name):
    page.wait_for_timeout(700)
    png = folder / f"{name}.png"
    page.screenshot(path=png)
    # A quarter of a PNG's size.
    run("ffmpeg", "-v", "error", "-y", "-i", str(png), "-quality", "82", str(png.with_suffix(".webp")))
    png.unlink()


def main():
    """Takes them, and leaves no server behind."""
    try:
        take()
    finally:
        for server in Server.running:
            server.crash()


def take():
    target = pathlib.Path(sys.argv[2])
    target.mkdir(parents=True, exist_ok=True)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="lktrack-page-"))
    server = Server(folder)
    scene = Scene(folder, "parcels", frames=160, targets=3, size="640x360", seed=12)
    # A cloth passes before the second target: it is lost and found again.
    x, y, width, height = scene.boxes[1]
    covered = folder / "parcels.mp4"
    run("ffmpeg", "-v", "error", "-y", "-i", str(scene.avi), "-vf",
        f"drawbox=x={x - 40}:y=0:w={width + 110}:h=ih:color=0x39424f:t=fill:enable='between(n,60,90)'",
        "-c:v", "libx264", "-preset", "veryfast", "-crf", "16", "-pix_fmt", "yuv420p", str(covered))
    spec = '{"targets":[' + ",".join(f'{{"id":"{name}","box":{box}}}' for name, box in zip(("left", "right", "front"), scene.boxes)) + "]}"
    job = server.submit(covered, spec=spec)
    server.finish(job)
    for name in ("conveyor.mp4", "gate-4.mp4"):
        other = Scene(folder, name.split(".")[0].replace(" ", "_").replace(",", ""), frames=20, seed=len(name), targets=2)
        clip = folder / name
        clip.write_bytes(other.mp4().read_bytes())
        server.finish(server.submit(clip, *other.rois))
    broken = folder / "broken.avi"
    broken.write_bytes(scene.avi.read_bytes()[:6000])
    server.finish(server.submit(broken, *scene.rois))
    with browser() as chromium:
        for scheme in ("light", "dark"):
            page = open_page(chromium, viewport={"width": 1440, "height": 900}, color_scheme=scheme)
            page.goto(server.url + "/")
            if scheme == "light":
                shoot(page, target, "drop")
            choose(page, covered)
            first_frame(page)
            for box in scene.boxes[:2] + [[480, 270, 50, 50]]:
                draw(page, box)
            page.get_by_label("Name", exact=True).nth(0).fill("left")
            page.get_by_label("Name", exact=True).nth(1).fill("right")
            page.get_by_label("Name", exact=True).nth(2).fill("floor")
            page.get_by_text("The same on the command line").click()
            shoot(page, target, f"draw-{scheme}")
            page.get_by_label("Remove this upload").click()
            page.goto(f"{server.url}/#/jobs/{job}?frame=52")
            until("the frame", lambda: shown_frame(page) == 52)
            page.wait_for_timeout(600)
            shoot(page, target, f"look-{scheme}")
            if scheme == "light":
                go_to(page, 110)
                page.get_by_role("button", name="Correct").click()
                page.locator(".box").nth(1).wait_for()
                page.locator(".box").nth(1).focus()
                for key in ("Shift+ArrowRight", "ArrowDown", "ArrowDown", "ArrowDown"):
                    page.keyboard.press(key)
                shoot(page, target, "correct")
                page.get_by_role("button", name="Track again with these").click()
                again = until("another job", lambda: (new := job_of(page)) != job and new)
                server.finish(again)
                until("both", lambda: page.locator(".side figcaption").count() == 2)
                page.wait_for_timeout(2500)
                go_to(page, 125)
                shoot(page, target, "compare")
        page.goto(server.url + "/#/jobs")
        until("thumbnails", lambda: page.locator(".thumb canvas").count() >= 3)
        shoot(page, target, "jobs")
        phone = open_page(chromium, viewport={"width": 390, "height": 844}, device_scale_factor=2, color_scheme="dark", has_touch=True)
        phone.goto(f"{server.url}/#/jobs/{job}?frame=52")
        until("the frame", lambda: shown_frame(phone) == 52)
        shoot(phone, target, "phone")
        running = Scene(folder, "warehouse", frames=400, targets=3, size="640x360", seed=5)
        live = server.submit(running.avi, *running.rois)
        page.goto(f"{server.url}/#/jobs/{live}")
        until("frames", lambda: shown_frame(page) > 30)
        shoot(page, target, "watch")


main()
