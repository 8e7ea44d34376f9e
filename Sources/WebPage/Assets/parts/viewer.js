// A job's frames with what was found in them, as they come and when they are there: stage, transport, timeline.

import { button, h } from "../base/dom.js";
import { openPictures, Player } from "../track/player.js";
import { JobFeed } from "./feed.js";
import { Inspector } from "./inspector.js";
import { Stage } from "./stage.js";
import { Timeline } from "./timeline.js";
import { Transport } from "./transport.js";

/** Least time between two frames that are shown of a running job: each costs the server, or the browser, a seek. */
const LIVE_PAUSE = 120;

export class Viewer {
  #feed;
  #opening = null;
  #shownAt = 0;

  /**
   * @param on {job, picture: (image), boxes, line: (error)}
   * @param firstFrame where to begin, as text; `null`: at the start, or with what is being tracked.
   */
  constructor(id, on, firstFrame = null) {
    this.on = on;
    const frame = Number.parseInt(firstFrame, 10);
    /** The frame that is gone to once it is there; `null` where none is waited for. */
    this.wanted = Number.isNaN(frame) ? null : frame;
    this.#feed = new JobFeed(id, { job: () => this.#job(), frames: () => this.#frames(), line: on.line });
    this.stage = new Stage("The frame, with what was found in it");
    this.stage.say("Waiting for the first frame…");
    this.transport = new Transport(this.track, this.stage.zoomField());
    this.timeline = new Timeline(this.track, { seek: (row) => this.player?.seek(row), drawn: () => this.transport.count() });
    this.player = null;
    this.inspector = null;
    /** Whether the newest frame is shown while the job runs. */
    this.isLive = false;
    this.element = h("section", { class: "main-column viewer", tabIndex: 0, "aria-label": "Player" },
      this.transport.element, this.timeline.element,
      h("p", { class: "hint keys" }, "Space plays, ← and → step, with Shift by ten, Home and End lead to the ends, L to the next loss."));
    // Who looks at another frame is left alone, and comes back by a button.
    this.transport.element.append(this.newest = button("Watch the newest frame", { hidden: true, kind: "small newest", on: { click: () => this.#watch(true) } }));
    for (const kind of ["pointerdown", "click", "change"]) this.element.addEventListener(kind, ({ target }) => {
      if (target.closest(".scrub, .frame-number, .transport .row button, .lanes")) this.#leave();
    });
    document.addEventListener("keydown", this.#key);
  }

  get job() { return this.#feed.job; }
  get track() { return this.#feed.track; }
  get signal() { return this.#feed.signal; }
  get isFinal() { return this.#feed.isFinal; }

  async start() {
    try {
      await this.#feed.start();
    } finally {
      // Without a job there is nothing to play.
      this.element.hidden = !this.job;
    }
  }

  close() {
    document.removeEventListener("keydown", this.#key);
    this.#feed.stop();
    this.player?.close();
    this.stage.close();
    this.timeline.close();
  }

  #job() {
    const ids = this.job.spec.targets.map(({ id }) => id);
    this.inspector ??= new Inspector(ids, () => this.#repaint());
    this.timeline.ids = ids;
    this.stage.size(this.job.source.width, this.job.source.height);
    if (this.isFinal && this.track.count === 0) this.stage.say("There is no frame.");
    const { frames_total: total } = this.job.progress;
    this.timeline.total = this.isFinal ? null : total;
    this.#watch(this.isLive);
    this.on.job();
  }

  #frames() {
    if (this.track.count === 0) return;
    if (!this.#opening) {
      this.isLive = !this.isFinal;
      this.#opening = this.#open();
      this.on.job();
    }
    this.timeline.update();
    this.transport.update();
    this.#arrive();
    this.#live();
  }

  async #open() {
    const pictures = await openPictures(this.job, this.track, this.signal);
    const player = new Player(this.track, pictures);
    player.onPicture = (image, row) => {
      this.stage.paint(image, this.track, row, this.#options);
      this.inspector.update(this.track, row);
      this.timeline.move(row);
      this.on.picture(image);
    };
    player.listen(() => { if (player.error) this.stage.say(player.error.message); });
    this.player = player;
    this.transport.attach(player);
    if (!this.isLive) this.wanted ??= 0;
    this.#arrive();
    this.#live();
  }

  /** To the frame that is wanted, once it is there; where the job ends without it, to the last before it. */
  #arrive() {
    if (this.wanted === null || !this.player) return;
    if (this.track.frame(this.track.count - 1) < this.wanted && !this.#feed.isComplete) return;
    const frame = this.wanted;
    this.#leave();
    this.player.seekFrame(frame);
  }

  /** Somebody goes to another frame: neither the newest is followed any more, nor one waited for. */
  #leave() {
    this.wanted = null;
    this.#watch(false);
  }

  #watch(isLive) {
    this.isLive = isLive;
    this.newest.hidden = isLive || this.isFinal || !this.player;
    this.#live();
  }

  /** The newest frame, not too often. */
  #live() {
    if (!this.isLive || !this.player) return;
    const now = performance.now();
    if (now - this.#shownAt < LIVE_PAUSE && !this.isFinal) return;
    this.#shownAt = now;
    this.player.seek(this.track.count - 1);
    if (this.isFinal) this.isLive = false;
  }

  /** Boxes that are being corrected are drawn by who corrects them. */
  set isCorrecting(value) {
    this.correcting = value;
    this.#repaint();
  }

  get #options() {
    const { options } = this.inspector;
    return this.correcting ? { ...options, layers: { ...options.layers, boxes: false, quads: false, labels: false } } : options;
  }

  #repaint() {
    if (!this.player || this.player.row < 0) return;
    this.stage.boxes(this.track, this.player.row, this.#options);
    this.on.boxes();
  }

  /** Keys count where nothing else has the focus: in the player, and where the focus is put without being asked for, on
   * the view and its heading. Single letters only inside the player (WCAG 2.1.4). */
  #key = (event) => {
    const { target } = event;
    const isInside = this.element.contains(target);
    if (!isInside && !target.matches("body, #view, h1")) return;
    if (!isInside && event.key.length === 1 && event.key !== " ") return;
    if (target.matches("input, select, textarea") || (target.matches("button") && event.key === " ")) return;
    if (document.querySelector("dialog[open]")) return;
    if (!this.transport.key(event)) return;
    event.preventDefault();
    this.#leave();
  };
}
