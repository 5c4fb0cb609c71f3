// What the page is told, unpacked and put in order. Times are nanoseconds from the start of the trace.
const data = JSON.parse(document.getElementById("data").textContent);
const WAKE = 0, KICK = 1, STEAL = 2;
const NO_TASK = -1;

// Flat lists of numbers as lists of things.
function unpack(numbers, fields) {
  const things = [];
  for (let at = 0; at < numbers.length; at += fields.length) {
    const thing = {};
    fields.forEach((field, index) => { thing[field] = numbers[at + index]; });
    things.push(thing);
  }
  return things;
}

const byTime = (field) => (a, b) => a[field] - b[field];

// All that happened, and the same by CPU, by time.
const model = (() => {
  const spans = unpack(data.spans, ["cpu", "start", "length", "task", "name", "tier", "outcome", "latency"]);
  const arrows = unpack(data.arrows, ["kind", "from", "fromAt", "to", "toAt", "task"]).sort(byTime("toAt"));
  const marks = unpack(data.marks, ["kind", "cpu", "at", "about"]);
  spans.sort(byTime("start"));
  marks.sort(byTime("at"));
  const rows = Array.from({ length: data.cpus }, () => ({ spans: [], marks: [], busy: 0 }));
  const polls = new Map();
  for (const span of spans) {
    rows[span.cpu].spans.push(span);
    if (span.task === NO_TASK) continue;
    rows[span.cpu].busy += span.length;
    if (!polls.has(span.task)) polls.set(span.task, []);
    polls.get(span.task).push(span);
  }
  for (const mark of marks) rows[mark.cpu].marks.push(mark);
  // The wake and the steal that led to a poll.
  const causes = new Map();
  for (const arrow of arrows) {
    if (arrow.kind !== KICK) causes.set(`${arrow.kind} ${arrow.task} ${arrow.toAt}`, arrow);
  }
  const longest = arrows.reduce((most, arrow) => Math.max(most, arrow.toAt - arrow.fromAt), 0);
  return { spans, arrows, rows, polls, causes, longest, end: Math.max(data.end, 1) };
})();

const causeOf = (kind, span) => model.causes.get(`${kind} ${span.task} ${span.start}`);
const kindName = (name) => (name > 0 && data.names[name - 1]) || "unnamed";
const TIERS = ["Background", "Normal", "Critical"];

// The first of a list, ordered by `field`, that is not before `at`.
function firstFrom(list, field, at) {
  let low = 0, high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle][field] < at) low = middle + 1; else high = middle;
  }
  return low;
}

// The spans of a row that touch a view. Spans of a row do not overlap, so at most one begins before it.
function spansIn(row, from, to) {
  const begin = Math.max(0, firstFrom(row.spans, "start", from) - 1);
  return row.spans.slice(begin, firstFrom(row.spans, "start", to));
}

// The arrows that touch a view.
function arrowsIn(from, to) {
  const begin = firstFrom(model.arrows, "toAt", from);
  const end = firstFrom(model.arrows, "toAt", to + model.longest);
  return model.arrows.slice(begin, end).filter((arrow) => arrow.fromAt <= to);
}

// A time as people read it.
function time(ns) {
  const digits = (value) => value.toLocaleString("en", { maximumSignificantDigits: 3 });
  if (ns < 1e3) return `${digits(ns)} ns`;
  if (ns < 1e6) return `${digits(ns / 1e3)} µs`;
  return ns < 1e9 ? `${digits(ns / 1e6)} ms` : `${digits(ns / 1e9)} s`;
}

// Where to look first: as much as possible of all that can happen, in a window in which bars have a visible length. Wider
// ones have to show more to be chosen.
function firstView() {
  const polls = model.spans.filter((span) => span.task !== NO_TASK).length;
  const mean = model.end / Math.max(polls, 1);
  const widths = [40, 100, 250, 700, 2000, polls].map((wanted) => Math.min(model.end, Math.max(2e4, mean * wanted)));
  const views = widths.map(bestView);
  const best = views.reduce((best, next) => (next.score > best.score + 0.8 ? next : best));
  return { from: best.from, to: best.from + best.width };
}

const MOST_STEPS = 3000;

// The most eventful window of a width.
function bestView(width) {
  const steps = Math.min(MOST_STEPS, Math.max(1, Math.floor((4 * (model.end - width)) / width)));
  let best = { score: -1, from: 0, width };
  for (let step = 0; step <= steps; step++) {
    const from = ((model.end - width) * step) / steps;
    const score = scoreOf(from, from + width);
    if (score > best.score) best = { score, from, width };
  }
  return best;
}

// A wake and a steal count most, then more of them, and of kinds of tasks.
function scoreOf(from, to) {
  const seen = [0, 0, 0];
  for (let at = firstFrom(model.arrows, "toAt", from); at < model.arrows.length; at++) {
    const arrow = model.arrows[at];
    if (arrow.toAt > to) break;
    // An arc within a row has to be long to be seen.
    const visible = arrow.from !== arrow.to || arrow.toAt - arrow.fromAt > (to - from) / 40;
    if (arrow.fromAt >= from && visible) seen[arrow.kind]++;
  }
  const kinds = new Set();
  for (const row of model.rows) {
    for (const span of spansIn(row, from, to)) if (span.task !== NO_TASK) kinds.add(span.name);
  }
  const some = (count, enough) => Math.min(count, enough) / enough;
  return 5 * some(seen[WAKE], 1) + 5 * some(seen[STEAL], 1) + 3 * some(seen[WAKE], 12) +
    2 * some(seen[STEAL], 4) + some(seen[KICK], 6) + 2 * some(kinds.size, 7);
}
