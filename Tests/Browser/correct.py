"""Correct a box at a frame, run again from there, compare before and after."""

import json

from lktrack_page import (Scene, Server, browser, draw, drawn_box, ended, go_to, job_of, open_page, scale, scenarios,
                          shown_frame, status, until)

BLUE = (0x35, 0xB7, 0xFF)


def correct_at_a_frame(folder):
    server, scene = Server(folder), Scene(folder, frames=80)
    before = server.submit(scene.mp4(), *scene.rois)
    server.finish(before)
    uploads = len(list(server.data.glob("blobs/**/source*")))
    with browser() as chromium:
        page = open_page(chromium)
        page.goto(f"{server.url}/#/jobs/{before}")
        until("the first frame", lambda: shown_frame(page) == 0)
        go_to(page, 40)
        page.get_by_role("button", name="Correct").click()
        box = page.locator(".box").first
        box.wait_for()
        # With the mouse: seven pixels to the right and four down, at whatever scale; then one to the left by a key.
        place, by = box.bounding_box(), scale(page)
        x, y = place["x"] + place["width"] / 2, place["y"] + place["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + 7 * by, y + 4 * by, steps=3)
        page.mouse.up()
        box.focus()
        page.keyboard.press("ArrowLeft")
        assert page.locator(".corrections").inner_text().startswith("target-1 at frame 40")
        # The other one is drawn anew, at another frame.
        go_to(page, 60)
        old = server.frames(before)[60]["targets"][1]["box"]
        anew = [round(old[0]) - 14, round(old[1]) - 12, 50, 40]
        page.get_by_label("A box that is drawn is of").select_option("target-2")
        draw(page, anew)
        assert page.locator(".box").count() == 2
        assert "target-2 at frame 60" in page.locator(".corrections").inner_text()
        # What was drawn is not dropped unasked.
        page.get_by_role("button", name="Correct").click()
        page.get_by_role("dialog").get_by_role("button", name="Keep them").click()
        assert page.locator(".corrections li").count() == 2
        page.get_by_role("button", name="Track again with these").click()

        after = until("another job", lambda: (job := job_of(page)) != before and job)
        # The page shows how the job before ended until it has read the new one: the server is asked first.
        server.finish(after)
        ended(page)
        spec = server.json(f"/v1/jobs/{after}")["spec"]
        found = server.frames(before)[40]["targets"][0]["box"]
        [keyframe] = spec["targets"][0]["keyframes"]
        [drawn] = spec["targets"][1]["keyframes"]
        assert keyframe["frame"] == 40 and drawn["frame"] == 60
        assert all(abs(a - b) <= 1 for a, b in zip(drawn["box"], anew)), (drawn, anew)
        moved = [found[0] + 6, found[1] + 4, found[2], found[3]]
        assert all(abs(a - b) <= 1 for a, b in zip(keyframe["box"], moved)), (keyframe, moved)
        frames = server.frames(after)
        assert frames[40]["targets"][0]["keyframe"] and frames[40]["targets"][0]["box"] == keyframe["box"]
        # Nothing was uploaded again, and what comes before the correction is as it was.
        assert server.json(f"/v1/jobs/{after}")["source"] == server.json(f"/v1/jobs/{before}")["source"]
        assert frames[:40] == server.frames(before)[:40]
        compare(page, after, before)
        beside_one_with_other_frames(page, server, after, server.submit(scene.mp4(), spec=other_frames(scene)))
        assert not page.troubles, page.troubles


def compare(page, after, before):
    """Both are shown side by side, at the same frame, with the same picture under their own boxes."""
    until("both", lambda: page.locator(".side figcaption").all_inner_texts()[:1] == ["After"])
    assert page.locator(".side figcaption").nth(1).inner_text().startswith("Before")
    for frame in (60, 40):
        # At first it is the frame that was corrected.
        if frame != 60:
            go_to(page, frame)
        until(f"frame {frame}", lambda: shown_frame(page) == frame)
        until("the same pictures", lambda: page.evaluate(
            """() => {
              const [a, b] = [...document.querySelectorAll('.picture')].map((canvas) =>
                canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data);
              return a.length === b.length && a.every((value, i) => value === b[i]);
            }"""))
    go_to(page, 40)
    boxes = page.evaluate("[...document.querySelectorAll('.overlay')].map((canvas) => canvas.toDataURL())")
    assert len(boxes) == 2 and boxes[0] != boxes[1]
    assert f"with={before}" in page.evaluate("location.hash") and after in page.evaluate("location.hash")
    page.get_by_role("button", name="Close").click()
    until("one alone", lambda: page.locator(".side").count() == 1)


def other_frames(scene):
    """Every third frame from 10 to 39, and a target of another name."""
    return json.dumps({"targets": [{"id": "car", "box": scene.boxes[0]}], "start_frame": 10, "stop_frame": 40, "frame_step": 3})


def beside_one_with_other_frames(page, server, job, other):
    """Its boxes lie on the frames that they are of, whatever they are called, and on no other."""
    server.finish(other)
    page.goto(f"{server.url}/#/jobs/{job}?with={other}&frame=19")
    until("frame 19", lambda: shown_frame(page) == 19 and page.locator(".overlay").count() == 2)
    drawn = lambda: drawn_box(page, BLUE, ".overlay >> nth=1")[2] > 0
    note = page.locator(".stage-note").nth(1)
    until("its box", drawn)
    for frame, is_there in ((20, False), (39, False), (37, True), (60, False), (5, False), (10, True)):
        go_to(page, frame)
        until("what is there to be drawn", lambda: drawn() == is_there)
        assert note.is_visible() != is_there
    go_to(page, 60)
    assert note.inner_text() == "Not tracked here."


def two_jobs_of_two_videos(folder):
    """Jobs of other videos can be laid beside, in step by the number of the frame."""
    server = Server(folder)
    one, other = Scene(folder, frames=30), Scene(folder, "other", frames=30, seed=8, targets=1)
    first, second = server.submit(one.mp4(), *one.rois), server.submit(other.avi, *other.rois)
    server.finish(first)
    server.finish(second)
    with browser() as chromium:
        page = open_page(chromium, allowed=("/source",))
        page.goto(f"{server.url}/#/jobs/{first}")
        until("the first frame", lambda: shown_frame(page) == 0)
        page.get_by_role("button", name="Compare").click()
        page.locator(".pick").first.click()
        until("two stages", lambda: page.locator(".stage").count() == 2)
        go_to(page, 21)
        truth = "[...document.querySelectorAll('.picture')].map((canvas) => canvas.toDataURL().length > 5000)"
        until("two pictures", lambda: page.evaluate(truth) == [True, True])
        page.locator(".side .stage-note").first.wait_for(state="hidden")
        same = page.evaluate(
            """async (job) => {
              const response = await fetch(`/v1/jobs/${job}/frames/21`, { headers: { Accept: 'image/jpeg' } });
              const image = await createImageBitmap(await response.blob());
              const canvas = new OffscreenCanvas(image.width, image.height);
              canvas.getContext('2d').drawImage(image, 0, 0);
              const truth = canvas.getContext('2d').getImageData(0, 0, image.width, image.height).data;
              for (let i = 0; i < 100; i += 1) {
                const shown = document.querySelectorAll('.picture')[1];
                const data = shown.getContext('2d').getImageData(0, 0, shown.width, shown.height).data;
                if (data.length === truth.length && data.every((value, at) => value === truth[at])) return true;
                await new Promise((resolve) => setTimeout(resolve, 50));
              }
              return false;
            }""", second)
        assert same
        assert status(page) == "succeeded" and not page.troubles, page.troubles


scenarios(correct_at_a_frame, two_jobs_of_two_videos)
