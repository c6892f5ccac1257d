"use strict";
// Lines, bars and markers on SVG, and no more. A library for this is 1 to 5 MB in a page of 0.3 MB, since each page must
// carry it to need no network.
const SVG = "http://www.w3.org/2000/svg";
const FONT = 12; // px; legend entries are in rows of ROW
const EDGE = { left: 58, right: 12, top: 30, bottom: 40 };
const ROW = 20;
const NEAR = 25; // a pointer this near a point, in px, shows what is known of it

function add(parent, name, attributes = {}, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) if (value !== undefined) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  parent.append(made);
  return made;
}

const power = (n) => "10" + [...String(n)].map((digit) => (digit === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit])).join("");

function named(value) {
  const size = Math.abs(value);
  if (size < 1e-12) return "0";
  if (size >= 0.01 && size < 1e5) return String(Number(value.toPrecision(6)));
  const [digits, exponent] = value.toExponential(4).split("e");
  return `${digits === "1.0000" ? "" : Number(digits) + "·"}${power(Number(exponent))}`;
}

function ticks([low, high], log, room) {
  // Places on the axis with their labels; a log axis is in decades.
  const decades = high - low;
  if (log && decades > 0.8) {
    const every = Math.ceil(decades / room);
    const label = (times, n) => (decades < 3 && low >= -2 ? named(times * 10 ** n) : (times > 1 ? `${times}·` : "") + power(n));
    const found = [];
    for (let n = Math.floor(low); n <= high; n++) {
      if (n % every === 0) found.push([n, label(1, n)]);
      if (decades < 2.5) for (const more of [2, 5]) found.push([n + Math.log10(more), label(more, n)]);
    }
    return found.filter(([at]) => at >= low && at <= high);
  }
  const [start, end] = log ? [10 ** low, 10 ** high] : [low, high];
  const unit = 10 ** Math.floor(Math.log10((end - start) / room));
  const step = unit * [1, 2, 5, 10].find((times) => times * unit * room >= end - start);
  const found = [];
  for (let i = Math.ceil(start / step - 1e-9); i * step <= end + step * 1e-9; i++) {
    found.push([log ? Math.log10(i * step) : i * step, named(i * step)]);
  }
  return found;
}

function range(values) {
  const known = values.filter(Number.isFinite);
  if (!known.length) return [0, 1];
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const margin = 0.05 * (high - low) || 0.5;
  return [low - margin, high + margin];
}

const ruler = document.createElement("canvas").getContext("2d");

function shortened(text, room, family) {
  ruler.font = `${FONT}px ${family}`;
  if (ruler.measureText(text).width <= room) return text;
  while (text && ruler.measureText(`${text}…`).width > room) text = text.slice(0, -1);
  return `${text}…`;
}

class Chart {
  // One pair of axes with its legend. `state` holds what the reader chose: hidden labels, the code, `changed()`.
  static made = 0;

  constructor(place, panel, state, known) {
    Object.assign(this, { place, panel, state, known, zoom: null, at: -1, id: `plot-${Chart.made++}` });
    this.tip = Object.assign(document.createElement("div"), { className: "tip", hidden: true });
    this.tip.setAttribute("role", "status");
    place.append(this.tip);
  }

  get curves() {
    return this.panel.curves.filter(({ code }) => !this.state.code || !code || code === this.state.code);
  }

  get shown() {
    return this.curves.filter(({ label }) => !this.state.hidden.has(label));
  }

  in([x, y]) {
    const [logx, logy] = this.panel.log;
    return [logx ? Math.log10(x) : x, logy ? Math.log10(y) : y];
  }

  ranges() {
    // Bounds run far below what was simulated, and the interval of few errors far below its point.
    const shown = this.shown.length ? this.shown : this.curves;
    const simulated = shown.filter(({ kind }) => kind !== "bound");
    const marks = (simulated.length ? simulated : shown).flatMap(({ marks }) => marks);
    const log = this.panel.log[1];
    const ys = marks.flatMap(([x, y, low, high]) => [y, high ?? y, log ? Math.max(low ?? y, y / 3) : low ?? y]);
    return [range(marks.map((mark) => this.in(mark)[0])), range(ys.map((y) => this.in([1, y])[1]))];
  }

