// The canvases: overview, axis, rows.
const GUTTER = 78;
const ROW_MIN = 10, ROW_MAX = 132;
const MOST_ARROWS = 1500;
const MOST_MARKS = 800;
const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif";

const view = firstView();
const shown = [true, true, true];
let hovered = null, chosen = null, focusName = null;

const canvases = Object.fromEntries(["overview", "axis", "rows"].map((id) => {
  const element = document.getElementById(id);
  return [id, { element, context: element.getContext("2d"), width: 0, height: 0 }];
}));

// Makes a canvas as large as its place, in the screen's own pixels, and clears it.
function begin(canvas, height) {
  const ratio = window.devicePixelRatio || 1;
  const width = canvas.element.parentElement.clientWidth - (canvas === canvases.rows ? 0 : 24);
  const size = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.element.width !== size[0] || canvas.element.height !== size[1]) {
    [canvas.element.width, canvas.element.height] = size;
    canvas.element.style.height = `${height}px`;
  }
  Object.assign(canvas, { width, height });
  canvas.context.setTransform(ratio, 0, 0, ratio, 0, 0);
  canvas.context.clearRect(0, 0, width, height);
  return canvas.context;
}

const plotWidth = () => canvases.rows.width - GUTTER;
const xOf = (at) => GUTTER + ((at - view.from) / (view.to - view.from)) * plotWidth();
const timeAt = (x) => view.from + ((x - GUTTER) / plotWidth()) * (view.to - view.from);

function rowHeight() {
  const room = Math.max(340, window.innerHeight - 212);
  return Math.max(ROW_MIN, Math.min(ROW_MAX, Math.floor(room / data.cpus)));
}

// The bar of a row: where polls are drawn.
function barOf(cpu) {
  const height = rowHeight();
  const bar = height < 30 ? height - (height < 14 ? 2 : 4) : Math.min(46, height * 0.46);
  return { top: cpu * height + (height - bar) / 2, height: bar };
}

function drawOverview() {
  const context = begin(canvases.overview, 52);
  const width = canvases.overview.width - GUTTER;
  const columns = Math.max(1, Math.floor(width / 2));
  const busy = new Float64Array(columns), waits = new Float64Array(columns);
  const column = (at) => Math.max(0, Math.min(columns - 1, Math.floor((at / model.end) * columns)));
  const scale = model.end / columns;
  for (const span of model.spans) {
    if (span.task === NO_TASK) continue;
    const end = span.start + span.length;
    for (let at = column(span.start); at <= column(end); at++) {
      busy[at] += Math.max(0, Math.min(end, (at + 1) * scale) - Math.max(span.start, at * scale));
    }
  }
  for (const arrow of model.arrows) if (arrow.kind === STEAL) waits[column(arrow.toAt)] = 1;
  context.fillStyle = theme.get("band");
  context.fillRect(GUTTER, 0, width, 52);
  context.fillStyle = theme.get("halt");
  for (let at = 0; at < columns; at++) {
    const height = Math.min(1, busy[at] / (scale * data.cpus)) * 44;
    context.fillRect(GUTTER + at * 2, 52 - height, 1.5, height);
  }
  context.fillStyle = theme.get("steal");
  for (let at = 0; at < columns; at++) if (waits[at]) context.fillRect(GUTTER + at * 2, 0, 1.5, 5);
  const [from, to] = [view.from, view.to].map((at) => GUTTER + (at / model.end) * width);
  context.fillStyle = theme.get("shade");
  context.fillRect(from, 0, Math.max(3, to - from), 52);
  context.strokeStyle = theme.get("wake");
  context.lineWidth = 1.5;
  context.strokeRect(from + 0.5, 0.75, Math.max(3, to - from), 50.5);
  label(context, "all", 0, 30, "soft");
}

function label(context, text, x, y, colour, align = "left", weight = "", size = 12) {
  context.font = `${weight} ${size}px ${FONT}`;
  context.textAlign = align;
  context.textBaseline = "middle";
  context.fillStyle = theme.get(colour);
  context.fillText(text, x, y);
}

// Round steps: 1, 2 or 5 of a power of ten.
function stepFor(span, most) {
  const rough = span / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= rough);
}

function* gridTimes() {
  const step = stepFor(view.to - view.from, plotWidth() / 110);
  for (let at = Math.ceil(view.from / step) * step; at <= view.to; at += step) yield at;
}

function drawAxis() {
  const context = begin(canvases.axis, 30);
  label(context, time(view.to - view.from), 0, 15, "ink", "left", "600");
  for (const at of gridTimes()) {
    label(context, axisTime(at), xOf(at), 15, "soft", "center");
  }
}

