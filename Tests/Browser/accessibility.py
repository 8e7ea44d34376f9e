"""Everybody can use it: axe finds nothing, the keyboard alone is enough, and it fits every screen."""

from axe_playwright_python.sync_playwright import Axe

from lktrack_page import (Scene, Server, browser, choose, draw, ended, first_frame, job_of, open_page,
                          run, scenarios, shown_frame, until)

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], "resultTypes": ["violations"]}
# Widths and heights, and the colours in which axe looks at each view: it takes longer than all the rest.
SCREENS = [(360, 740, "dark"), (1280, 900, "light"), (3840, 2160, None)]


def examined(page, view):
    results = Axe().run(page, options=RULES)
    found = [(v["id"], v["help"], [node["html"][:160] for node in v["nodes"][:4]]) for v in results.response["violations"]]
    assert not found, (view, found)
    assert len(results.response["passes"]) > 5, view


def every_view(page, server, scene, job, failed):
    """Shows each view in turn, with something in it."""
    page.goto(server.url + "/#/")
    page.get_by_role("button", name="Choose files").wait_for()
    yield "drop"
    choose(page, scene.mp4())
    first_frame(page)
    draw(page, scene.boxes[0])
    until("a judgement", lambda: page.locator(".rating strong").count() == 1)
    for summary in page.locator("summary").all():
        summary.click()
    yield "draw"
    page.get_by_label("Remove this upload").click()
    page.goto(f"{server.url}/#/jobs/{job}")
    until("the first frame", lambda: shown_frame(page) == 0)
    yield "look"
    page.get_by_role("button", name="Correct").click()
    page.locator(".box").first.wait_for()
    yield "correct"
    page.get_by_role("button", name="Leave").click()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").wait_for()
    yield "dialog"
    page.get_by_role("button", name="Keep it").click()
    page.get_by_role("button", name="Compare").click()
    page.locator(".pick").first.click()
    until("two stages", lambda: page.locator(".side figcaption").count() == 2 and page.locator(".side .stage-note:visible").count() == 0)
    yield "compare"
    page.goto(f"{server.url}/#/jobs/{failed}")
    page.get_by_text("The job failed").wait_for()
    yield "failed"
    page.goto(server.url + "/#/jobs")
    until("cards", lambda: page.locator(".card").count() >= 2)
    yield "jobs"
    page.goto(f"{server.url}/embed/{job}")
    until("the first frame", lambda: shown_frame(page) == 0)
    yield "embed"


def material(folder):
    server, scene = Server(folder), Scene(folder, frames=25)
    job, other = server.submit(scene.mp4(), *scene.rois), server.submit(scene.mp4(), *scene.rois)
    broken = folder / "broken.avi"
    broken.write_bytes(scene.avi.read_bytes()[:6000])
    failed = server.submit(broken, *scene.rois)
    for each in (job, other, failed):
        server.finish(each)
    assert server.json(f"/v1/jobs/{failed}")["status"] == "failed"
    return server, scene, job, failed


def fits(page, view, width):
    """Nothing is cut off or has to be scrolled sideways, fingers hit what they want, and nothing moves."""
    room, content = page.evaluate("[document.documentElement.clientWidth, document.documentElement.scrollWidth]")
    assert content <= room, (view, width, content)
    small = page.evaluate(
        """() => [...document.querySelectorAll('button, a, input, select, summary')].filter((element) => {
          const { width, height } = element.getBoundingClientRect();
          return width > 0 && !element.closest('.sr-only, .skip, p, h1, figcaption') && element.className !== 'skip'
            && element.type !== 'checkbox' && element.type !== 'file' && Math.min(width, height) < 24;
        }).map((element) => element.outerHTML.slice(0, 120))""")
    assert not small, (view, width, small)
    moving = page.evaluate("document.getAnimations().length")
    assert moving == 0, (view, moving)


def on_every_screen(folder):
    """From 360 pixels to 4K, dark and light: each view fits, and axe finds nothing in it."""
    server, scene, job, failed = material(folder)
    with browser() as chromium:
        for width, height, scheme in SCREENS:
            page = open_page(chromium, viewport={"width": width, "height": height}, reduced_motion="reduce",
                             has_touch=width < 500, color_scheme=scheme)
            for view in every_view(page, server, scene, job, failed):
                fits(page, view, width)
                if scheme:
                    examined(page, f"{view}, {width}, {scheme}")
            assert not page.troubles, page.troubles


def tab_to(page, what, name):
    """With the Tab key alone. The focus is seen wherever it comes by."""
    for _ in range(80):
        page.keyboard.press("Tab")
        here = page.evaluate(
            """() => {
              const element = document.activeElement;
              const style = getComputedStyle(element);
              const seen = (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1) || element.matches('input, select');
              return [element.getAttribute('aria-label') || element.textContent.trim(), element.tagName.toLowerCase(), seen];
            }""")
        assert here[2] or here[1] == "body", f"the focus is not seen on {here}"
        if here[0].startswith(name) and here[1] in what:
            return
    raise AssertionError(f"no way by Tab to {name}")