  draw() {
    const focused = this.place.contains(document.activeElement) ? document.activeElement.dataset.name : undefined;
    const height = Math.min(400, Math.max(200, innerWidth < 640 ? 240 : innerHeight * 0.38));
    const svg = this.svg(Math.max(240, this.place.clientWidth), height);
    this.place.querySelector("svg")?.remove();
    this.place.prepend(svg);
    this.listen(svg);
    if (focused) [...svg.querySelectorAll("[data-name]")].find((one) => one.dataset.name === focused)?.focus();
  }

  svg(width, height, exported = false) {
    const look = this.known.look();
    const [xs, ys] = this.zoom ?? this.ranges();
    const [w, h] = [width - EDGE.left - EDGE.right, height - EDGE.top - EDGE.bottom];
    const place = (mark) => {
      const [x, y] = this.in(mark);
      return [EDGE.left + ((x - xs[0]) / (xs[1] - xs[0])) * w, EDGE.top + ((ys[1] - y) / (ys[1] - ys[0])) * h];
    };
    if (!exported) Object.assign(this, { xs, ys, w, h, spot: place });
    const svg = document.createElementNS(SVG, "svg");
    const texts = { "font-family": look.family, "font-size": FONT, fill: look.ink };
    for (const [key, value] of Object.entries({ ...texts, role: "group", "aria-label": this.panel.title })) svg.setAttribute(key, value);
    if (exported) add(svg, "rect", { width: "100%", height: "100%", fill: look.paper });
    add(svg, "text", { x: EDGE.left, y: 18, "font-weight": 600, "font-size": 13 }, this.panel.title);

    const grid = add(svg, "g", { stroke: look.rule });
    for (const [at, name] of ticks(xs, this.panel.log[0], w / 60)) {
      const x = EDGE.left + ((at - xs[0]) / (xs[1] - xs[0])) * w;
      add(grid, "path", { d: `M${x} ${EDGE.top}v${h}` });
      add(svg, "text", { x, y: EDGE.top + h + 15, "text-anchor": "middle" }, name);
    }
    for (const [at, name] of ticks(ys, this.panel.log[1], h / 30)) {
      const y = EDGE.top + ((ys[1] - at) / (ys[1] - ys[0])) * h;
      add(grid, "path", { d: `M${EDGE.left} ${y}h${w}` });
      add(svg, "text", { x: EDGE.left - 6, y: y + 4, "text-anchor": "end" }, name);
    }
    add(grid, "rect", { x: EDGE.left, y: EDGE.top, width: w, height: h, fill: "none", stroke: look.faint });
    add(svg, "text", { x: EDGE.left + w / 2, y: height - 6, "text-anchor": "middle" }, this.panel.x);
    const turned = `translate(13 ${EDGE.top + h / 2}) rotate(-90)`;
    add(svg, "text", { transform: turned, "text-anchor": "middle" }, this.panel.y);

    const clip = add(add(svg, "defs"), "clipPath", { id: this.id + (exported ? "-png" : "") });
    add(clip, "rect", { x: EDGE.left, y: EDGE.top, width: w, height: h });
    const plot = add(svg, "g", { "clip-path": `url(#${clip.id})` });
    const about = "The points; left and right arrows read them, plus zooms in, minus out, 0 resets";
    const sheet = { x: EDGE.left, y: EDGE.top, width: w, height: h, fill: "transparent", class: "sheet" };
    if (!exported) add(plot, "rect", { ...sheet, tabindex: 0, role: "application", "aria-label": about, "data-name": this.id });
    if (this.panel.front) this.front(plot, look, place);
    for (const curve of [...this.shown].sort((a, b) => a.layer - b.layer)) this.curve(plot, curve, look, place);
    const bottom = this.legend(svg, width, height, look, exported);
    for (const [key, value] of Object.entries({ width, height: bottom, viewBox: `0 0 ${width} ${bottom}` })) svg.setAttribute(key, value);
    return svg;
  }

  front(plot, look, place) {
    // The points that no other beats in both: from the cheapest on, each that is nearer than all before.
    let least = Infinity;
    const marks = this.shown.flatMap(({ marks }) => marks).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    const kept = marks.filter(([, y]) => y < least && ((least = y), true)).map(place);
    const steps = kept.map(([x, y], i) => (i ? `H${x}V${y}` : `M${x} ${y}`)).join("");
    add(plot, "path", { d: steps, fill: "none", stroke: look.rule, "stroke-width": 6 });
  }

