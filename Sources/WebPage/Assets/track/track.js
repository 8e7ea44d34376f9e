// A job's result in memory: a row a frame, columns of numbers for each target. Grows while lines come.

import { STATES } from "../base/format.js";

const NO_STATE = 255;

/** A typed array that grows. */
class Column {
  constructor(Type, width, empty) {
    this.width = width;
    this.empty = empty;
    this.data = new Type(256 * width).fill(empty);
  }

  put(row, values) {
    const end = (row + 1) * this.width;
    if (end > this.data.length) {
      const grown = new this.data.constructor(Math.max(end, 2 * this.data.length)).fill(this.empty);
      grown.set(this.data);
      this.data = grown;
    }
    if (this.width === 1) this.data[row] = values;
    else this.data.set(values, row * this.width);
  }

  get(row) { return this.data[row] ?? this.empty; }
  slice(row) { return this.data.subarray(row * this.width, (row + 1) * this.width); }
}

class TargetTrack {
  constructor(id) {
    this.id = id;
    this.box = new Column(Float32Array, 4, NaN);
    this.quad = new Column(Float32Array, 8, NaN);
    this.confidence = new Column(Float32Array, 1, NaN);
    this.scale = new Column(Float32Array, 1, NaN);
    this.state = new Column(Uint8Array, 1, NO_STATE);
    this.isKeyframe = new Column(Uint8Array, 1, 0);
    /** Only of targets that have any. */
    this.points = null;
    this.firstArea = 0;
  }

  put(row, found) {
    this.box.put(row, found.box);
    this.quad.put(row, found.quad);
    this.confidence.put(row, found.confidence ?? NaN);
    this.state.put(row, STATES.indexOf(found.state));
    this.isKeyframe.put(row, found.keyframe ? 1 : 0);
    const size = area(found.quad);
    this.firstArea ||= size;
    this.scale.put(row, Math.sqrt(size / this.firstArea));
    if (found.points) (this.points ??= [])[row] = found.points;
  }
}

/** Of a quadrilateral: half the cross product of its diagonals. */
function area([ax, ay, bx, by, cx, cy, dx, dy]) {
  return Math.abs((cx - ax) * (dy - by) - (dx - bx) * (cy - ay)) / 2;
}

export class Track {
  #frames = new Column(Int32Array, 1, -1);
  #times = new Column(Float64Array, 1, NaN);

  constructor() {
    this.count = 0;
    /** By id, in the order of the spec. */
    this.targets = new Map();
  }

  /** Takes a line of the NDJSON result, as an object. */
  add(record) {
    const row = this.count++;
    this.#frames.put(row, record.frame);
    this.#times.put(row, record.time ?? NaN);
    for (const found of record.targets) {
      if (!this.targets.has(found.id)) this.targets.set(found.id, new TargetTrack(found.id));
      this.targets.get(found.id).put(row, found);
    }
  }

  frame(row) { return this.#frames.get(row); }
  time(row) { return this.#times.get(row); }

  /** The row of a frame, or of the last one before it. */
  rowOf(frame) { return this.#last((row) => this.#frames.data[row] <= frame); }

  /** The row whose time is closest. */
  rowAt(time) {
    const row = this.#last((candidate) => this.#times.data[candidate] <= time);
    if (row + 1 < this.count && Math.abs(this.time(row + 1) - time) < Math.abs(this.time(row) - time)) return row + 1;
    return row;
  }

  /** What is known of a target at a row; `null` before its first frame. */
  at(row, id) {
    const target = this.targets.get(id);
    const state = STATES[target?.state.get(row)];
    if (!state || row < 0) return null;
    return {
      id, state,
      box: [...target.box.slice(row)],
      quad: [...target.quad.slice(row)],
      confidence: target.confidence.get(row),
      scale: target.scale.get(row),
      isKeyframe: target.isKeyframe.get(row) === 1,
      points: target.points?.[row] ?? null,
    };
  }

  /** Rows where a target passes into `lost` or out of the frame. */
  losses(id) {
    const state = this.targets.get(id)?.state.data ?? [];
    const rows = [];
    for (let row = 0; row < this.count; row += 1) {
      const isGone = state[row] === 2 || state[row] === 3;
      if (isGone && !(state[row - 1] === 2 || state[row - 1] === 3)) rows.push(row);
    }
    return rows;
  }

  /** How many frames a target was in each state. */
  tally(id) {
    const state = this.targets.get(id)?.state.data ?? [];
    const counts = STATES.map(() => 0);
    for (let row = 0; row < this.count; row += 1) if (state[row] < counts.length) counts[state[row]] += 1;
    return Object.fromEntries(STATES.map((name, index) => [name, counts[index]]));
  }

  /** The last row for which it holds, where it holds for all before; 0 where it holds for none. */
  #last(holds) {
    let [low, high] = [0, this.count];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (holds(middle)) low = middle;
      else high = middle;
    }
    return low;
  }
}