// Enough digits to tell neighbours apart, in one unit.
function axisTime(at) {
  const step = stepFor(view.to - view.from, plotWidth() / 110);
  const [unit, name] = view.to >= 1e6 ? [1e6, "ms"] : [1e3, "µs"];
  const digits = Math.max(0, Math.ceil(-Math.log10(step / unit) - 1e-9));
  return `${(at / unit).toFixed(Math.min(digits, 6))} ${name}`;
}

function drawRows() {
  const height = rowHeight();
  const context = begin(canvases.rows, height * data.cpus);
  const right = canvases.rows.width;
  for (let cpu = 0; cpu < data.cpus; cpu++) {
    if (cpu % 2 === 0) {
      context.fillStyle = theme.get("band");
      context.fillRect(GUTTER, cpu * height, right - GUTTER, height);
    }
    const middle = cpu * height + height / 2;
    const tall = height >= 44;
    const size = Math.min(12, Math.max(9, height - 1));
    label(context, `cpu${cpu}`, 4, tall ? middle - 8 : middle, "ink", "left", "600", size);
    const share = `${Math.round((100 * model.rows[cpu].busy) / model.end)} %`;
    const [x, align] = tall ? [4, "left"] : [GUTTER - 8, "right"];
    label(context, share, x, tall ? middle + 9 : middle, "soft", align, "", size);
  }
  context.save();
  context.beginPath();
  context.rect(GUTTER, 0, right - GUTTER, height * data.cpus);
  context.clip();
  context.fillStyle = theme.get("line");
  for (const at of gridTimes()) context.fillRect(Math.round(xOf(at)), 0, 1, height * data.cpus);
  let drawn = 0;
  for (let cpu = 0; cpu < data.cpus; cpu++) drawn += drawRow(context, cpu);
  if (height >= 30) drawMarks(context, height);
  const counts = drawArrows(context);
  context.restore();
  Object.assign(document.body.dataset, {
    rows: data.cpus, spans: drawn, wakes: counts[WAKE], kicks: counts[KICK], steals: counts[STEAL],
  });
}

// The polls and halts of a CPU; what is narrower than a pixel shares it.
function drawRow(context, cpu) {
  const bar = barOf(cpu);
  const spans = spansIn(model.rows[cpu], view.from, view.to);
  let free = -Infinity, drawn = 0;
  for (const span of spans) {
    const from = Math.max(xOf(span.start), GUTTER - 2);
    const to = Math.min(xOf(span.start + span.length), canvases.rows.width + 2);
    if (to < GUTTER) continue;
    if (span.task === NO_TASK) {
      context.fillStyle = theme.get("halt");
      const thin = Math.max(2, Math.min(5, bar.height / 8));
      context.fillRect(from, bar.top + (bar.height - thin) / 2, Math.max(0, to - from), thin);
      continue;
    }
    if (to < free + 0.3 && to - from < 0.7) continue;
    free = Math.max(to, from + 0.7);
    drawn++;
    context.globalAlpha = isDimmed(span) ? 0.22 : 1;
    context.fillStyle = colourOf(span);
    const width = Math.max(0.8, to - from - (to - from > 4 ? 0.8 : 0));
    if (width > 5 && bar.height > 12) {
      context.beginPath();
      context.roundRect(from, bar.top, width, bar.height, Math.min(3, width / 3));
      context.fill();
    } else {
      context.fillRect(from, bar.top, width, bar.height);
    }
    if (span === hovered || span === chosen) {
      context.strokeStyle = theme.get("ink");
      context.lineWidth = 1.5;
      context.strokeRect(from, bar.top, Math.max(1, width), bar.height);
    }
    drawName(context, span, Math.max(from, GUTTER), from + width, bar);
    context.globalAlpha = 1;
  }
  return drawn;
}

function drawName(context, span, from, to, bar) {
  if (bar.height < 10 || to - from < 26) return;
  const name = colourBy === "task" ? data.tasks[span.task] : kindName(span.name);
  context.font = `${Math.min(12, bar.height)}px ${FONT}`;
  if (context.measureText(name).width > to - from - 8) return;
  context.fillStyle = INK_ON_COLOUR;
  context.textAlign = "left";
  context.textBaseline = "middle";
  context.fillText(name, from + 5, bar.top + bar.height / 2 + 0.5);
}

function isDimmed(span) {
  const task = (hovered || chosen || {}).task;
  if (focusName !== null) return span.name !== focusName;
  return task !== undefined && task !== NO_TASK && span.task !== task;
}

