// Pictures of a job, with their numbers as tables beside them. Shapes have attributes and classes only: the page allows no inline style.
import { jobAddress } from "./address.js";
import { count, el, span, table, row, when } from "./views.js";

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 100;

/** @param {string} name @param {Record<string, any>} attributes @param {...any} children */
export function shape(name, attributes, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  made.append(...children);
  return made;
}

/**
 * Columns of stacked parts, as wide as the page, each with its numbers as a tip.
 * @param {string} label @param {{parts: [string, number][], tip: string}[]} columns @param {{x: number, width: number}[]} [shaded]
 */
function columns(label, columns, shaded = []) {
  const sum = (/** @type {[string, number][]} */ parts) => parts.reduce((all, [, value]) => all + value, 0);
  const most = Math.max(1, ...columns.map((column) => sum(column.parts)));
  const drawn = columns.map(({ parts, tip }, index) => {
    let below = HEIGHT;
    const boxes = parts.filter(([, value]) => value > 0).map(([kind, value]) => {
      const height = Math.max(1.5, (value / most) * HEIGHT);
      below -= height;
      return shape("rect", { class: kind, x: index + 0.08, y: Math.max(0, below), width: 0.84, height });
    });
    // What is pointed at is the whole column, however low it is.
    const ground = shape("rect", { class: "ground", x: index, y: 0, width: 1, height: HEIGHT });
    return shape("g", {}, shape("title", {}, tip), ground, ...boxes);
  });
  const view = `0 0 ${Math.max(1, columns.length)} ${HEIGHT}`;
  return shape("svg", { class: "chart", viewBox: view, preserveAspectRatio: "none", role: "img", "aria-label": label },
    ...shaded.map(({ x, width }) => shape("rect", { class: "pause", x, y: 0, width: Math.max(0.3, width), height: HEIGHT })), ...drawn);
}

/** @param {string} title @param {any} picture @param {any[]} axis @param {any} said @param {any} numbers @param {any} [below] */
export const figure = (title, picture, axis, said, numbers, below) =>
  el("figure", {},
    el("figcaption", {}, el("strong", {}, title), " ", el("span", { class: "quiet" }, said)),
    picture,
    el("div", { class: `axis ${axis.length > 3 ? "columns" : ""}` }, axis.map((text) => el("span", {}, text))),
    below,
    el("details", {}, el("summary", {}, "Numbers"), numbers));

const units = (/** @type {number} */ number) => `${count(number)} ${number === 1 ? "unit" : "units"}`;

/** What colours of a picture mean. @param {[string, any][]} kinds */
export const legend = (kinds) =>
  el("ul", { class: "legend" }, kinds.map(([kind, name]) => el("li", {}, el("i", { class: `key ${kind}` }), name)));

/** @param {any} charts */
function throughput({ from, bucket_seconds, ends, pauses = [] }) {
  const at = (/** @type {number} */ index) => new Date(Date.parse(from) + index * bucket_seconds * 1000).toISOString();
  const said = (/** @type {any} */ { completed, failed }) => `${count(completed)} completed, ${count(failed)} failed`;
  const drawn = ends.map((/** @type {any} */ part, /** @type {number} */ index) => ({
    parts: [["completed", part.completed], ["failed", part.failed]],
    tip: `${new Date(at(index)).toLocaleString()}, ${span(bucket_seconds)}: ${said(part)}`,
  }));
  const most = Math.max(...ends.map((/** @type {any} */ part) => part.completed + part.failed));
  const all = ends.reduce((/** @type {any} */ sum, /** @type {any} */ part) =>
    ({ completed: sum.completed + part.completed, failed: sum.failed + part.failed }), { completed: 0, failed: 0 });
  const titles = ["From", "Completed", "Failed"];
  const rows = ends.map((/** @type {any} */ part, /** @type {number} */ index) => ({ part, index }))
    .filter(({ part }) => part.completed + part.failed > 0)
    .map(({ part, index }) => row([when(at(index)), count(part.completed), count(part.failed)], titles));
  const column = (/** @type {string} */ time) => (Date.parse(time) - Date.parse(from)) / 1000 / bucket_seconds;
  const shaded = pauses.map((/** @type {any} */ pause) => ({ x: column(pause.from), width: column(pause.to) - column(pause.from) }));
  const pausesSaid = shaded.length > 0 ? `; shaded: no manager was running (${count(shaded.length)} ${shaded.length === 1 ? "time" : "times"})` : "";
  const pauseTitles = ["No manager from", "To", "For"];
  const pauseRows = pauses.map((/** @type {any} */ { from, to }) =>
    row([when(from), when(to), span((Date.parse(to) - Date.parse(from)) / 1000)], pauseTitles));
  return figure("Units over time", columns(`Units over time: ${said(all)}${pausesSaid}`, drawn, shaded),
    [when(from), when(at(ends.length / 2)), when(at(ends.length))],
    `${most >= bucket_seconds ? `up to ${count(Math.round(most / bucket_seconds))} a second` : `up to ${units(most)} in ${span(bucket_seconds)}`}, failures on top${pausesSaid}`,
    [table(titles, rows, "Units over time"), pauseRows.length > 0 && table(pauseTitles, pauseRows, "Pauses")]);
}

