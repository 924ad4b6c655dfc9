// Which units of a job are shown: tabs, search, what can be taken back, and the next page.
import { jobAddress } from "./address.js";
import { count, el } from "./views.js";

const TABS = [
  ["", "All", "total"],
  ["running", "Running", "running"],
  ["failed", "Failed", "failed"],
  ["pending", "Waiting", "pending"],
  ["completed", "Completed", "completed"],
  ["skipped", "Skipped", "skipped"],
  ["cancelled", "Cancelled", "cancelled"],
];
/** Tabs that are there without a unit, too. */
const ALWAYS = ["", "running", "failed", "pending"];

/** @param {string} job @param {import("./address.js").Narrowed} narrowed @param {any} progress */
export function tabs(job, narrowed, progress) {
  const current = narrowed.cluster ? "failed" : narrowed.status ?? "";
  const shown = TABS.filter(([state, , counter]) => ALWAYS.includes(state) || progress[counter] > 0 || state === current);
  return el("nav", { class: "tabs", "aria-label": "Units" }, shown.map(([state, name, counter]) =>
    el("a", {
      href: jobAddress(job, { match: narrowed.match, sort: narrowed.sort, status: state }),
      "aria-current": state === current ? "page" : null,
    }, `${name} `, el("span", { class: "quiet" }, count(progress[counter])))));
}

/** @param {string} job @param {import("./address.js").Narrowed} narrowed */
export function search(job, narrowed) {
  const input = /** @type {HTMLInputElement} */ (el("input", {
    type: "search", value: narrowed.match ?? "", placeholder: "Search items", "aria-label": "Search items by a regular expression",
    "data-key": "search", id: "search",
  }));
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    location.hash = jobAddress(job, { ...narrowed, match: input.value, after: "" });
  };
  return el("form", { class: "search", role: "search", submit }, input);
}

/** What the units are narrowed to beside the tab, each with its way back. @param {string} job @param {import("./address.js").Narrowed} narrowed */
export function chips(job, narrowed) {
  const words = {
    cluster: (/** @type {string} */ value) => `failures of cluster ${value}`,
    match: (/** @type {string} */ value) => `items with ${value}`,
    sort: (/** @type {string} */ value) => `sorted by ${value}`,
    after: (/** @type {string} */ value) => `after unit ${value}`,
  };
  const given = Object.entries(words).filter(([name]) => narrowed[name]);
  if (given.length === 0) return null;
  return el("p", { class: "chips" }, given.map(([name, word]) => {
    const text = word(narrowed[name]);
    const without = { ...narrowed, after: "", [name]: "" };
    return el("a", { href: jobAddress(job, without), "aria-label": `Take back: ${text}` }, text, el("span", { "aria-hidden": "true" }, " ×"));
  }));
}

/** @param {string} job @param {import("./address.js").Narrowed} narrowed @param {any} page */
export function pager(job, narrowed, page) {
  const first = narrowed.after && el("a", { href: jobAddress(job, { ...narrowed, after: "" }) }, "‹ First");
  const more = page.next_after != null && el("a", { href: jobAddress(job, { ...narrowed, after: page.next_after }) }, "More ›");
  const far = page.searched_through != null &&
    el("span", { class: "quiet" }, `The search took too long and stopped after unit ${count(page.searched_through)}.`);
  return (first || more || far) && el("p", { class: "actions" }, first, more, far);
}
