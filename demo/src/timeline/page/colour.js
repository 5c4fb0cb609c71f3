// Colours: of the theme, from the style sheet; of tasks, spread over the hues by rank, so that the busiest differ most.
const theme = (() => {
  const root = document.documentElement;
  const preferred = window.matchMedia("(prefers-color-scheme: dark)");
  let values = {};
  const set = (name) => {
    root.dataset.theme = name;
    const style = getComputedStyle(root);
    for (const key of ["page", "card", "ink", "soft", "line", "band", "halt", "wake", "kick", "steal", "shade"]) {
      values[key] = style.getPropertyValue(`--${key}`).trim();
    }
  };
  set(preferred.matches ? "dark" : "light");
  preferred.addEventListener("change", (event) => { set(event.matches ? "dark" : "light"); redraw(); });
  return {
    get: (key) => values[key],
    dark: () => root.dataset.theme === "dark",
    toggle: () => set(root.dataset.theme === "dark" ? "light" : "dark"),
  };
})();

let colourBy = "name";

const ranks = (() => {
  const time = { name: new Map(), task: new Map() };
  for (const span of model.spans) {
    if (span.task === NO_TASK) continue;
    for (const by of ["name", "task"]) time[by].set(span[by], (time[by].get(span[by]) || 0) + span.length);
  }
  const rank = (times) => new Map([...times].sort((a, b) => b[1] - a[1]).map(([key], index) => [key, index]));
  return { name: rank(time.name), task: rank(time.task) };
})();

const TIER_HUES = [200, 145, 25];

// Neighbours in rank stand about two fifths of the circle apart, and no two share a hue while there are few.
const GOLDEN = 0.381966;
function hueOf(span) {
  if (colourBy === "tier") return TIER_HUES[span.tier];
  const count = ranks[colourBy].size, rank = ranks[colourBy].get(span[colourBy]);
  let stride = Math.max(1, Math.round(count * GOLDEN));
  while (divisor(stride, count) > 1) stride++;
  const share = count <= 24 ? ((rank * stride) % count) / count : rank * GOLDEN;
  return (250 + 360 * share) % 360;
}
const divisor = (a, b) => (b ? divisor(b, a % b) : a);

const colours = new Map();
function colourOf(span) {
  const key = `${theme.dark()} ${colourBy} ${span[colourBy]}`;
  if (!colours.has(key)) {
    const pale = colourBy !== "tier" && ranks[colourBy].get(span[colourBy]) % 2 ? 0.05 : 0;
    const [light, chroma] = theme.dark() ? [0.7, 0.125] : [0.77, 0.12];
    colours.set(key, `oklch(${light + pale} ${chroma - pale} ${hueOf(span).toFixed(1)})`);
  }
  return colours.get(key);
}
const INK_ON_COLOUR = "#14171c";