/** @param {any} charts @param {string} slowest */
function durations({ durations, p50_seconds, p95_seconds, p99_seconds }, slowest) {
  const titles = ["From", "To less than", "Units"];
  const drawn = durations.map((/** @type {any} */ part) => ({
    parts: [["accent", part.units]],
    tip: `${span(part.from_seconds)} to ${span(part.to_seconds)}: ${units(part.units)}`,
  }));
  const rows = durations.map((/** @type {any} */ part) => row([span(part.from_seconds), span(part.to_seconds), count(part.units)], titles));
  const quantiles = [["half", p50_seconds], ["95 %", p95_seconds], ["99 %", p99_seconds]];
  const said = quantiles.map(([name, seconds]) => `${name} within ${span(seconds)}`).join(", ");
  // The bounds of a decade are enough, and stand under the left edge of their columns.
  const isDecade = (/** @type {number} */ seconds) => seconds === 0 || Number.isInteger(Math.round(Math.log10(seconds) * 1e6) / 1e6);
  return figure("Time per unit", columns(`Time per unit: ${said}`, drawn),
    durations.map((/** @type {any} */ part) => (isDecade(part.from_seconds) ? span(part.from_seconds) : "")),
    el("span", {}, said, " · ", el("a", { href: slowest }, "the slowest")),
    table(titles, rows, "Time per unit"));
}

/** Failures over time by kind, whose words are those of the report. @param {any} charts @param {any[]} clusters @param {string} job */
function failures({ from, bucket_seconds, failures }, clusters, job) {
  const at = (/** @type {number} */ index) => new Date(Date.parse(from) + index * bucket_seconds * 1000).toISOString();
  const name = (/** @type {any} */ kind) => clusters.find((cluster) => cluster.cluster === kind.cluster)?.text ?? (kind.cluster ? `kind ${kind.cluster}` : "other kinds");
  const kinds = failures.kinds.map((/** @type {any} */ kind, /** @type {number} */ index) => ({ ...kind, name: name(kind), colour: `kind${index}` }));
  const drawn = kinds[0].ends.map((/** @type {number} */ _, /** @type {number} */ index) => {
    const parts = kinds.map((/** @type {any} */ kind) => [kind.colour, kind.ends[index]]);
    const named = kinds.filter((/** @type {any} */ kind) => kind.ends[index] > 0).map((/** @type {any} */ kind) => `${count(kind.ends[index])} ${kind.name}`);
    return { parts, tip: `${new Date(at(index)).toLocaleString()}, ${span(bucket_seconds)}: ${named.join("; ") || "none"}` };
  });
  const titles = ["From", "Units", "Why"];
  const rows = drawn.flatMap((/** @type {any} */ _, /** @type {number} */ index) => kinds.filter((/** @type {any} */ kind) => kind.ends[index] > 0)
    .map((/** @type {any} */ kind) => row([when(at(index)), count(kind.ends[index]), el("bdi", {}, kind.name)], titles)));
  const shown = kinds.map((/** @type {any} */ kind) => [kind.colour, el("span", {}, `${count(kind.units)} `,
    kind.cluster ? el("a", { href: jobAddress(job, { cluster: kind.cluster }) }, el("bdi", {}, kind.name)) : kind.name)]);
  const said = failures.is_part ? `the ${count(failures.counted)} failed units with the highest numbers` : units(failures.counted);
  const picture = columns(`Failures over time: ${kinds.map((/** @type {any} */ kind) => `${count(kind.units)} ${kind.name}`).join("; ")}`, drawn);
  return figure("Failures over time", picture, [when(from), when(at(drawn.length / 2)), when(at(drawn.length))], said,
    table(titles, rows, "Failures over time"), legend(shown));
}

/** The pictures of a job; none before a unit has ended. @param {any} charts @param {string} slowest @param {any[]} clusters @param {string} job */
export function charts(charts, slowest, clusters, job) {
  if (charts.ends.length === 0 || charts.durations.length === 0) return [];
  const sample = charts.counted < charts.units &&
    el("p", { class: "quiet" }, `Drawn from ${count(charts.counted)} of ${count(charts.units)} units, spread evenly over all.`);
  return [el("div", { class: "figures" }, throughput(charts), durations(charts, slowest), charts.failures && failures(charts, clusters, job)), sample];
}
