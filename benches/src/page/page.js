"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const OURS = "ours";

// Elements, by name; texts are never read as markup.
const make = (space) => (name, attributes = {}, ...children) => {
  const element = space ? document.createElementNS(space, name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null) element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
};
const html = make(null);
const svg = make("http://www.w3.org/2000/svg");

const digits = (value) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2));
const ns = (value) =>
  value >= 1e6 ? digits(value / 1e6) + " ms" : value >= 1e3 ? digits(value / 1e3) + " µs" : digits(value) + " ns";
const count = (value) =>
  value >= 1e6 && value % 1e5 === 0 ? value / 1e6 + " M" : value.toLocaleString("en").replaceAll(",", "\u202f");
const verdict = (row) => (row.met === null ? "" : row.met ? "met" : "missed");
const colour = (names, name) => (name === OURS ? "var(--ours)" : `var(--c${names.indexOf(name)})`);

const tip = document.getElementById("tip");
function explain(element, text) {
  element.addEventListener("pointermove", (event) => {
    tip.hidden = false;
    tip.textContent = text;
    tip.style.left = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8) + "px";
    tip.style.top = event.clientY + 14 + "px";
  });
  element.addEventListener("pointerleave", () => (tip.hidden = true));
  return element;
}

// A plot with a logarithmic axis upwards. `places` are the marks along the other axis: [where, label].
function plot({ places, low, high, curves, floor }) {
  const [width, height, left, right, top, bottom] = [460, 260, 56, 16, 12, 30];
  const [floorLog, ceilLog] = [Math.log10(low) - 0.08, Math.log10(high) + 0.08];
  const [first, last] = [places[0][0], places[places.length - 1][0]];
  const x = (at) => (last === first ? (left + width - right) / 2 : left + ((at - first) / (last - first)) * (width - left - right));
  const y = (value) => height - bottom - ((Math.log10(value) - floorLog) / (ceilLog - floorLog)) * (height - top - bottom);
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img" });
  const steps = ceilLog - floorLog > 2.5 ? [1] : ceilLog - floorLog > 0.8 ? [1, 2, 5] : [1, 1.5, 2, 3, 4, 5, 6, 7, 8];
  for (let decade = Math.floor(floorLog); decade <= ceilLog; decade++) {
    for (const step of steps) {
      const value = step * 10 ** decade;
      if (Math.log10(value) < floorLog || Math.log10(value) > ceilLog) continue;
      picture.append(
        svg("line", { class: "grid", x1: left, x2: width - right, y1: y(value), y2: y(value) }),
        svg("text", { x: left - 8, y: y(value) + 4, "text-anchor": "end" }, ns(value).replace(/\.0+ /, " ")),
      );
    }
  }
  for (const [at, label] of places) {
    picture.append(
      svg("line", { class: "grid", x1: x(at), x2: x(at), y1: top, y2: height - bottom }),
      svg("text", { x: x(at), y: height - 10, "text-anchor": "middle" }, label),
    );
  }
  if (floor?.length) {
    const line = floor.map(([at, value]) => `${x(at)},${y(value)}`).join(" ");
    picture.append(explain(svg("polyline", { class: "floor", points: line }), "floor"));
  }
  for (const curve of curves) {
    const style = `stroke: ${curve.colour}`;
    const kind = "curve" + (curve.name === OURS ? " ours" : "") + (curve.counts ? "" : " aside");
    const points = curve.points.map(({ at, value }) => `${x(at)},${y(value)}`).join(" ");
    picture.append(svg("polyline", { class: kind, points, style }));
    for (const { at, value, from, to, label } of curve.points) {
      if (from) picture.append(svg("line", { class: "whisker", x1: x(at), x2: x(at), y1: y(from), y2: y(to), style }));
      const dot = svg("circle", { cx: x(at), cy: y(value), r: curve.name === OURS ? 4.5 : 3.5, style: `fill: ${curve.colour}` });
      picture.append(explain(dot, `${curve.name}\n${label}: ${ns(value)}`));
    }
  }
  return picture;
}

// Cost against size, both logarithmic; whiskers are the middle half of the samples.
function growth(rows, names) {
  const at = (size) => Math.log10(Math.max(size, 0.5));
  const curves = names.map((name) => {
    const points = rows.map((row) => {
      const [from, value, to] = row.series.find((one) => one.name === name).quartiles;
      return { at: at(row.size), value, from, to, label: "size " + count(row.size) };
    });
    return { name, colour: colour(names, name), counts: rows[0].series.find((one) => one.name === name).counts, points };
  });
  const floor = rows.filter((row) => row.floor).map((row) => [at(row.size), row.floor]);
  const values = curves.flatMap((curve) => curve.points.flatMap((point) => [point.from, point.to]));
  values.push(...floor.map(([, value]) => value));
  const places = rows.map((row) => [at(row.size), count(row.size)]);
  return plot({ places, low: Math.min(...values), high: Math.max(...values), curves: curves.reverse(), floor });
}

