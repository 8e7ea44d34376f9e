"""Submit, watch, look, take: the way of a person who tries the service."""

import json
import subprocess

from lktrack_page import (Scene, Server, browser, choose, draw, drop, ended, drawn_box, first_frame, go_to, job_of,
                          open_page, scenarios, show_frame, shown_frame, status, until)


def drop_draw_watch_take(folder):
    server, scene = Server(folder), Scene(folder, frames=120)
    with browser() as chromium:
        page = open_page(chromium, accept_downloads=True)
        page.goto(server.url + "/")
        drop(page, scene.mp4(), "my clip's; 1, 2.mp4")
        first_frame(page)
        for box in scene.boxes:
            draw(page, box)
        names = page.get_by_label("Name", exact=True)
        assert names.count() == 2
        names.nth(0).fill("car")
        for index, box in enumerate(scene.boxes):
            fields = page.locator(".target").nth(index).locator(".numbers-row input")
            drawn = [float(fields.nth(side).input_value()) for side in range(4)]
            # A pixel of the screen is less than one of the picture here.
            assert all(abs(a - b) <= 1 for a, b in zip(drawn, box)), (drawn, box)
        until("how well the boxes can be tracked", lambda: page.locator(".rating strong").count() == 2)
        # A box is judged while it is drawn, too: what counts is the last word.
        until("the server's verdicts of the boxes as they are", lambda: grades(page) == server_judges(server, page))

        # The line to copy makes a job of the same spec, whatever curl and the shell take for theirs.
        page.get_by_text("Options", exact=True).click()
        page.get_by_label("Labels").fill("note=@x; type=\"a\" 'b' $HOME, camera=7")
        page.get_by_text("The same on the command line").click()
        line = page.get_by_label("The same by curl").text_content()
        (folder / "my clip's; 1, 2.mp4").write_bytes(scene.mp4().read_bytes())
        by_line = json.loads(subprocess.run(["bash", "-c", line], cwd=folder, capture_output=True, check=True).stdout)

        page.get_by_role("button", name="Track 2 targets").click()
        job = job_of(page)
        assert server.json(f"/v1/jobs/{job}")["spec"] == by_line["spec"]
        assert by_line["spec"]["labels"] == {"note": "@x; type=\"a\" 'b' $HOME", "camera": "7"}
        ended(page)
        assert page.locator("h1").text_content() == "my clip's; 1, 2.mp4"

        overlay_agrees(page, server, job)
        exports(page, server, job)
        assert not page.troubles, page.troubles


def grades(page):
    return [page.locator(".rating").nth(i).get_attribute("data-grade") for i in range(2)]


def server_judges(server, page):
    """What the server says of the same boxes, asked by curl."""
    upload = json.loads(page.evaluate("sessionStorage.getItem('lktrack-draft')"))
    question = json.dumps({"upload": upload["path"].split("/")[-1], "boxes": [item["box"] for item in upload["items"]]})
    answer = subprocess.run(["curl", "-sS", "-H", "Content-Type: application/json", "-d", question, server.url + "/v1/trackability"],
                            capture_output=True, check=True).stdout
    return [box["verdict"] for box in json.loads(answer)["boxes"]]


def overlay_agrees(page, server, job):
    """The drawn boxes and the JSON agree to the pixel, at one pixel of the screen for one of the picture."""
    page.get_by_label("Zoom").select_option("1")
    for layer in ("Quads", "Trails", "Points", "Names"):
        page.get_by_label(layer, exact=True).uncheck()
    frames = server.frames(job)
    colors = [(0x35, 0xB7, 0xFF), (0xFF, 0x9F, 0x1C)]
    for frame in (0, 1, 40, 77, 119):
        go_to(page, frame)
        for target, color in zip(frames[frame]["targets"], colors):
            x, y, width, height = target["box"]
            # A stroke of two pixels in the middle of which the edge is.
            edges = [round(x) - 1, round(y) - 1, round(x + width) + 1, round(y + height) + 1]
            assert target["state"] == "tracked", target
            drawn = drawn_box(page, color)
            assert all(abs(a - b) <= 0.5 for a, b in zip(drawn, edges)), (frame, target["id"], drawn, edges)
    page.get_by_label("Zoom").select_option("fit")


