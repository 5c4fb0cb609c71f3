// What stands beside the rows: facts, histogram, tasks, events, details.
const element = (id) => document.getElementById(id);

// A new element with text in it, never markup: names of tasks may be anything.
function make(tag, text, className) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function drawFacts() {
  element("title").textContent = data.title;
  const polls = model.spans.filter((span) => span.task !== NO_TASK).length;
  element("facts").textContent =
    `${data.cpus} CPUs for ${time(model.end)}, from ${time(data.begun)} on: ${polls.toLocaleString("en")} polls of ` +
    `${model.polls.size.toLocaleString("en")} tasks`;
  element("events").replaceChildren(...data.counts.map((count, kind) => {
    const entry = make("div");
    entry.append(make("dt", data.kinds[kind]), make("dd", count.toLocaleString("en")));
    return entry;
  }));
  document.querySelector(".events").hidden = data.counts.length === 0;
}

// Half-octaves from 64 ns on.
const BUCKETS = 42;
const bucketOf = (ns) => Math.max(0, Math.min(BUCKETS - 1, Math.floor(2 * (Math.log2(Math.max(ns, 1)) - 6))));
const bucketStart = (bucket) => 2 ** (6 + bucket / 2);

const quantile = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];

function histogram(latencies) {
  const counts = new Array(BUCKETS).fill(0);
  for (const latency of latencies) counts[bucketOf(latency)]++;
  return counts;
}

const allLatencies = model.spans.filter((span) => span.latency >= 0).map((span) => span.latency).sort((a, b) => a - b);
const allCounts = histogram(allLatencies);

function drawHistogram(spans) {
  const seen = histogram(spans.filter((span) => span.latency >= 0).map((span) => span.latency));
  const used = allCounts.flatMap((count, bucket) => (count ? [bucket] : []));
  const [first, last] = [Math.max(0, (used[0] ?? 0) - 1), Math.min(BUCKETS, (used.at(-1) ?? 8) + 2)];
  const width = 288, height = 150, base = height - 18;
  const step = width / (last - first);
  const scale = (counts) => (base - 6) / Math.max(1, ...counts);
  const svg = element("histogram");
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const shapes = [];
  const shape = (tag, attributes, text) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text) made.textContent = text;
    shapes.push(made);
  };
  const bars = (counts, className, inset) => {
    const unit = scale(counts);
    for (let bucket = first; bucket < last; bucket++) {
      if (!counts[bucket]) continue;
      const tall = Math.max(1.5, counts[bucket] * unit);
      shape("rect", {
        class: className, x: (bucket - first) * step + inset, y: base - tall, rx: 1.5,
        width: Math.max(1, step - 1 - 2 * inset), height: tall,
      });
    }
  };
  bars(allCounts, "all", 0);
  bars(seen, "seen", step * 0.22);
  shape("line", { x1: 0, x2: width, y1: base + 0.5, y2: base + 0.5 });
  for (const mark of [1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8]) {
    const x = (2 * (Math.log2(mark) - 6) - first) * step;
    if (x < 12 || x > width - 12) continue;
    shape("line", { x1: x, x2: x, y1: base, y2: base + 4 });
    shape("text", { x, y: height - 3, "text-anchor": "middle" }, time(mark));
  }
  svg.replaceChildren(...shapes);
  const parts = [["median", 0.5], ["99 %", 0.99], ["longest", 1]].map(([name, share]) => {
    const part = make("span", name);
    part.prepend(make("b", allLatencies.length ? time(quantile(allLatencies, share)) : "–"));
    return part;
  });
  element("quantiles").replaceChildren(...parts);
}

function drawTasks(spans) {
  const kinds = new Map();
  for (const span of spans) {
    if (!kinds.has(span.name)) kinds.set(span.name, { span, polls: 0, time: 0 });
    const kind = kinds.get(span.name);
    kind.polls++;
    kind.time += Math.min(span.start + span.length, view.to) - Math.max(span.start, view.from);
  }
  const head = make("thead");
  const titles = make("tr");
  titles.append(make("th", "kind"), make("th", "polls"), make("th", "time"));
  head.append(titles);
  const body = make("tbody");
  for (const [name, kind] of [...kinds].sort((a, b) => b[1].time - a[1].time)) {
    const row = make("tr", undefined, name === focusName ? "chosen" : "");
    row.tabIndex = 0;
    const swatch = make("i");
    if (colourBy === "name") swatch.style.background = colourOf(kind.span);
    const title = make("td");
    title.append(swatch, kindName(name));
    row.append(title, make("td", kind.polls.toLocaleString("en")), make("td", time(kind.time)));
    const choose = () => { focusName = focusName === name ? null : name; redraw(); };
    row.addEventListener("click", choose);
    row.addEventListener("keydown", (event) => { if (event.key === "Enter") choose(); });
    body.append(row);
  }
  element("tasks").replaceChildren(head, body);
}

// What is to be said of a span, line by line; the first is its title.
function describe(span) {
  if (span.task === NO_TASK) return [`cpu${span.cpu} halts`, `for ${time(span.length)}`];
  const lines = [
    `${kindName(span.name)} ${data.tasks[span.task]}`,
    `${TIERS[span.tier]}, ran ${time(span.length)} on cpu${span.cpu}` +
      (span.outcome < 0 ? "" : `, then ${data.outcomes[span.outcome]}`),
  ];
  const wake = causeOf(WAKE, span), steal = causeOf(STEAL, span);
  if (wake) lines.push(`woken ${time(span.latency)} before by ${wake.from < 0 ? "a thread" : `cpu${wake.from}`}`);
  if (steal) lines.push(`stolen from cpu${steal.from}`);
  lines.push(`at ${time(span.start)}`);
  return lines;
}

function showTip(span, x, y) {
  const tip = element("tip");
  tip.hidden = !span;
  if (!span) return;
  const [title, ...lines] = describe(span);
  tip.replaceChildren(make("b", title), ...lines.map((line) => make("div", line)));
  const box = tip.getBoundingClientRect();
  tip.style.left = `${Math.max(4, Math.min(x + 14, window.innerWidth - box.width - 8))}px`;
  tip.style.top = `${Math.max(4, y + box.height + 24 > window.innerHeight ? y - box.height - 12 : y + 18)}px`;
}

const HINT = "Wheel or +/− zoom · drag or ←/→ pan · click a poll to follow its task with N and P · S next steal";

function showChosen() {
  element("chosen").textContent = chosen ? describe(chosen).join(" · ") : HINT;
}
