// What people do, and the redrawing that follows.
const SHORTEST_VIEW = 200;
let panelTimer = 0;

function drawPanel() {
  const spans = model.rows.flatMap((row) => spansIn(row, view.from, view.to))
    .filter((span) => span.task !== NO_TASK && span.start + span.length >= view.from);
  drawHistogram(spans);
  drawTasks(spans);
}

function draw() {
  drawRows();
  drawAxis();
  drawOverview();
  showChosen();
}

let asked = false;
function redraw() {
  if (!asked) {
    asked = true;
    requestAnimationFrame(() => { asked = false; draw(); });
  }
  clearTimeout(panelTimer);
  panelTimer = setTimeout(drawPanel, 80);
}

function look(from, to) {
  const length = Math.min(model.end, Math.max(SHORTEST_VIEW, to - from));
  view.from = Math.max(0, Math.min(from, model.end - length));
  view.to = view.from + length;
  redraw();
}

function zoom(factor, at = (view.from + view.to) / 2) {
  const length = Math.min(model.end, Math.max(SHORTEST_VIEW, (view.to - view.from) * factor));
  const share = (at - view.from) / (view.to - view.from);
  look(at - share * length, at + (1 - share) * length);
}

const pan = (ns) => look(view.from + ns, view.to + ns);
const centre = (at) => pan(at - (view.from + view.to) / 2);

function nextSteal() {
  const middle = (view.from + view.to) / 2 + 1;
  const steals = model.arrows.filter((arrow) => arrow.kind === STEAL);
  if (steals.length) centre((steals.find((arrow) => arrow.toAt > middle) || steals[0]).toAt);
}

function nextPoll(step) {
  if (!chosen) return;
  const polls = model.polls.get(chosen.task) || [];
  const next = polls[polls.indexOf(chosen) + step];
  if (!next) return;
  chosen = next;
  if (next.start < view.from || next.start > view.to) centre(next.start); else redraw();
}

// The span under a point of the rows; a narrow one is found from two pixels beside.
function spanAt(x, y) {
  const cpu = Math.floor(y / rowHeight());
  if (cpu < 0 || cpu >= data.cpus || x < GUTTER) return null;
  const reach = timeAt(x + 2) - timeAt(x), at = timeAt(x);
  const near = spansIn(model.rows[cpu], at - reach, at + reach)
    .filter((span) => span.start <= at + reach && span.start + span.length >= at - reach);
  return near.find((span) => span.task !== NO_TASK) || near[0] || null;
}

function listenToRows() {
  const rows = canvases.rows.element;
  let drag = null;
  rows.addEventListener("wheel", (event) => {
    const outside = event.offsetX < GUTTER;
    if (outside) return;
    event.preventDefault();
    const unit = event.deltaMode === 1 ? 16 : 1;
    const scale = (view.to - view.from) / plotWidth();
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      pan((event.deltaX || event.deltaY) * unit * scale);
    } else {
      zoom(Math.exp(event.deltaY * unit * 0.0016), timeAt(event.offsetX));
    }
  }, { passive: false });
  rows.addEventListener("pointerdown", (event) => {
    rows.setPointerCapture(event.pointerId);
    drag = { x: event.clientX, from: view.from, moved: false };
    rows.classList.add("dragging");
  });
  rows.addEventListener("pointermove", (event) => {
    if (drag) {
      const distance = event.clientX - drag.x;
      drag.moved ||= Math.abs(distance) > 3;
      const from = drag.from - (distance / plotWidth()) * (view.to - view.from);
      if (drag.moved) look(from, from + view.to - view.from);
      return;
    }
    const span = spanAt(event.offsetX, event.offsetY);
    showTip(span, event.clientX, event.clientY);
    const poll = span && span.task !== NO_TASK ? span : null;
    if (poll !== hovered) { hovered = poll; redraw(); }
  });
  rows.addEventListener("pointerup", (event) => {
    if (drag && !drag.moved) {
      const span = spanAt(event.offsetX, event.offsetY);
      chosen = span && span.task !== NO_TASK ? span : null;
      redraw();
    }
    drag = null;
    rows.classList.remove("dragging");
  });
  rows.addEventListener("pointerleave", () => { showTip(null); if (hovered) { hovered = null; redraw(); } });
  rows.addEventListener("dblclick", (event) => zoom(0.4, timeAt(event.offsetX)));
}

function listenToOverview() {
  const overview = canvases.overview.element;
  const go = (event) => {
    const width = canvases.overview.width - GUTTER;
    centre(((event.offsetX - GUTTER) / width) * model.end);
  };
  overview.addEventListener("pointerdown", (event) => { overview.setPointerCapture(event.pointerId); go(event); });
  overview.addEventListener("pointermove", (event) => { if (event.buttons) go(event); });
}

function listenToKeys() {
  const step = () => (view.to - view.from) * 0.15;
  const keys = {
    ArrowLeft: () => pan(-step()), ArrowRight: () => pan(step()),
    "+": () => zoom(0.7), "=": () => zoom(0.7), "-": () => zoom(1.4), 0: () => look(0, model.end),
    Home: () => look(0, view.to - view.from), End: () => look(model.end - (view.to - view.from), model.end),
    s: nextSteal, n: () => nextPoll(1), p: () => nextPoll(-1),
    Escape: () => { chosen = null; focusName = null; redraw(); },
  };
  document.addEventListener("keydown", (event) => {
    const action = keys[event.key];
    if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    action();
  });
}

function listenToButtons() {
  const press = (button, on) => button.setAttribute("aria-pressed", String(on));
  const colourButtons = [...document.querySelectorAll("[data-colour]")];
  for (const button of colourButtons) {
    button.addEventListener("click", () => {
      colourBy = button.dataset.colour;
      colourButtons.forEach((other) => press(other, other === button));
      redraw();
    });
  }
  for (const button of document.querySelectorAll("[data-arrow]")) {
    button.addEventListener("click", () => {
      const kind = Number(button.dataset.arrow);
      shown[kind] = !shown[kind];
      press(button, shown[kind]);
      redraw();
    });
  }
  const actions = {
    "zoom-out": () => zoom(1.6), "zoom-in": () => zoom(0.6), all: () => look(0, model.end), "next-steal": nextSteal,
    theme: () => { theme.toggle(); redraw(); },
  };
  for (const [id, action] of Object.entries(actions)) element(id).addEventListener("click", action);
}

drawFacts();
draw();
drawPanel();
listenToRows();
listenToOverview();
listenToKeys();
listenToButtons();
window.addEventListener("resize", redraw);
document.body.dataset.ready = "yes";
