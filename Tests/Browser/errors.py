"""Each kind of error is shown as a sentence that helps, and hostile names are only names."""

from lktrack_page import (Scene, Server, browser, choose, draw, first_frame, job_of, open_page, scenarios, show_frame,
                          shown_frame, until)

EXPECTED = ("Failed to load resource", "ERR_")


def notice(page) -> str:
    message = page.locator(".message").first
    message.wait_for()
    return message.inner_text()


def submitted(page, server, video, box=(60, 60, 60, 60)):
    page.goto(server.url + "/")
    choose(page, video)
    first_frame(page)
    draw(page, box)
    page.get_by_role("button", name="Track", exact=True).click()


def files_that_are_none(folder):
    server = Server(folder, LKTRACK_LIMITS_UPLOAD_BYTES="2000000")
    with browser() as chromium:
        page = open_page(chromium, allowed=EXPECTED)
        page.goto(server.url + "/")
        for name, content in {"a.txt": b"no video", "empty.mp4": b"", "b.txt": b"neither"}.items():
            (folder / name).write_bytes(content)
        (folder / "large.mp4").write_bytes(bytes(2_000_001))

        choose(page, folder / "empty.mp4")
        assert "has no bytes" in notice(page)
        choose(page, folder / "a.txt", folder / "b.txt")
        assert "only if all of them are images; “a.txt” is none" in notice(page)
        choose(page, folder / "large.mp4")
        until("that it is too large", lambda: "at most 2000000 bytes" in notice(page))
        assert "Cut or scale the video down" in notice(page)
        page.get_by_label("Remove this upload").click()

        choose(page, folder / "a.txt")
        until("that it is no video", lambda: page.get_by_text("The first frame cannot be shown").count() == 1)
        assert "Videos in MP4" in notice(page), notice(page)
        assert notice(page).count("but the content is none that is known") == 1, notice(page)
        assert page.locator(".stage-note").inner_text() == "There is no picture to draw on."
        assert not page.troubles, page.troubles


def jobs_that_are_not_there_or_fail(folder):
    server = Server(folder, LKTRACK_LIMITS_FRAMES="20")
    scene = Scene(folder, frames=40)
    with browser() as chromium:
        page = open_page(chromium, allowed=EXPECTED)
        page.goto(server.url + "/#/jobs/01900000-0000-7000-8000-000000000000")
        text = notice(page)
        assert "There is no job with this id" in text and "The list shows what there is" in text
        page.get_by_role("button", name="Go to the list").click()
        page.get_by_text("There is no job yet").wait_for()

        # Already the first frame of such a video is refused.
        page.get_by_role("button", name="Track a video").click()
        choose(page, scene.mp4())
        page.get_by_text("it holds more than 20 frames").wait_for()
        job = server.submit(scene.avi, *scene.rois)
        page.goto(f"{server.url}/#/jobs/{job}")
        until("that it failed", lambda: "The job failed" in notice(page))
        assert "Cut or scale the video down, or have the limits of the server raised" in notice(page), notice(page)
        assert not page.troubles, page.troubles


def a_server_that_refuses(folder):
    """The queue is full; the spec is wrong; the server is gone."""
    scene = Scene(folder, frames=10)
    cases = [
        (dict(LKTRACK_LIMITS_QUEUED_JOBS="1", LKTRACK_ROLES="api"), "1 jobs are waiting already", "Try again in 10 s."),
        (dict(LKTRACK_WEBHOOKS_SECRET=""), None, None),
    ]
    with browser() as chromium:
        for environment, says, advises in cases:
            server = Server(folder, **environment)
            page = open_page(chromium, allowed=EXPECTED)
            if says:
                server.submit(scene.avi, *scene.rois)
                submitted(page, server, scene.mp4(), scene.boxes[0])
                until(says, lambda: says in notice(page))
                assert advises in notice(page), notice(page)
                # Nothing is lost: it can be sent again.
                assert page.get_by_role("button", name="Track", exact=True).is_enabled()
            else:
                wrong_spec_and_no_server(page, server, scene)
            assert not page.troubles, page.troubles


def wrong_spec_and_no_server(page, server, scene):
    page.goto(server.url + "/")
    choose(page, scene.mp4())
    first_frame(page)
    draw(page, scene.boxes[0])
    page.get_by_text("Options", exact=True).click()
    page.get_by_label("Stop before").fill("3")
    page.get_by_label("Labels").fill("camera = 7, 8/9=west")
    page.get_by_role("button", name="Track", exact=True).click()
    until("which field is wrong", lambda: "labels, 8/9: a label's name must be" in notice(page))
    page.get_by_label("Labels").fill("")
    page.get_by_label("Remove target-1").click()
    show_frame(page, 5)
    draw(page, scene.boxes[0])
    page.get_by_role("button", name="Track", exact=True).click()
    until("which field is wrong", lambda: "stop_frame: must be greater than start_frame (5)" in notice(page))
    assert "Request " in notice(page)
    page.get_by_label("Stop before").fill("")
    server.crash()
    page.get_by_role("button", name="Track", exact=True).click()
    until("that nobody answers", lambda: "The server does not answer" in notice(page))
    assert "Nothing is lost" in notice(page)
    server.start()
    page.get_by_role("button", name="Track", exact=True).click()
    job_of(page)