def exports(page, server, job):
    """Each format is what the server gives, and the videos come when they are made."""
    links = page.locator(".export-grid a")
    assert links.count() == 9
    for index in range(9):
        with page.expect_download() as download:
            links.nth(index).click()
        path = links.nth(index).get_attribute("href")
        with open(download.value.path(), "rb") as file:
            assert file.read() == server.get(path), path
    assert page.locator(".export-grid a").nth(2).get_attribute("download") == "my clip's; 1, 2.csv"
    stem = "my clip's; 1, 2"
    for name, saved in (("Annotated video", f"{stem}-tracked.mp4"), ("Stabilised car", f"{stem}-car.mp4"), ("Source", f"{stem}.mp4")):
        with page.expect_download(timeout=60_000) as download:
            page.get_by_text(name, exact=True).click()
        assert download.value.suggested_filename == saved, download.value.suggested_filename
        with open(download.value.path(), "rb") as file:
            assert file.read()[4:8] == b"ftyp", name


def drop_beside(page, path):
    """At the page's lower left corner, as the system would drop it."""
    session = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {
            "type": kind, "x": 20, "y": 880, "data": {"items": [], "files": [str(path)], "dragOperationsMask": 1}})


def many_images(folder):
    """A set of images is one resumable upload, and one job, in the natural order of their names. So is a folder of them,
    wherever on the page it is dropped."""
    server = Server(folder)
    scene = Scene(folder, frames=12)
    images = folder / "images"
    images.mkdir()
    subprocess.run(["ffmpeg", "-v", "error", "-i", scene.avi, str(images / "f%d.png")], check=True)
    (images / ".listing").write_text("no image")
    with browser() as chromium:
        page = open_page(chromium)
        page.goto(server.url + "/")
        page.get_by_role("button", name="Choose files").wait_for()
        drop_beside(page, images)
        first_frame(page)
        assert page.locator(".file-name").text_content() == "12 images.tar"
        page.get_by_label("Remove this upload").click()
        choose(page, *sorted(images.glob("f*.png"), reverse=True))
        first_frame(page)
        draw(page, scene.boxes[0])
        page.get_by_role("button", name="Track", exact=True).click()
        job_of(page)
        ended(page)
        go_to(page, 10)
        job = server.json(f"/v1/jobs/{job_of(page)}")
        assert job["source"]["kind"] == "archive" and job["progress"]["frames_done"] == 12, job
        states = [frame["targets"][0]["state"] for frame in server.frames(job["id"])]
        assert states == ["tracked"] * 12, states
        assert page.locator(".kind").text_content() == "frames by the server"
        assert not page.troubles, page.troubles


def targets_that_begin_later(folder):
    """A box is of the frame that it is drawn in, and tracking starts with the first of them."""
    server, scene = Server(folder), Scene(folder, frames=30)
    with browser() as chromium:
        page = open_page(chromium, allowed=("404", "Failed to load resource"))
        page.goto(server.url + "/")
        choose(page, scene.mp4())
        first_frame(page)
        page.get_by_label("Go to frame").fill("30")
        page.get_by_label("Go to frame").press("Enter")
        page.get_by_text("Frame 30 cannot be shown").wait_for()
        assert page.get_by_label("Go to frame").input_value() == "0"
        show_frame(page, 20)
        draw(page, scene.boxes[0])
        show_frame(page, 4)
        assert page.locator(".box").count() == 0 and page.get_by_text("cannot be shown").count() == 0
        draw(page, scene.boxes[1])
        until("both to be judged", lambda: page.locator(".rating strong").count() == 2)
        page.get_by_role("button", name="From frame 20").click()
        until("its box", lambda: page.locator(".box").get_attribute("aria-label").startswith("Box target-1"))
        # What was drawn is there after a reload, each in its frame.
        page.reload()
        first_frame(page)
        until("its box", lambda: page.locator(".box-name").all_inner_texts() == ["target-1"])
        page.get_by_role("button", name="Track 2 targets").click()
        job = job_of(page)
        ended(page)
        spec = server.json(f"/v1/jobs/{job}")["spec"]
        assert [spec["start_frame"]] + [target["start_frame"] for target in spec["targets"]] == [4, 20, 4], spec
        go_to(page, 19)
        assert page.locator(".state").all_inner_texts() == ["not yet", "tracked"]
        go_to(page, 20)
        assert page.locator(".state").all_inner_texts() == ["tracked, given", "tracked"]
        # The one that comes later has its place and its colour everywhere.
        until("both lanes", lambda: page.locator(".lane-name").all_inner_texts() == ["target-1", "target-2"])
        colors = "(elements) => elements.map((element) => element.style.getPropertyValue('--color'))"
        assert page.locator(".lane").evaluate_all(colors) == page.locator(".inspected > li").evaluate_all(colors)
        assert not page.troubles, page.troubles