  curve(plot, curve, look, place) {
    const colour = this.known.tone(curve.colour);
    const g = add(plot, "g", { stroke: colour, fill: "none", class: "curve" });
    g.dataset.curve = curve.label;
    const line = curve.marks.filter(([, , , , state]) => state < 2).map(place);
    if (curve.dash && line.length) add(g, "path", { d: "M" + line.join("L"), "stroke-width": curve.width, "stroke-dasharray": this.known.dashes[curve.dash] });
    let bars = "";
    for (const [x, y, low, high, state] of curve.marks) {
      if (low !== null && state < 2) {
        const floor = this.panel.log[1] ? Math.max(low, 1e-99) : low;
        const [[at, top], [, end]] = [place([x, high]), place([x, floor])];
        bars += `M${at} ${top}V${end}M${at - 3} ${top}h6M${at - 3} ${end}h6`;
      }
    }
    if (bars) add(g, "path", { d: bars });
    for (const mark of curve.marks) {
      const limit = mark[4] === 2;
      if (limit || curve.marker) {
        const [x, y] = place(mark);
        const fill = limit ? colour : mark[4] === 1 ? look.paper : curve.kind === "published" ? "none" : colour;
        const scale = limit ? 1 : curve.size / 10;
        const d = this.known.shapes[limit ? "triangle-down" : curve.marker];
        add(g, "path", { d, fill, opacity: limit ? 0.6 : undefined, "stroke-width": 1.5 / scale, transform: `translate(${x} ${y}) scale(${scale})` });
      }
    }
  }

  legend(svg, width, height, look, exported) {
    // Below the axes, in rows; returns where it ends. A picture that is saved names only what it shows.
    let [x, y] = [8, height + 14];
    const entries = new Map();
    for (const curve of exported ? this.shown : this.curves) if (!entries.has(curve.label)) entries.set(curve.label, curve);
    for (const { label, name, colour, dash, marker, kind } of entries.values()) {
      const text = shortened(exported ? label : name, width - 60, look.family);
      ruler.font = `${FONT}px ${look.family}`;
      const size = 44 + ruler.measureText(text).width;
      if (x > 8 && x + size > width) [x, y] = [8, y + ROW];
      const off = this.state.hidden.has(label);
      const g = add(svg, "g", { transform: `translate(${x} ${y})`, opacity: off ? 0.4 : undefined, class: "entry" });
      if (!exported) {
        for (const [key, value] of Object.entries({ role: "button", tabindex: 0, "aria-pressed": !off, "aria-label": label })) g.setAttribute(key, value);
        g.dataset.name = label;
        add(g, "rect", { x: -4, y: -ROW / 2, width: size - 6, height: ROW, fill: "transparent" });
        add(g, "title", {}, `${label}: show or hide`);
      }
      const ink = { stroke: this.known.tone(colour), fill: "none" };
      if (dash) add(g, "path", { ...ink, d: "M0 0H28", "stroke-width": 1.8, "stroke-dasharray": this.known.dashes[dash] });
      if (marker) add(g, "path", { ...ink, d: this.known.shapes[marker], fill: kind === "published" ? "none" : ink.stroke, transform: "translate(14 0) scale(.8)", "stroke-width": 1.8 });
      add(g, "text", { x: 33, y: 4, "text-decoration": off ? "line-through" : undefined }, text);
      x += size;
    }
    return y + ROW / 2 + 2;
  }