def too_many_requests(folder):
    """A short wait is waited; where it is long, it is said how long."""
    scene = Scene(folder, frames=10)
    server = Server(folder, LKTRACK_LIMITS_REQUESTS_PER_SECOND="2")
    with browser() as chromium:
        page = open_page(chromium, allowed=EXPECTED)
        submitted(page, server, scene.mp4(), scene.boxes[0])
        job_of(page)
        until("a frame", lambda: shown_frame(page) >= 0)
        assert page.locator(".message").count() == 0
        assert any("429" in text for text in page.refusals), page.refusals
        assert not page.troubles, page.troubles

        server = Server(folder, LKTRACK_LIMITS_OPEN_UPLOADS="1")
        page = open_page(chromium, allowed=EXPECTED)
        page.goto(server.url + "/")
        choose(page, scene.mp4())
        first_frame(page)
        other = open_page(chromium, allowed=EXPECTED)
        other.goto(server.url + "/")
        choose(other, scene.mp4())
        text = notice(other)
        assert "1 uploads are open already" in text and "Try again in 1 min." in text, text
        page.get_by_label("Remove this upload").click()
        page.get_by_role("button", name="Choose files").wait_for()
        other.get_by_role("button", name="Try again").click()
        first_frame(other)
        assert not page.troubles + other.troubles, (page.troubles, other.troubles)


def results_that_are_kept_no_more(folder):
    server, scene = Server(folder, LKTRACK_RETENTION_SECONDS="1"), Scene(folder, frames=10)
    job = server.submit(scene.mp4(), *scene.rois)
    until("its time to be over", lambda: server.status(f"/v1/jobs/{job}/results") == 410)
    with browser() as chromium:
        page = open_page(chromium, allowed=EXPECTED)
        page.goto(f"{server.url}/#/jobs/{job}")
        text = notice(page)
        assert "its results are not kept any more" in text and "kept for a while after its end" in text, text
        assert "kept until" in page.locator(".facts").inner_text()
        assert page.get_by_role("button", name="Correct").is_hidden()
        page.get_by_role("button", name="Go to the list").click()
        until("its card", lambda: page.locator(".card").count() == 1)
        assert not page.troubles, page.troubles


def a_full_disk(folder):
    server = Server(folder, LKTRACK_LIMITS_DISK_RESERVE_BYTES=str(1 << 49))
    scene = Scene(folder, frames=10)
    with browser() as chromium:
        page = open_page(chromium, allowed=EXPECTED)
        page.goto(server.url + "/")
        choose(page, scene.mp4())
        until("that there is no space", lambda: page.locator(".upload .message, .notice .message").count() > 0)
        assert "Delete jobs that are not needed any more" in page.locator(".view").inner_text()
        assert not page.troubles, page.troubles


def hostile_names(folder):
    """What came from elsewhere is text, wherever it is shown."""
    server, scene = Server(folder), Scene(folder, frames=10)
    hostile = "<img src=x onerror=alert(1)>.mp4"
    video = folder / hostile
    video.write_bytes(scene.mp4().read_bytes())
    with browser() as chromium:
        page = open_page(chromium)
        page.on("dialog", lambda dialog: page.troubles.append(dialog.message))
        submitted(page, server, video, scene.boxes[0])
        job_of(page)
        until("its name", lambda: page.locator("h1").text_content() == hostile)
        until("a frame", lambda: shown_frame(page) >= 0)
        assert page.title() == f"{hostile} · lktrack"
        page.get_by_role("link", name="Jobs").click()
        until("its card", lambda: page.locator(".card-name").count() == 1)
        assert page.locator(".card-name").text_content() == hostile
        assert page.locator("img").count() == 0
        page.goto(server.url + "/#/jobs/" + "<img src=x onerror=alert(1)>")
        assert "There is no job" in notice(page)
        troubles = [text for text in page.troubles if "404" not in text]
        assert not troubles, troubles


scenarios(files_that_are_none, jobs_that_are_not_there_or_fail, a_server_that_refuses, too_many_requests,
          results_that_are_kept_no_more, a_full_disk, hostile_names)
