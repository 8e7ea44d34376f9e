"""The picture on the stage is the frame that it is called, by whatever way it comes."""

import subprocess

from lktrack_page import Scene, Server, browser, go_to, open_page, scenarios, shown_frame, until

SIZE = (40, 30)

# Mean levels of a picture, small, as the browser sees both: that of the stage, and those of the server, each of which is
# asked for once. A picture that is off by more than one frame is more like a neighbour than like the one it is called.
GRAY = """
  const gray = (image) => {
    const canvas = new OffscreenCanvas(%d, %d);
    const context = canvas.getContext('2d');
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    return Array.from({ length: data.length / 4 }, (_, i) => data[4 * i] + data[4 * i + 1] + data[4 * i + 2]);
  };
  const truths = (window.truths ??= new Map());
  const truth = async (job, n) => {
    if (!truths.has(n)) truths.set(n, gray(await createImageBitmap(await (await fetch(`/v1/jobs/${job}/frames/${n}`)).blob())));
    return truths.get(n);
  };
  const nearest = async (job, shown, frame, last) => {
    let best = [Infinity, -1];
    for (let n = Math.max(0, frame - 1); n <= Math.min(last, frame + 1); n += 1) {
      const difference = (await truth(job, n)).reduce((sum, value, i) => sum + Math.abs(value - shown[i]), 0);
      if (difference < best[0]) best = [difference, n];
    }
    return best[1];
  };
""" % SIZE


def nearest_frame(page, job, frame, last):
    """Which of the server's frames around a number the stage shows."""
    return page.evaluate(
        """async ([job, frame, last]) => {%s
          return nearest(job, gray(document.querySelector('.picture')), frame, last);
        }""" % GRAY, [job, frame, last])


def steps_and_seeks(page, job, last):
    for frame in (0, 1, last // 2, last, 41, 40, 39):
        go_to(page, frame)
        assert nearest_frame(page, job, frame, last) == frame, frame
    page.locator(".viewer").focus()
    for _ in range(3):
        before = shown_frame(page)
        page.keyboard.press("ArrowRight")
        until("a step", lambda: shown_frame(page) == before + 1)
    assert nearest_frame(page, job, before + 1, last) == before + 1


def while_it_plays(page, job, last):
    """Pictures and their numbers are taken together while it plays, and compared afterwards."""
    go_to(page, 5)
    page.get_by_label("Speed").select_option("0.25")
    page.get_by_role("button", name="Play", exact=True).click()
    taken = page.evaluate(
        """async () => {%s
          const scrub = document.querySelector('.scrub');
          const taken = [];
          for (let i = 0; i < 200 && taken.length < 12; i += 1) {
            await new Promise((resolve) => setTimeout(resolve, 35));
            const row = Number(scrub.value);
            if (row > 8 && taken.at(-1)?.row !== row) taken.push({ row, gray: gray(document.querySelector('.picture')) });
          }
          return taken;
        }""" % GRAY)
    assert len(taken) >= 5, len(taken)
    page.get_by_role("button", name="Pause", exact=True).click()
    off = page.evaluate(
        """async ([job, taken, last]) => {%s
          const off = [];
          for (const { row, gray: shown } of taken) {
            const found = await nearest(job, shown, row, last);
            if (found !== row) off.push([row, found]);
          }
          return off;
        }""" % GRAY, [job, taken, last])
    assert not off, off


LAST = 59


def look(chromium, server, job, way, script):
    page = open_page(chromium, allowed=("/source", "503"))
    if script:
        page.add_init_script(script)
    page.goto(f"{server.url}/#/jobs/{job}")
    until("the first frame", lambda: shown_frame(page) == 0)
    assert page.locator(".kind").text_content() == way, page.locator(".kind").text_content()
    steps_and_seeks(page, job, LAST)
    while_it_plays(page, job, LAST)
    assert not page.troubles, page.troubles
    page.context.close()


def late(scene):
    """A container whose first time stamp is not 0, beside a sound track that begins earlier."""
    path = scene.avi.with_name("late.mp4")
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "sine=duration=5", "-itsoffset", "0.4", "-i",
                    str(scene.mp4()), "-map", "0:a", "-map", "1:v", "-c:v", "copy", "-c:a", "aac", str(path)], check=True)
    return path


def whoever_decodes(folder):
    """By the browser: H.264 with B-frames, from the start and from a late one. By the server: where the codec is
    foreign to the browser, and where the browser does not tell which frame it shows."""
    server, scene = Server(folder), Scene(folder, frames=LAST + 1)
    plain, later, foreign = (server.submit(video, *scene.rois) for video in (scene.mp4(), late(scene), scene.avi))
    for job in (plain, later, foreign):
        server.finish(job)
    with browser() as chromium:
        look(chromium, server, plain, "", "")
        look(chromium, server, later, "", "")
        look(chromium, server, foreign, "frames by the server", "")
        look(chromium, server, plain, "frames by the server", "delete HTMLVideoElement.prototype.requestVideoFrameCallback")


scenarios(whoever_decodes)
