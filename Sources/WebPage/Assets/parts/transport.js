// Play, step, scrub, speed; and the keys that do the same.

import { announce, button, h, select } from "../base/dom.js";
import { clock, integer } from "../base/format.js";

const SPEEDS = [0.1, 0.25, 0.5, 1, 2, 4];

export class Transport {
  /** @param zoom a field for how large the picture is. */
  constructor(track, zoom) {
    this.track = track;
    this.player = null;
    const go = (act) => ({ on: { click: () => this.player && act(this.player) } });
    this.scrub = h("input", {
      type: "range", class: "scrub", min: 0, max: 0, step: 1, value: 0, "aria-label": "Frame",
      on: { input: () => this.player?.seek(Number(this.scrub.value)) },
    });
    this.play = button("Play", { symbol: "play", iconOnly: true, kind: "round", title: "Play (space)", ...go((player) => player.toggle()) });
    this.number = h("input", { type: "number", class: "frame-number", min: 0, step: 1, "aria-label": "Go to frame", on: {
      change: () => this.player?.seekFrame(Number(this.number.value)),
    } });
    this.total = h("span", { class: "muted numbers" });
    this.time = h("span", { class: "muted numbers time" });
    this.kind = h("span", { class: "muted kind" });
    this.losses = h("div", { class: "row losses", hidden: true },
      button("Previous loss", { symbol: "back", iconOnly: true, kind: "quiet", title: "Previous loss (Shift+L)", ...go(() => this.loss(-1)) }),
      this.lossCount = h("span", { class: "numbers" }),
      button("Next loss", { symbol: "forward", iconOnly: true, kind: "quiet", title: "Next loss (L)", ...go(() => this.loss(1)) }));
    const speed = select(SPEEDS.map((value) => [String(value), `${value}×`]), "1", { "aria-label": "Speed", on: {
      change: () => this.player?.setSpeed(Number(speed.value)),
    } });
    this.element = h("div", { class: "transport", role: "group", "aria-label": "Playback" },
      this.scrub,
      h("div", { class: "row" },
        button("Back one frame", { symbol: "back", iconOnly: true, kind: "quiet", title: "Back one frame (←)", ...go((player) => player.step(-1)) }),
        this.play,
        button("Forward one frame", { symbol: "forward", iconOnly: true, kind: "quiet", title: "Forward one frame (→)", ...go((player) => player.step(1)) }),
        h("label", { class: "frame-label numbers" }, h("span", { class: "wide" }, "Frame"), this.number), this.total, this.time,
        h("span", { class: "fill" }), this.kind, this.losses, speed, zoom));
    this.#enable(false);
  }

  /** Where there is no picture yet, there is nothing to go to. */
  #enable(isEnabled) {
    for (const control of this.element.querySelectorAll("input, button")) control.disabled = !isEnabled;
  }

  attach(player) {
    this.player = player;
    this.#enable(true);
    this.kind.textContent = player.pictures.kind === "video" ? "" : "frames by the server";
    this.kind.title = player.pictures.kind === "video" ? "" : "This browser cannot show the source frame by frame, so the server decodes each.";
    player.listen(() => this.update());
    this.update();
  }

  update() {
    const { track, player } = this;
    this.scrub.max = Math.max(0, track.count - 1);
    if (!player) return;
    this.scrub.value = Math.max(0, player.row);
    this.scrub.setAttribute("aria-valuetext", player.row < 0 ? "no frame yet" : `frame ${player.frame}`);
    if (document.activeElement !== this.number) this.number.value = player.frame;
    this.total.textContent = `of ${integer(Math.max(0, track.frame(track.count - 1)))}`;
    this.time.textContent = Number.isFinite(track.time(player.row)) ? clock(track.time(player.row)) : "";
    const name = player.isPlaying ? "Pause" : "Play";
    if (this.play.getAttribute("aria-label") !== name) {
      this.play.setAttribute("aria-label", name);
      this.play.title = `${name} (space)`;
      this.play.replaceChildren(...button(name, { symbol: name.toLowerCase(), iconOnly: true }).childNodes);
    }
  }

  /** How often targets are lost: asked for seldom, because it looks at every frame. */
  count() {
    const { length } = this.#lost;
    this.losses.hidden = length === 0;
    this.lossCount.textContent = length === 1 ? "Lost once" : `Lost ${integer(length)} times`;
  }

  /** The rows in which a target is lost that was not in the row before. */
  get #lost() { return [...new Set([...this.track.targets.keys()].flatMap((id) => this.track.losses(id)))].sort((a, b) => a - b); }

  /** Goes to where a target was lost, after or before what is shown. */
  loss(direction) {
    const rows = this.#lost;
    const { row } = this.player;
    const next = direction > 0 ? rows.find((lost) => lost > row) : rows.findLast((lost) => lost < row);
    if (next === undefined) return announce(direction > 0 ? "Nothing is lost after this frame." : "Nothing is lost before this frame.");
    announce(`Lost at frame ${this.track.frame(next)}`);
    return this.player.seek(next);
  }

  /** @returns whether the key meant something. */
  key(event) {
    const { player } = this;
    if (!player || event.ctrlKey || event.metaKey || event.altKey) return false;
    const by = event.shiftKey ? 10 : 1;
    const actions = {
      " ": () => player.toggle(), ArrowLeft: () => player.step(-by), ArrowRight: () => player.step(by),
      Home: () => player.seek(0), End: () => player.seek(this.track.count - 1),
      l: () => this.loss(1), L: () => this.loss(-1),
    };
    if (!actions[event.key]) return false;
    actions[event.key]();
    return true;
  }
}