  listen(svg) {
    for (const entry of svg.querySelectorAll(".entry")) {
      const toggle = () => this.state.toggle(entry.dataset.name);
      entry.addEventListener("click", toggle);
      entry.addEventListener("keydown", (event) => {
        if (event.key === "Enter" || event.key === " ") event.preventDefault(), toggle();
      });
    }
    const sheet = svg.querySelector(".sheet");
    const where = (event) => {
      const box = svg.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    let from = null;
    let frame = null;
    svg.addEventListener("pointerdown", (event) => {
      if (event.pointerType !== "mouse" || event.button || event.target.closest(".entry")) return;
      const [x, y] = where(event);
      if (x < EDGE.left || x > EDGE.left + this.w || y < EDGE.top || y > EDGE.top + this.h) return;
      event.preventDefault();
      from = [x, y];
      svg.setPointerCapture(event.pointerId);
      frame = add(svg, "rect", { fill: "currentColor", opacity: 0.15 });
    });
    svg.addEventListener("pointermove", (event) => {
      const [x, y] = where(event);
      if (!from) return this.point(x, y);
      const box = { x: Math.min(x, from[0]), y: Math.min(y, from[1]), width: Math.abs(x - from[0]), height: Math.abs(y - from[1]) };
      for (const [key, value] of Object.entries(box)) frame.setAttribute(key, value);
    });
    svg.addEventListener("pointerup", (event) => {
      const [x, y] = where(event);
      if (!from) return this.point(x, y);
      const [left, right] = [from[0], x].sort((a, b) => a - b);
      const [top, bottom] = [from[1], y].sort((a, b) => a - b);
      from = null;
      frame.remove();
      if (right - left > 8 && bottom - top > 8) this.zoomTo(left, right, top, bottom);
    });
    svg.addEventListener("pointerleave", ({ pointerType }) => {
      if (pointerType === "mouse") this.tip.hidden = true; // a finger leaves after each tap
    });
    svg.addEventListener("dblclick", (event) => event.target.closest(".entry") || this.reset());
    sheet.addEventListener("keydown", (event) => this.key(event));
    sheet.addEventListener("blur", () => (this.tip.hidden = true));
  }

  zoomTo(left, right, top, bottom) {
    const [[x0, x1], [y0, y1]] = [this.xs, this.ys];
    const x = (px) => x0 + ((px - EDGE.left) / this.w) * (x1 - x0);
    const y = (px) => y1 - ((px - EDGE.top) / this.h) * (y1 - y0);
    this.zoom = [[x(left), x(right)], [y(bottom), y(top)]];
    this.zoomed();
  }

  reset() {
    this.zoom = null;
    this.zoomed();
  }

  zoomed() {
    this.tip.hidden = true;
    this.draw();
    this.onzoom?.();
  }

  key(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const by = { "+": -0.2, "=": -0.2, "-": 0.25 }[event.key];
    if (!step && !by && event.key !== "0") return;
    event.preventDefault();
    if (event.key === "0") return this.reset();
    const { left, top } = EDGE;
    if (by) return this.zoomTo(left - by * this.w, left + this.w * (1 + by), top - by * this.h, top + this.h * (1 + by));
    const points = this.points;
    if (!points.length) return;
    this.at = (this.at + step + points.length) % points.length;
    this.tell(points[this.at]);
  }

  get points() {
    // Those inside the axes, with their places.
    const all = this.shown.flatMap((curve) => curve.marks.map((mark) => ({ curve, mark, spot: this.spot(mark) })));
    return all.filter(({ spot: [x, y] }) => x >= EDGE.left - 1 && x <= EDGE.left + this.w + 1 && y >= EDGE.top - 1 && y <= EDGE.top + this.h + 1);
  }

  point(x, y) {
    let [best, least] = [null, NEAR];
    for (const one of this.points) {
      const far = Math.hypot(one.spot[0] - x, one.spot[1] - y);
      if (far < least) [best, least] = [one, far];
    }
    if (best) this.tell(best);
    else this.tip.hidden = true;
  }

  tell({ curve, mark, spot: [x, y] }) {
    const name = Object.assign(document.createElement("b"), { textContent: curve.label });
    this.tip.replaceChildren(name, ...mark[5].split("\n").map((line) => Object.assign(document.createElement("div"), { textContent: line })));
    this.tip.hidden = false;
    this.tip.style.left = `${Math.max(0, Math.min(x + 12, this.place.clientWidth - this.tip.offsetWidth))}px`;
    this.tip.style.top = `${y + 12}px`;
  }

  async png() {
    // At twice the resolution, with full names in the legend as there are no footnotes.
    const svg = this.svg(Math.max(640, this.place.clientWidth), 420, true);
    svg.setAttribute("xmlns", SVG);
    const image = new Image();
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(svg))}`;
    await image.decode();
    const canvas = Object.assign(document.createElement("canvas"), { width: 2 * image.width, height: 2 * image.height });
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    const link = document.createElement("a");
    link.download = `${this.panel.title.replace(/[^\w.-]+/g, "-")}.png`;
    link.href = canvas.toDataURL("image/png");
    link.click();
  }
}