// Timer interrupts as pins below the bar.
function drawMarks(context, height) {
  const tick = data.kinds.indexOf("tick");
  for (let cpu = 0; cpu < data.cpus; cpu++) {
    const marks = model.rows[cpu].marks;
    const begin = firstFrom(marks, "at", view.from), end = firstFrom(marks, "at", view.to);
    if (end - begin > MOST_MARKS) continue;
    const bar = barOf(cpu), bottom = bar.top + bar.height;
    context.fillStyle = theme.get("soft");
    for (const mark of marks.slice(begin, end)) {
      if (mark.kind !== tick) continue;
      const x = xOf(mark.at);
      context.fillRect(x - 0.5, bottom + 2, 1, Math.min(9, height * 0.1));
      context.beginPath();
      context.arc(x, bottom + 2 + Math.min(9, height * 0.1), 2, 0, 7);
      context.fill();
    }
  }
}

const ARROWS = [
  { colour: "wake", width: 1.25, dash: [], alpha: 0.85 },
  { colour: "kick", width: 1.25, dash: [4, 3], alpha: 0.9 },
  { colour: "steal", width: 2.25, dash: [], alpha: 1 },
];

function drawArrows(context) {
  const counts = [0, 0, 0];
  const all = arrowsIn(view.from, view.to);
  for (const kind of [KICK, WAKE, STEAL]) {
    if (!shown[kind]) continue;
    const arrows = all.filter((arrow) => arrow.kind === kind && isVisible(arrow));
    const stride = Math.ceil(arrows.length / MOST_ARROWS);
    const style = ARROWS[kind];
    const crowd = Math.max(0.12, Math.min(1, 140 / Math.max(1, arrows.length)));
    arrows.forEach((arrow, index) => {
      if (index % stride) return;
      const dim = (hovered || chosen) && arrow.task !== (hovered || chosen).task;
      const clear = kind === STEAL ? Math.max(crowd, 0.5) : crowd;
      context.globalAlpha = style.alpha * clear * (dim ? 0.25 : 1) * clarityOf(arrow);
      context.strokeStyle = context.fillStyle = theme.get(style.colour);
      context.lineWidth = arrows.length > 12 ? Math.min(style.width, 1.25) : style.width;
      context.setLineDash(style.dash);
      drawArrow(context, arrow);
      counts[kind]++;
    });
  }
  context.setLineDash([]);
  context.globalAlpha = 1;
  return counts;
}

// A wake on its own CPU is an arc over the bar, where there is room for one; what only passes by is not drawn.
function isVisible(arrow) {
  if (arrow.fromAt < view.from && arrow.toAt > view.to) return false;
  return arrow.from !== arrow.to || (rowHeight() >= 44 && xOf(arrow.toAt) - xOf(arrow.fromAt) > 5);
}

// The longer a task waited in a queue, the less its arrow says, and the more it would cover.
function clarityOf(arrow) {
  const share = (arrow.toAt - arrow.fromAt) / (view.to - view.from);
  const followed = (hovered || chosen || {}).task === arrow.task;
  return followed || share < 0.15 ? 1 : Math.max(0.16, 1 - 1.6 * (share - 0.15));
}

function drawArrow(context, arrow) {
  const to = barOf(arrow.to);
  const from = arrow.from < 0 ? { top: -8, height: 0 } : barOf(arrow.from);
  // A kick and the wake that it is for run side by side.
  const aside = arrow.kind === KICK ? -3 : 0;
  const [x1, x2] = [xOf(arrow.fromAt) + aside, xOf(arrow.toAt) + aside];
  const down = arrow.from < arrow.to;
  context.beginPath();
  if (arrow.from === arrow.to) {
    const lift = Math.min(to.top - arrow.to * rowHeight() - 3, 6 + (x2 - x1) / 6);
    context.moveTo(x1, to.top);
    context.bezierCurveTo(x1, to.top - lift, x2, to.top - lift, x2, to.top - 1);
    context.stroke();
    head(context, x2, to.top, 1, 0);
    return;
  }
  const y1 = down ? from.top + from.height : from.top;
  const y2 = down ? to.top : to.top + to.height;
  const bend = (y2 - y1) * 0.45;
  context.moveTo(x1, y1);
  context.bezierCurveTo(x1, y1 + bend, x2, y2 - bend, x2, y2);
  context.stroke();
  head(context, x2, y2, down ? 1 : -1, context.lineWidth);
}

// The head of an arrow that comes from above (1) or below (−1).
function head(context, x, y, direction, extra) {
  const size = 3 + extra;
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(x - size * 0.7, y - direction * size * 1.6);
  context.lineTo(x + size * 0.7, y - direction * size * 1.6);
  context.fill();
}