def where_a_target_is_lost(folder):
    """A cloth passes before the second target: it is lost there, and the way there is a key or a button."""
    server, scene = Server(folder), Scene(folder, frames=80)
    x, _, width, _ = scene.boxes[1]
    covered = folder / "covered.mp4"
    subprocess.run(["ffmpeg", "-v", "error", "-i", scene.avi, "-vf",
                    f"drawbox=x={x - 40}:y=0:w={width + 80}:h=ih:color=0x39424f:t=fill:enable='between(n,30,55)'",
                    "-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", covered], check=True)
    job = server.submit(covered, *scene.rois)
    server.finish(job)
    gone = [frame["targets"][1]["state"] in ("lost", "out_of_frame") for frame in server.frames(job)]
    losses = [n for n in range(1, 80) if gone[n] and not gone[n - 1]]
    assert losses and not any(frame["targets"][0]["state"] == "lost" for frame in server.frames(job))
    with browser() as chromium:
        page = open_page(chromium)
        page.goto(f"{server.url}/#/jobs")
        page.locator(".card-link").click()
        until("the first frame", lambda: shown_frame(page) == 0)
        keys_in_the_ordinary_flow(page)
        page.get_by_text("Lost once" if len(losses) == 1 else f"Lost {len(losses)} times").wait_for()
        page.get_by_role("button", name="Next loss").click()
        until("the loss", lambda: shown_frame(page) == losses[0])
        assert page.locator(".state").nth(1).inner_text() in ("lost", "out of frame")
        go_to(page, 79)
        page.locator(".viewer").focus()
        page.keyboard.press("l")
        until("to be told", lambda: page.locator("#announcer").text_content() == "Nothing is lost after this frame.")
        page.keyboard.press("Shift+L")
        until("the loss before", lambda: shown_frame(page) == losses[-1])
        go_to(page, 0)
        page.get_by_role("button", name=": target-2").click()
        until("the loss of the target", lambda: shown_frame(page) == losses[0])
        assert page.get_by_role("button", name=": target-1").count() == 0
        assert not page.troubles, page.troubles


def keys_in_the_ordinary_flow(page):
    """Nobody has to look for the player first: not who comes from the list, nor who clicked beside it."""
    assert page.evaluate("document.activeElement.tagName") == "H1"
    page.keyboard.press("Space")
    until("it to play", lambda: shown_frame(page) > 1)
    page.keyboard.press("Home")
    until("the first frame", lambda: shown_frame(page) == 0)
    place = page.locator("#view").bounding_box()
    page.mouse.click(place["x"] + 4, place["y"] + 300)
    assert page.evaluate("document.activeElement.id") == "view"
    page.keyboard.press("ArrowRight")
    until("a step", lambda: shown_frame(page) == 1)
    assert page.evaluate("scrollY") == 0


def reload_in_the_middle(folder):
    """A page that is loaded anew while the job runs goes on watching, to the same end."""
    server, scene = Server(folder), Scene(folder, frames=60)
    job = server.submit(scene.again(10), *scene.rois)
    with browser() as chromium:
        page = open_page(chromium)
        page.goto(f"{server.url}/#/jobs/{job}")
        until("frames", lambda: shown_frame(page) > 0)
        assert status(page) == "running"
        assert "frames a second" in page.locator(".progress").inner_text()
        # A frame that is still to come is waited for.
        page.goto(f"{server.url}/#/jobs/{job}?frame=590")
        until("frames", lambda: shown_frame(page) > 0)
        page.reload()
        ended(page)
        until("the frame", lambda: shown_frame(page) == 590)
        until("its address", lambda: page.evaluate("location.hash") == f"#/jobs/{job}?frame=590")
        until("all frames", lambda: page.get_by_label("Frame", exact=True).get_attribute("max") == "599")
        states = [frame["targets"][0]["state"] for frame in server.frames(job)]
        summary = page.locator(".lane-summary").first
        until("the timeline", lambda: summary.text_content().startswith(f"{states.count('tracked'):,} tracked"))
        assert not page.troubles, page.troubles


scenarios(drop_draw_watch_take, many_images, targets_that_begin_later, where_a_target_is_lost, reload_in_the_middle)
