"""Where keys are on, the page asks for one, keeps it for the session, and works with it in every part."""

from lktrack_page import (Scene, Server, browser, choose, draw, ended, first_frame, go_to, open_page, scenarios,
                          shown_frame, until)

EXPECTED = ("401", "Failed to load resource")


def with_a_key(folder):
    server, scene = Server(folder), Scene(folder, frames=30)
    key = server.lktrack("keys", "create", "--tenant", "acme").split()[0]
    until("the key to be known", lambda: server.status("/v1/jobs") == 401)
    with browser() as chromium:
        page = open_page(chromium, allowed=EXPECTED, accept_downloads=True)
        page.goto(server.url + "/#/jobs")
        dialog = page.get_by_role("dialog", name="This server wants a key")
        dialog.wait_for()
        page.get_by_label("Key", exact=True).fill("lkt_wrong")
        page.keyboard.press("Enter")
        until("it to be asked for again", lambda: page.get_by_label("Key", exact=True).input_value() == "")
        page.get_by_label("Key", exact=True).fill(key)
        page.get_by_role("button", name="Use this key").click()
        page.get_by_text("There is no job yet").wait_for()

        page.get_by_role("button", name="Track a video").click()
        choose(page, scene.mp4())
        first_frame(page)
        draw(page, scene.boxes[0])
        assert '-H "Authorization: Bearer $KEY"' in page.locator(".curl code").text_content()
        assert key not in page.content()
        page.get_by_role("button", name="Track", exact=True).click()
        ended(page)
        until("a frame", lambda: shown_frame(page) >= 0)
        # By an object URL of what was fetched with the key: the browser decodes it.
        assert page.locator(".kind").text_content() == ""
        go_to(page, 17)
        with page.expect_download() as download:
            page.get_by_role("link", name="CSV").click()
        with open(download.value.path(), "rb") as file:
            assert file.read().startswith(b"frame,pts,time,target")
        page.get_by_role("link", name="Jobs").click()
        until("a thumbnail", lambda: page.locator(".thumb canvas").count() == 1)

        # For the session only, and to be forgotten at once.
        assert page.evaluate("[Object.values(sessionStorage), Object.values(localStorage), document.cookie]") == [[key], [], ""]
        page.get_by_role("button", name="Forget the key").click()
        dialog.wait_for()
        assert page.evaluate("Object.values(sessionStorage)") == []
        assert "Bearer" not in dialog.inner_text()
        not_now(page, dialog, scene, key)
        assert not page.troubles, page.troubles


def not_now(page, dialog, scene, key):
    """Who has no key is told so once, and is neither asked again nor shown an outage, until a key is to be given."""
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    page.clock.install()
    page.get_by_role("button", name="Not now").click()
    page.get_by_text("Without a key this server shows nothing").wait_for()
    page.get_by_role("link", name="Track", exact=True).click()
    choose(page, scene.mp4())
    page.get_by_text("The upload stopped").wait_for()
    page.get_by_role("link", name="Jobs").click()
    page.get_by_text("The jobs cannot be listed").wait_for()
    requests.clear()
    page.clock.run_for(20_000)
    assert not dialog.is_visible() and not [url for url in requests if "/v1/" in url], requests
    assert page.locator(".message").count() == 1

    page.get_by_role("button", name="Enter a key").click()
    dialog.get_by_label("Key", exact=True).fill(key)
    page.keyboard.press("Enter")
    page.locator(".card").wait_for()


scenarios(with_a_key)