def by_keyboard_alone(folder):
    """From the file (the system's dialog aside) to the result and a correction."""
    server, scene = Server(folder), Scene(folder, frames=40)
    with browser() as chromium:
        page = open_page(chromium)
        page.goto(server.url + "/")
        tab_to(page, ("button",), "Choose files")
        with page.expect_file_chooser() as chooser:
            page.keyboard.press("Enter")
        chooser.value.set_files(str(scene.mp4()))
        first_frame(page)
        tab_to(page, ("button",), "Add a box")
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.className") == "box"
        before = page.locator(".box").get_attribute("aria-label")
        for key in ("ArrowLeft", "Shift+ArrowUp", "Alt+ArrowRight", "Alt+ArrowDown"):
            page.keyboard.press(key)
        after = page.locator(".box").get_attribute("aria-label")
        assert before == "Box target-1: left 128, top 96, 64 by 48 pixels", before
        assert after == "Box target-1: left 127, top 86, 65 by 49 pixels", after
        page.keyboard.press("Delete")
        assert page.locator(".box").count() == 0
        assert page.evaluate("document.activeElement.textContent") == "Add a box"
        page.keyboard.press("Enter")
        for side, value in zip(("left", "top", "width", "height"), scene.boxes[0]):
            tab_to(page, ("input",), f"{side} of target-1")
            page.keyboard.press("Control+a")
            page.keyboard.type(str(value))
        tab_to(page, ("button",), "Track")
        page.keyboard.press("Enter")
        job = job_of(page)
        ended(page)
        assert server.json(f"/v1/jobs/{job}")["spec"]["targets"][0]["box"] == scene.boxes[0]
        assert page.evaluate("document.activeElement.tagName") == "H1"
        until("a frame", lambda: shown_frame(page) >= 0)

        tab_to(page, ("section",), "Player")
        for key, frame in (("Home", 0), ("ArrowRight", 1), ("Shift+ArrowRight", 11), ("ArrowLeft", 10), ("End", 39)):
            page.keyboard.press(key)
            until(f"{key} to lead to {frame}", lambda: shown_frame(page) == frame)
        page.keyboard.press("Home")
        page.keyboard.press("Space")
        until("it to play", lambda: shown_frame(page) > 3)
        page.keyboard.press("Space")
        until("it to stand still", lambda: page.get_by_role("button", name="Play", exact=True).count() == 1)
        page.keyboard.press("l")
        until("to be told", lambda: page.locator("#announcer").text_content() == "Nothing is lost after this frame.")
        assert not page.troubles, page.troubles


def filters_and_delete(folder):
    """The list by state and label, and what is deleted is gone."""
    server, scene = Server(folder), Scene(folder, frames=10)
    jobs = [server.submit(scene.avi, *scene.rois, **{"label.camera": str(camera)}) for camera in (7, 8)]
    for job in jobs:
        server.finish(job)
    with browser() as chromium:
        page = open_page(chromium)
        page.goto(server.url + "/#/jobs")
        cards = page.locator(".card")
        until("both", lambda: cards.count() == 2)
        until("thumbnails", lambda: page.locator(".thumb canvas").count() == 2)
        page.get_by_label("Label").fill("camera=8")
        page.get_by_label("Label").press("Enter")
        until("one", lambda: cards.count() == 1)
        assert cards.locator("a").get_attribute("href") == f"#/jobs/{jobs[1]}"
        page.get_by_label("State").select_option("failed")
        page.get_by_text("No job fits").wait_for()
        # What fits no more goes.
        page.get_by_label("State").select_option("queued")
        server.submit(scene.again(120), *scene.rois)
        jobs.append(server.submit(scene.avi, *scene.rois, **{"label.camera": "8"}))
        until("the one that waits", lambda: cards.count() == 1)
        page.get_by_text("No job fits").wait_for()
        page.get_by_label("State").select_option("")
        until("two", lambda: cards.count() == 2)
        # A job that comes meanwhile comes by itself.
        jobs.append(server.submit(scene.avi, *scene.rois, **{"label.camera": "8"}))
        until("three", lambda: cards.count() == 3)
        page.get_by_role("button", name="Delete scene.avi").last.click()
        page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        until("two", lambda: cards.count() == 2)
        assert page.evaluate("document.activeElement.tagName") == "H1"
        assert [job["id"] for job in server.json("/v1/jobs?label.camera=8")["jobs"]] == [jobs[3], jobs[2]]
        beyond_the_first_page(page, server, scene)
        assert not page.troubles, page.troubles


def beyond_the_first_page(page, server, scene):
    """What runs is written anew wherever in the list it is, and keeps the focus meanwhile."""
    running = server.submit(scene.again(600), *scene.rois)
    for _ in range(25):
        server.submit(scene.avi, *scene.rois)
    page.goto(server.url + "/#/")
    page.goto(server.url + "/#/jobs")
    page.get_by_role("button", name="Show more").click()
    card = page.locator(f".card[data-id='{running}']")
    card.locator("a").focus()
    told = card.locator(".card-foot").inner_text()
    until("the job to go on", lambda: card.locator(".card-foot").inner_text() != told)
    assert page.evaluate("document.activeElement.closest('.card')?.dataset.id") == running
    run("curl", "-sS", "-X", "POST", f"{server.url}/v1/jobs/{running}/cancel")
    until("its end", lambda: card.locator(".badge").get_attribute("data-status") == "canceled")
    assert page.evaluate("document.activeElement.closest('.card')?.dataset.id") == running


scenarios(on_every_screen, by_keyboard_alone, filters_and_delete)
