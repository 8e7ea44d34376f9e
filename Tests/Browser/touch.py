"""On a phone, with fingers: a box is drawn, moved and resized, the page scrolls beside it, and the job is looked at."""

from lktrack_page import (Scene, Server, browser, choose, ended, first_frame, job_of, open_page, scale, scenarios,
                          shown_frame, until)

PHONE = dict(viewport={"width": 360, "height": 740}, device_scale_factor=2, is_mobile=True, has_touch=True)


class Fingers:
    """Touches as the browser gets them from the screen, so that it may take them for scrolling or zooming."""

    def __init__(self, page):
        self.session = page.context.new_cdp_session(page)

    def send(self, kind, *points):
        self.session.send("Input.dispatchTouchEvent", {
            "type": kind, "touchPoints": [{"x": x, "y": y, "id": index} for index, (x, y) in enumerate(points)]})

    def drag(self, start, end, steps=6):
        self.send("touchStart", start)
        for step in range(1, steps + 1):
            self.send("touchMove", tuple(a + (b - a) * step / steps for a, b in zip(start, end)))
        self.send("touchEnd")


def places(page):
    """From the picture's pixels to the screen's."""
    corner, by = page.locator(".layer").first.bounding_box(), scale(page)
    return lambda x, y: (corner["x"] + x * by, corner["y"] + y * by)


def box_of(page):
    return [float(page.locator(".numbers-row input").nth(side).input_value()) for side in range(4)]


def near(box, expected):
    # A pixel of the screen is less than one of the picture here.
    assert all(abs(a - b) <= 1.5 for a, b in zip(box, expected)), (box, expected)


def draw_by_touch(folder):
    server, scene = Server(folder), Scene(folder, frames=30)
    with browser() as chromium:
        page = open_page(chromium, **PHONE)
        page.goto(server.url + "/")
        choose(page, scene.mp4())
        first_frame(page)
        fingers = Fingers(page)
        page.locator(".stage").scroll_into_view_if_needed()
        at, top = places(page), page.evaluate("scrollY")
        x, y, width, height = scene.boxes[0]

        fingers.drag(at(x - 20, y - 10), at(x + width - 20, y + height - 10))
        near(box_of(page), [x - 20, y - 10, width, height])
        # By its middle it is moved, by its handle resized: they are shown without a pointer that hovers.
        fingers.drag(at(x - 20 + width / 2, y - 10 + height / 2), at(x + width / 2, y + height / 2))
        near(box_of(page), [x, y, width, height])
        handle = page.locator(".handle.se")
        assert handle.evaluate("(element) => getComputedStyle(element).opacity") == "1"
        fingers.drag(at(x + width, y + height), at(x + width + 30, y + height + 20))
        near(box_of(page), [x, y, width + 30, height + 20])
        assert page.locator(".box").count() == 1 and page.evaluate("scrollY") == top

        # Two fingers zoom the page, and leave no box behind.
        pinch(page, fingers, at)
        until("the box to be gone", lambda: page.locator(".box").count() == 1)
        near(box_of(page), [x, y, width + 30, height + 20])
        # Beside the picture a finger scrolls.
        fingers.drag((180, 700), (180, 400))
        until("the page to scroll", lambda: page.evaluate("scrollY") > top)

        page.get_by_role("button", name="Track", exact=True).tap()
        job = job_of(page)
        ended(page)
        near(server.json(f"/v1/jobs/{job}")["spec"]["targets"][0]["box"], [x, y, width + 30, height + 20])
        until("a frame", lambda: shown_frame(page) >= 0)
        lane = page.locator(".lanes canvas").first
        lane.scroll_into_view_if_needed()
        place = lane.bounding_box()
        page.touchscreen.tap(place["x"] + place["width"] * 10.5 / 30, place["y"] + 20)
        until("frame 10", lambda: shown_frame(page) == 10)
        assert not page.troubles, page.troubles


def pinch(page, fingers, at):
    """Outwards and inwards again, on the picture, where there is no box. The first finger has drawn one already when
    the second comes."""
    (left, top), (right, _) = at(200, 180), at(230, 180)
    fingers.send("touchStart", (left, top))
    fingers.send("touchMove", (left - 8, top + 8))
    until("a box", lambda: page.locator(".box").count() == 2)
    fingers.send("touchStart", (left - 8, top + 8), (right, top))
    for spread in (10, 20, 40, 60, 40, 20, 8):
        fingers.send("touchMove", (left - spread, top + 8), (right + spread, top))
    fingers.send("touchEnd")


scenarios(draw_by_touch)
