"use strict";
const data = JSON.parse(document.getElementById("data").textContent);

function dark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function colours() {
  const style = getComputedStyle(document.body);
  const probe = document.createElement("span");
  document.body.append(probe);
  const found = {};
  for (const name of ["ink", "faint", "rule", "paper"]) {
    probe.style.color = `var(--${name})`;
    found[name] = getComputedStyle(probe).color;
  }
  probe.remove();
  return { ...found, family: style.fontFamily };
}

let look = colours();

function tone(colour) {
  // Black becomes the page's text colour; on a dark page greys are mirrored and colours lightened by a third.
  if (colour === "#000000") return look.ink;
  if (!dark()) return colour;
  const parts = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  if (new Set(parts).size === 1) return `rgb(${parts.map((part) => 255 - part).join(", ")})`;
  return `rgb(${parts.map((part) => Math.round(part + (255 - part) / 3)).join(", ")})`;
}

const known = { shapes: data.shapes, dashes: data.dashes, look: () => look, tone };

function button(bar, text, click) {
  const made = Object.assign(document.createElement("button"), { type: "button", textContent: text });
  made.addEventListener("click", click);
  bar.append(made);
  return made;
}

function tabs(bar, names, choose) {
  // One of several things is shown: a button for each, the chosen one pressed.
  const made = names.map((name, place) => button(bar, name, () => pick(place)));
  if (names.length === 1) made[0].remove();
  const pick = (place) => {
    made.forEach((one, i) => one.setAttribute("aria-pressed", i === place));
    choose(place);
  };
  return pick;
}

const bar = () => Object.assign(document.createElement("div"), { className: "bar" });

class Figure {
  // A place for one of several charts, with its buttons.
  constructor(home, panels, state) {
    const row = home.appendChild(document.createElement("figure"));
    const head = row.appendChild(bar());
    this.charts = panels.map((panel) => {
      const place = row.appendChild(Object.assign(document.createElement("div"), { className: "chart", hidden: true }));
      return new Chart(place, panel, state, known);
    });
    const pick = tabs(head, panels.map(({ tab }) => tab), (place) => {
      this.chart = this.charts[place];
      this.charts.forEach((chart, i) => (chart.place.hidden = i !== place));
      if (this.reset) this.draw();
    });
    pick(0);
    head.append(Object.assign(document.createElement("span"), { className: "gap" }));
    this.reset = button(head, "reset zoom", () => this.chart.reset());
    button(head, "save PNG", () => this.chart.png());
    for (const chart of this.charts) chart.onzoom = () => this.draw();
  }

  draw() {
    this.chart.draw();
    this.reset.hidden = !this.chart.zoom;
  }
}

class Study {
  // The sections of a study share which curves are hidden and which code is chosen.
  constructor(home) {
    this.hidden = new Set();
    this.code = "";
    this.select = home.querySelector("select");
    this.sections = [...home.querySelectorAll("section.code")];
    this.figures = [...home.querySelectorAll(".figures")].flatMap((place) => this.filled(place));
    this.rows = [...home.querySelectorAll("tr[data-curve]")];
    this.select?.addEventListener("change", () => this.choose(this.select.value));
    for (const one of home.querySelectorAll("[data-all]")) {
      one.addEventListener("click", () => {
        const labels = this.figures.flatMap(({ charts }) => charts).flatMap(({ panel }) => panel.curves.map(({ label }) => label));
        this.hidden = new Set(one.dataset.all === "yes" ? [] : labels);
        this.draw();
      });
    }
    for (const tables of home.querySelectorAll(".tables")) tabulate(tables);
  }

  filled(home) {
    const [first, ...rest] = data.sections[home.dataset.section].panels;
    return [[first], rest].filter((some) => some.length).map((some) => new Figure(home, some, this));
  }

  toggle(label) {
    if (!this.hidden.delete(label)) this.hidden.add(label);
    this.draw();
  }

  choose(code) {
    this.code = code;
    if (this.select) this.select.value = code;
    this.draw();
  }

  draw() {
    for (const section of this.sections) {
      section.hidden = Boolean(this.code) && section.dataset.code !== this.code;
    }
    for (const row of this.rows) row.hidden = this.hidden.has(row.dataset.curve);
    for (const figure of this.figures) if (!figure.chart.place.closest("[hidden]")) figure.draw();
  }
}

function tabulate(home) {
  // One table at a time, and on a narrow page only its columns that matter.
  const head = bar();
  home.prepend(head);
  const boxes = [...home.querySelectorAll(".scroll")];
  const names = boxes.map((box) => box.querySelector("caption").textContent);
  tabs(head, names, (place) => boxes.forEach((box, i) => (box.hidden = i !== place)))(0);
  head.append(Object.assign(document.createElement("span"), { className: "gap" }));
  const more = button(head, "more columns", () => {
    more.setAttribute("aria-pressed", home.classList.toggle("whole"));
  });
  more.className = "more";
  more.setAttribute("aria-pressed", false);
  for (const table of home.querySelectorAll("table")) sortable(table);
}

function sortable(table) {
  const body = table.tBodies[0];
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    if (head.className) for (const row of body.rows) row.cells[column].className = head.className;
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

const studies = [...document.querySelectorAll("section.study")].map((home) => new Study(home));
const redraw = () => {
  look = colours();
  for (const study of studies) study.draw();
};
for (const link of document.querySelectorAll("nav a")) {
  // What the contents list leads to may be hidden by the choice of another code.
  link.addEventListener("click", () => {
    const goal = document.querySelector(link.getAttribute("href"));
    for (const study of studies) if (goal.hidden && study.sections.includes(goal)) study.choose("");
  });
}
document.getElementById("theme").addEventListener("click", () => {
  document.documentElement.dataset.theme = dark() ? "light" : "dark";
  redraw();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
addEventListener("resize", () => requestAnimationFrame(redraw));
redraw();
