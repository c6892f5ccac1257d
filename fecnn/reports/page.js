"use strict";
const sections = JSON.parse(document.getElementById("data").textContent);

function dark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function colours() {
  const style = getComputedStyle(document.body);
  const probe = document.createElement("span");
  document.body.append(probe);
  const found = {};
  for (const name of ["ink", "rule", "paper"]) {
    probe.style.color = `var(--${name})`;
    found[name] = getComputedStyle(probe).color;
  }
  probe.remove();
  return { ...found, family: style.fontFamily };
}

function tone(colour, { ink }) {
  // Black becomes the page's text colour; on a dark page greys are mirrored and colours lightened by a third.
  if (colour === "#000000") return ink;
  if (!dark()) return colour;
  const parts = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  if (new Set(parts).size === 1) return `rgb(${parts.map((part) => 255 - part).join(", ")})`;
  return `rgb(${parts.map((part) => Math.round(part + (255 - part) / 3)).join(", ")})`;
}

function layout(chart, { ink, rule, family }) {
  const axis = { gridcolor: rule, linecolor: rule, zeroline: false, automargin: true };
  return {
    showlegend: false, hovermode: "closest", margin: { l: 60, r: 15, t: 35, b: 50 },
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { color: ink, family, size: 12 },
    title: { text: chart.title, font: { size: 14 }, x: 0, xanchor: "left" },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: rule, activecolor: ink }, // plotly would use a half-transparent black
    xaxis: { ...axis, type: chart.xtype, title: { text: chart.x } },
    yaxis: { ...axis, type: chart.ytype, title: { text: chart.y }, exponentformat: "power", dtick: chart.ytype === "log" ? 1 : undefined },
  };
}

function inked(trace, look) {
  const colour = tone(trace.colour, look);
  return {
    ...trace,
    line: { ...trace.line, color: colour },
    marker: { ...trace.marker, color: (trace.hollow || []).map((hollow) => (hollow ? look.paper : colour)), line: { color: colour, width: 1.5 } },
    error_y: trace.error_y && { ...trace.error_y, color: colour, thickness: 1, width: 2 },
  };
}

function front(traces, { rule }) {
  // The points that no other beats in both: from the cheapest on, each that is nearer than all before.
  const marks = traces.map((trace) => [trace.x[0], trace.y[0]]).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  let least = Infinity;
  const kept = marks.filter(([, y]) => y < least && ((least = y), true));
  return { x: kept.map(([x]) => x), y: kept.map(([, y]) => y), mode: "lines", line: { color: rule, width: 6, shape: "hv" }, hoverinfo: "skip" };
}

class Section {
  constructor(data, index) {
    this.data = data;
    this.home = document.getElementById(`section-${index}`);
    this.boxes = [...this.home.querySelectorAll(".curves input")];
    this.select = this.home.querySelector("select");
    for (const box of this.boxes) box.addEventListener("change", () => this.draw());
    this.select?.addEventListener("change", () => this.draw());
    for (const button of this.home.querySelectorAll(".choices button")) {
      button.addEventListener("click", () => {
        for (const box of this.boxes) box.checked = button.dataset.all === "yes";
        this.draw();
      });
    }
    for (const table of this.home.querySelectorAll("table")) sortable(table);
  }

  draw() {
    const look = colours();
    const code = this.select?.value ?? "";
    const shown = new Set(this.boxes.filter((box) => box.checked).map((box) => box.value));
    for (const box of this.boxes) {
      const codes = JSON.parse(box.dataset.codes);
      box.closest("label").hidden = code !== "" && !codes.includes(code) && !codes.includes("");
      const swatch = box.nextElementSibling;
      swatch.style.color = tone(box.dataset.colour, look);
    }
    this.data.charts.forEach((chart, i) => {
      const traces = chart.traces
        .filter((trace) => shown.has(trace.curve) && (code === "" || trace.code === code || trace.code === ""))
        .map((trace) => inked(trace, look));
      if (chart.front) traces.unshift(front(traces, look));
      const place = this.home.querySelectorAll(".chart")[i];
      Plotly.react(place, traces, layout(chart, look), { responsive: true, displaylogo: false });
    });
  }
}

function sortable(table) {
  const body = table.tBodies[0];
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    head.querySelector("button").addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const key = (row) => row.cells[column].textContent.replaceAll(",", "");
      const compare = (a, b) => {
        const [x, y] = [parseFloat(key(a)), parseFloat(key(b))];
        return Number.isNaN(x) || Number.isNaN(y) ? key(a).localeCompare(key(b)) : x - y;
      };
      const rows = [...body.rows].sort(compare);
      body.replaceChildren(...(down ? rows.reverse() : rows));
    });
  });
}

const drawn = sections.map((data, index) => new Section(data, index));
const redraw = () => drawn.forEach((section) => section.draw());
document.getElementById("theme").addEventListener("click", () => {
  const root = document.documentElement;
  root.dataset.theme = dark() ? "light" : "dark";
  redraw();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
redraw();