// How long single rounds take, from the usual ones to the rare ones: each step to the right is a rarer round.
function latencies(row, names) {
  const rarity = (share) => Math.log10(1 / Math.max(1 - share, 0.0005));
  const curves = row.series.filter((one) => one.latencies.length).map((one) => ({
    name: one.name, colour: colour(names, one.name), counts: one.counts,
    points: one.latencies.map(([share, value]) => ({
      at: rarity(share), value: Math.max(value, 0.5),
      label: share === 1 ? "slowest round" : +(share * 100).toFixed(1) + " % of rounds within",
    })),
  }));
  if (!curves.length) return null;
  const values = curves.flatMap((curve) => curve.points.map((point) => point.value));
  const places = [[0, "0"], [rarity(0.5), "50 %"], [1, "90 %"], [2, "99 %"], [3, "99.9 %"], [rarity(1), "max"]];
  return plot({ places, low: Math.min(...values), high: Math.max(...values), curves: curves.reverse() });
}

function table(rows, names) {
  const head = html("tr", {}, ...["size", ...names, "ratio", "floor", "goal", ""].map((text) => html("th", {}, text)));
  const lines = rows.map((row) => {
    const cells = names.map((name) => {
      const one = row.series.find((series) => series.name === name);
      const kind = name === row.best ? "best" : one.counts ? null : "aside";
      const [from, value, to] = one.quartiles;
      return explain(html("td", { class: kind }, ns(value)), `the middle half: ${ns(from)} to ${ns(to)}`);
    });
    return html("tr", {},
      html("td", {}, count(row.size)), ...cells,
      html("td", {}, row.ratio === null ? "–" : row.ratio.toFixed(3) + " ×"),
      html("td", {}, row.floor ? ns(row.floor) : "–"),
      html("td", {}, row.goal === null ? "–" : `≤ ${row.goal} ×`),
      html("td", {}, html("b", { class: verdict(row) }, verdict(row))),
    );
  });
  return html("div", { class: "scroll" }, html("table", {}, html("thead", {}, head), html("tbody", {}, ...lines)));
}

function card(name, rows) {
  const names = rows[0].series.map((one) => one.name);
  const plots = html("div", { class: "plots" },
    html("figure", {}, growth(rows, names), html("figcaption", {}, "time for one item, by size")));
  const middle = rows.find((row) => row.goal !== null) ?? rows[0];
  const tail = latencies(middle, names);
  if (tail) {
    plots.append(html("figure", {}, tail,
      html("figcaption", {}, `single rounds at size ${count(middle.size)}, time for one item: from usual to rare`)));
  }
  const legend = html("div", { class: "legend" }, ...names.map((each) =>
    html("span", {}, html("i", { style: `background: ${colour(names, each)}` }), each)));
  return html("article", { class: "card", id: name },
    html("h2", {}, name), html("p", {}, rows[0].about), legend, plots, table(rows, names));
}

function summary(rows) {
  const goals = rows.filter((row) => row.met !== null);
  const bars = html("div", { class: "bars" });
  const most = Math.max(1.5, ...goals.map((row) => Math.min(row.ratio / row.goal, 3)));
  for (const row of goals) {
    const share = Math.min(row.ratio / row.goal, most);
    const track = html("div", { class: "track" },
      html("div", { class: "bar " + verdict(row), style: `width: ${(share / most) * 100}%` }),
      html("div", { class: "mark", style: `left: ${100 / most}%` }));
    explain(track, `${row.ratio.toFixed(3)} × ${row.best}\ngoal ≤ ${row.goal} ×`);
    bars.append(
      html("a", { class: "name", href: "#" + encodeURIComponent(row.work) }, `${row.work}, ${count(row.size)}`),
      track, html("b", { class: verdict(row) }, row.ratio.toFixed(2) + " ×"));
  }
  return html("div", { class: "card" },
    html("div", { class: "score" }, `${goals.filter((row) => row.met).length} of ${goals.length} goals met`),
    html("p", {}, "Each bar is our time as a share of the best rival's, relative to the goal: the mark. Shorter is better."), bars);
}

document.getElementById("machine").textContent =
  `${data.machine} · RMW ${ns(data.floors.rmw)} · fence ${ns(data.floors.fence)}` +
  (data.floors.line ? ` · cache line there and back ${ns(data.floors.line)}` : "");
document.getElementById("summary").append(summary(data.rows));
const works = new Map();
for (const row of data.rows) works.set(row.work, [...(works.get(row.work) ?? []), row]);
for (const [name, rows] of works) document.getElementById("works").append(card(name, rows));
document.getElementById("notes").append(
  html("p", {}, "All contenders of a row run in one process, in turns forth and back; a ratio is the median over the turns. " +
    "Dashed: rivals that the goal does not count. Dotted: the floor, what the machine asks for the steps that nobody can do without." +
    (data.missing.length ? " Missing: " + data.missing.join(", ") + "." : "")));
document.getElementById("theme").addEventListener("click", () => {
  const dark = document.documentElement.dataset.theme
    ? document.documentElement.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = dark ? "light" : "dark";
});
