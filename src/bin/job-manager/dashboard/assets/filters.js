// Which units of a job are shown: tabs, search, what can be taken back, and the next page.
import { fileAddress, jobAddress, jobsAddress } from "./address.js";
import { count, el, files } from "./views.js";

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
      href: jobAddress(job, { match: narrowed.match, group: narrowed.group, sort: narrowed.sort, status: state }),
      "aria-current": state === current ? "page" : null,
    }, `${name} `, el("span", { class: "quiet" }, count(progress[counter])))));
}

/** What is wrong with a part of the address. @param {any} error @param {string} [id] */
export const wrong = (error, id) => el("p", { class: "wrong", role: "alert", id }, error.message);

/**
 * A field whose words go into the address, with what is wrong with them.
 * @param {string} value @param {string} hint @param {string} label @param {any} error @param {(words: string) => string} address
 */
function field(value, hint, label, error, address) {
  const input = /** @type {HTMLInputElement} */ (el("input", {
    type: "search", value, placeholder: hint, "aria-label": label, "data-key": "search", id: "search",
    ...(error && { "aria-invalid": "true", "aria-describedby": "search-wrong" }),
  }));
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    location.hash = address(input.value);
  };
  return el("form", { class: "search", role: "search", submit }, input, error && wrong(error, "search-wrong"));
}

/** @param {string} job @param {import("./address.js").Narrowed} narrowed @param {any} [error] */
export const search = (job, narrowed, error) =>
  field(narrowed.match ?? "", "Search items", "Search items by a regular expression", error, (match) => jobAddress(job, { ...narrowed, match, after: "" }));

/** @param {import("./address.js").Narrowed} narrowed @param {any} [error] */
export const searchJobs = (narrowed, error) =>
  field(narrowed.name ?? "", "Name of jobs", "Jobs of that name", error, (name) => jobsAddress({ status: narrowed.status, name }));

const JOB_TABS = ["", "running", "interrupted", "paused", "awaiting_approval", "created", "failed", "completed", "cancelled"];

/** @param {import("./address.js").Narrowed} narrowed */
export const jobTabs = (narrowed) =>
  el("nav", { class: "tabs", "aria-label": "Jobs" }, JOB_TABS.map((state) =>
    el("a", { href: jobsAddress({ status: state, name: narrowed.name }), "aria-current": state === (narrowed.status ?? "") ? "page" : null },
      state ? `${state[0].toUpperCase()}${state.slice(1).replaceAll("_", " ")}` : "All")));

/** @param {import("./address.js").Narrowed} narrowed */
export const jobChips = (narrowed) => {
  const state = narrowed.status && !JOB_TABS.includes(narrowed.status) && chip(`state ${narrowed.status}`, jobsAddress({ name: narrowed.name }));
  const name = narrowed.name && chip(`named ${narrowed.name}`, jobsAddress({ status: narrowed.status }));
  return (state || name) && el("p", { class: "chips" }, state, name);
};

/** What is narrowed, and the way back. @param {string} text @param {string} href */
const chip = (text, href) => el("a", { href, "aria-label": `Take back: ${text}` }, text, el("span", { "aria-hidden": "true" }, " ×"));

/** What the units are narrowed to beside the tab, each with its way back. @param {string} job @param {import("./address.js").Narrowed} narrowed */
export function chips(job, narrowed) {
  const words = {
    status: (/** @type {string} */ value) => `state ${value}`,
    cluster: (/** @type {string} */ value) => `failures of cluster ${value}`,
    group: (/** @type {string} */ value) => `group ${value}`,
    match: (/** @type {string} */ value) => `items with ${value}`,
    sort: (/** @type {string} */ value) => `sorted by ${value}`,
    after: (/** @type {string} */ value) => `after unit ${value}`,
  };
  // A state that has a tab is taken back there.
  const hasTab = TABS.some(([state]) => state === narrowed.status);
  const given = Object.entries(words).filter(([name]) => narrowed[name] && !(name === "status" && hasTab));
  if (given.length === 0) return null;
  return el("p", { class: "chips" }, given.map(([name, word]) => {
    const without = { ...narrowed, after: "", [name]: "" };
    return chip(word(narrowed[name]), jobAddress(job, without));
  }));
}

/** Files of the units that are shown, on this page and on the others. @param {string} job @param {import("./address.js").Narrowed} narrowed */
export function downloads(job, narrowed) {
  const links = (/** @type {string[]} */ names) => names.map((name) => /** @type {[string, string]} */ ([name, fileAddress(job, name, narrowed)]));
  const which = narrowed.status || narrowed.cluster || narrowed.match || narrowed.group ? "of the units shown here" : "of all units";
  return [files(`Results ${which}:`, links(["results.csv", "results.tsv", "results.jsonl"])), files(`Items ${which}:`, links(["items.jsonl", "items.txt"]))];
}

/** @param {string} job @param {import("./address.js").Narrowed} narrowed @param {any} page */
export function pager(job, narrowed, page) {
  const first = narrowed.after && el("a", { href: jobAddress(job, { ...narrowed, after: "" }) }, "‹ First");
  const more = page.next_after != null && el("a", { href: jobAddress(job, { ...narrowed, after: page.next_after }) }, "More ›");
  const far = page.searched_through != null &&
    el("span", { class: "quiet" }, `The search took too long and stopped after unit ${count(page.searched_through)}.`);
  return (first || more || far) && el("p", { class: "actions" }, first, more, far);
}
