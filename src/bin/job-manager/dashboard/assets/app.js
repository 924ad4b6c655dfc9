// Which page is shown, and keeping it true.
import { NoConnection, Refused, listen, read } from "./api.js";
import { fileAddress, jobAddress, pathOf, place, queryOf } from "./address.js";
import { charts } from "./charts.js";
import { belongTo, bulk, button, controls, retried, unitControls } from "./controls.js";
import * as filters from "./filters.js";
import { listenForKeys } from "./keys.js";
import { lanes } from "./lanes.js";
import { flagOf, toReview } from "./review.js";
import { enter, takeToken, tokenIn } from "./session.js";
import * as settings from "./settings.js";
import { stripOf, stripOfAll } from "./strips.js";
import * as views from "./views.js";

const { el } = views;
const at = (/** @type {string} */ id) => document.getElementById(id);
const main = at("main");

let about = { read_only: true, version: "", db: "" };

let noticeTimer;
/** @param {string} text @param {boolean} [bad] */
function tell(text, bad = false) {
  clearTimeout(noticeTimer);
  const notice = at("notice");
  notice.textContent = text;
  notice.className = bad ? "bad" : "";
  notice.hidden = false;
  noticeTimer = setTimeout(() => (notice.hidden = true), bad ? 20_000 : 6_000);
}

// --- pages ---------------------------------------------------------------------------------------------------------

/** Returns the answer, or why the address did not lead to one: the rest of the page can be shown. @param {Promise<any>} answer */
const unlessWrong = (answer) =>
  answer.catch((error) => {
    if (error instanceof Refused && error.status !== 401 && error.status < 500) return { error };
    throw error;
  });

/** @param {string} job @param {import("./address.js").Narrowed} narrowed */
async function jobPage(job, narrowed) {
  const path = `/api/v1/jobs/${encodeURIComponent(job)}`;
  const query = `${queryOf({ ...narrowed, name: "" })}&limit=50`;
  const [status, why, page] = await Promise.all([read(path), read(`${path}/explain`), unlessWrong(read(`${path}/units?${query}`))]);
  const isLogOpen = main.querySelector("details.log")?.open && pathOf(shown) === pathOf(location.hash);
  const [report, drawn, ran, log, set, reviewed] = await Promise.all([
    status.progress.failed > 0 ? failuresOf(job, path, status) : { failed: 0, clusters: [] },
    chartsOf(job, path, status),
    lanesOf(job, path, status),
    isLogOpen ? read(`${path}/log`) : null,
    about.read_only || !settings.canBeSet(status) ? null : read(`${path}/settings`),
    read(`${path}/review`),
  ]);
  const retry = about.read_only ? null : (/** @type {any} */ cluster) =>
    button("Retry", `${path}/retry`, { cluster: cluster.cluster }, { label: `Retry ${views.counted(cluster.count, "unit")} of cluster ${cluster.cluster}`, done: retried(status) });
  const showCluster = (/** @type {any} */ cluster) =>
    el("a", { href: jobAddress(job, { cluster: cluster.cluster }), "aria-label": `Show the units of cluster ${cluster.cluster}` }, "Show");
  const failedItems = views.files("Failed items:", ["items.jsonl", "items.txt"].map((name) => [name, fileAddress(job, name, { status: "failed" })]));
  const sorted = (/** @type {string} */ sort) => jobAddress(job, { ...narrowed, sort, after: "" });
  return {
    title: `${status.progress.percentage} % ${status.job.name} – Job Manager`,
    parts: [
      ...views.head(status, why, [controls(status), set && settings.settingsOf(status, set.settings, { tell, show })]),
      ...views.hosts(status),
      ...views.groups(status, (group) => jobAddress(job, { group })),
      ...views.spends(status),
      toReview(reviewed, status.job.id, { tell, show, readOnly: about.read_only }),
      ...charts(drawn, jobAddress(job, { sort: "duration" }), report.clusters, job),
      lanes(ran, job),
      ...views.failures(report, retry, showCluster, failedItems),
      el("div", { class: "between" }, el("h2", {}, "Units"), filters.search(job, narrowed, page.error?.parameter === "match" && page.error)),
      filters.tabs(job, narrowed, status.progress),
      filters.chips(job, narrowed),
      page.error?.parameter !== "match" && page.error && filters.wrong(page.error),
      !page.error && bulk(job, status, narrowed),
      !page.error && views.units(page, job, narrowed.sort ?? "", sorted),
      !page.error && filters.pager(job, narrowed, page),
      !page.error && filters.downloads(job, narrowed),
      views.managerLog(status, log, (event) => /** @type {HTMLDetailsElement} */ (event.currentTarget).open && !log && show()),
    ],
  };
}

const OLD_MS = 5_000;

/**
 * A document that costs more than the rest: it is read again when it may be another one, and not more often than every few seconds.
 * @param {string} name @param {(status: any) => any} what
 */
function seldom(name, what) {
  let known = { job: "", of: null, at: 0, document: null };
  const read_ = async (/** @type {string} */ job, /** @type {string} */ path, /** @type {any} */ status) => {
    const of = what(status);
    const isOld = known.of !== of && Date.now() - known.at > OLD_MS;
    if (known.job !== job || isOld) known = { job, of, at: Date.now(), document: await read(`${path}/${name}`) };
    return known.document;
  };
  const forget = () => (known.at = 0);
  return Object.assign(read_, { forget });
}

const failuresOf = seldom("failures", (status) => status.progress.failed);
/** It depends on all counters, and of a job that runs on the time. */
const chartsOf = seldom("charts", (status) => (status.status === "running" ? Date.now() : JSON.stringify(status.progress)));

const lanesOf = seldom("lanes", (status) => (status.status === "running" ? Date.now() : JSON.stringify(status.progress)));

/** The strips of the jobs that are shown: read again when one of these may be another, and not more often than every few seconds. */
let strips = { of: "", counted: "", at: 0, document: null };

/** @param {any[]} jobs */
async function stripsOf(jobs) {
  const of = jobs.map((job) => job.job.id).join();
  const counted = jobs.map((job) => [job.progress.completed, job.progress.failed, job.status === "running" && Date.now()].join()).join(" ");
  const isOld = counted !== strips.counted && Date.now() - strips.at > OLD_MS;
  if (of !== strips.of || isOld) strips = { of, counted, at: Date.now(), document: await read(`/api/v1/strips?jobs=${of}`) };
  return strips.document;
}

/** @param {string} job @param {string} seq */
async function unitPage(job, seq) {
  const path = `/api/v1/jobs/${encodeURIComponent(job)}`;
  const number = encodeURIComponent(seq);
  const [view, status, why] = await Promise.all([read(`${path}/units/${number}`), read(path), read(`${path}/explain?unit=${number}`)]);
  return { title: `Unit ${view.unit.seq} – Job Manager`, parts: views.unit(view, status, why, [flagOf(view.flag, view.unit, status.job.id, { tell, show, readOnly: about.read_only }), unitControls(view.unit, status)]) };
}

const JOBS = 50;
const MAX_JOBS = 300;
let jobsShown = JOBS;

/** @param {import("./address.js").Narrowed} narrowed */
async function jobsPage(narrowed) {
  const list = await unlessWrong(read(`/api/v1/jobs?${queryOf({ status: narrowed.status, name: narrowed.name })}&limit=${jobsShown}`));
  const more = () => {
    jobsShown = Math.min(MAX_JOBS, jobsShown * 2);
    show();
  };
  const { error } = list;
  const drawn = error ? null : await stripsOf(list.jobs);
  const hasMore = !error && list.jobs.length === jobsShown && jobsShown < MAX_JOBS;
  const button = hasMore && el("p", { class: "actions" }, el("button", { type: "button", "data-key": "more", click: more }, `${jobsShown} are shown; show more`));
  const [title, ...rest] = error ? [el("h1", {}, "Jobs"), filters.wrong(error)] : views.jobs(list, Boolean(narrowed.status || narrowed.name), (job) => stripOf(drawn, job));
  return {
    title: "Job Manager",
    parts: [el("div", { class: "between" }, title, filters.searchJobs(narrowed)), filters.jobTabs(narrowed), filters.jobChips(narrowed), drawn && stripOfAll(drawn), ...rest, button],
  };
}

/** Makes the page that the address names, and says what of the address means nothing. */
async function page() {
  const { page, job, seq, narrowed, unknown } = place();
  const pages = { jobs: () => jobsPage(narrowed), job: () => jobPage(job, narrowed), unit: () => unitPage(job, seq) };
  const { title, parts } = await pages[page]();
  const ignored = unknown.map((part) => el("p", { class: "wrong", role: "alert" }, `Ignored in the address: ${part}`));
  return { title, parts: [...ignored, ...parts] };
}

/** The way up from a page that cannot be shown. */
function wayUp() {
  const { page, job } = place();
  return page === "unit" ? el("a", { href: jobAddress(job) }, "‹ job ", el("bdi", {}, job)) : el("a", { href: "#/" }, "‹ all jobs");
}

// --- keeping the page true -----------------------------------------------------------------------------------------

let turn = 0;
let shown = "";

/** Draws the page again; of several that are under way only the latest is drawn. */
async function show() {
  const mine = ++turn;
  const address = location.hash;
  try {
    const { title, parts } = await page();
    if (mine === turn) draw(title, parts, address);
  } catch (error) {
    if (mine !== turn) return;
    // The page says so already.
    if (error instanceof NoConnection) return;
    if (!(error instanceof Refused)) tell(`This page has a fault: ${error.message}`, true);
    // So does it when the session is over.
    if (error.status === 401) return;
    if (shown === address) tell(error.message, true);
    else draw("Job Manager", [el("p", { class: "back" }, wayUp()), el("p", { class: "wrong", role: "alert" }, error.message)], address);
  }
}

const LIVE = "● live";
let pressed = false;
addEventListener("pointerdown", () => (pressed = true), true);
for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => setTimeout(() => (pressed = false)), true);

/** What a person is at that a redraw would spoil. @param {any} active */
function busyWith(active) {
  if (pressed) return "the pointer is down";
  if (main.contains(active) && ["INPUT", "TEXTAREA"].includes(active.tagName) && active.value !== active.defaultValue) return "you type";
  if (main.contains(active) && active.tagName === "SELECT" && CSS.supports("selector(:open)") && active.matches(":open")) return "you choose";
  const selection = getSelection();
  return selection && !selection.isCollapsed && main.contains(selection.anchorNode) ? "text is selected" : "";
}

/** What is folded keeps its name when something comes before it. @param {any} details */
const nameOf = (details) => `${details.closest("figure")?.querySelector("strong")?.textContent ?? ""} ${details.querySelector("summary").textContent}`;

/** @param {string} title @param {any[]} parts @param {string} address */
function draw(title, parts, address) {
  const active = document.activeElement;
  // Other units of the same job leave the page where it is.
  const samePlace = pathOf(shown) === pathOf(address);
  const hold = shown === address ? busyWith(active) : "";
  at("link").textContent = hold ? `● held while ${hold}` : LIVE;
  if (hold) return;
  const key = main.contains(active) ? active.dataset?.key ?? active.getAttribute("href") : null;
  const opened = new Set([...main.querySelectorAll("details[open]")].map(nameOf));
  const scrolled = [...main.querySelectorAll("pre")].map((pre) => pre.scrollTop);
  document.title = title;
  main.replaceChildren(...parts.flat(3).filter((part) => part != null && part !== false));
  shown = address;
  if (!samePlace) {
    scrollTo(0, 0);
    main.focus({ preventScroll: true });
    return;
  }
  main.querySelectorAll("details").forEach((details) => (details.open = opened.has(nameOf(details))));
  main.querySelectorAll("pre").forEach((pre, index) => (pre.scrollTop = scrolled[index] ?? 0));
  if (key) [...main.querySelectorAll("[data-key], [href]")].find((found) => (found.dataset.key ?? found.getAttribute("href")) === key)?.focus({ preventScroll: true });
}

const AT_MOST_EVERY_MS = 1_000;
const AT_LEAST_EVERY_MS = 5_000;
let due, last = 0;

/** Draws soon, but not more than once a second. */
function changed() {
  if (due) return;
  due = setTimeout(() => {
    due = undefined;
    last = Date.now();
    show();
  }, Math.max(0, last + AT_MOST_EVERY_MS - Date.now()));
}

const LINKS = {
  live: { mark: LIVE, text: [] },
  lost: { mark: "○ no connection", text: ["The connection is lost: what you see may be old. Trying again…"] },
  "signed out": {
    mark: "○ not signed in",
    text: ["The dashboard was restarted, so this page may be out of date. Open the new address that ", el("code", {}, "job-manager serve"), " printed."],
  },
};

let link;
/** @param {import("./api.js").Link} now */
function linked(now) {
  if (now === link) return;
  link = now;
  const live = link === "live";
  at("link").textContent = LINKS[link].mark;
  at("link").className = live ? "live" : "dead";
  // Who has not been in yet sees how to come in.
  at("lost").hidden = live || (link === "signed out" && !wasIn);
  if (link === "signed out" && !wasIn) signedOut();
  at("lost").replaceChildren(...LINKS[link].text);
  document.body.classList.toggle("old", !live && wasIn);
  if (live) begin();
}

let wasIn = false;

/** Says how to come in; the place that the address asks for is shown then. @param {string} [wrong] */
function signedOut(wrong) {
  const input = /** @type {HTMLInputElement} */ (el("input", { id: "token", autocomplete: "off", spellcheck: "false", placeholder: "http://127.0.0.1:…/#token=…" }));
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    await signIn(tokenIn(input.value));
  };
  document.title = "Job Manager: not signed in";
  main.replaceChildren(
    el("h1", {}, "You are not signed in"),
    el("p", {}, "Open the address that ", el("code", {}, "job-manager serve"), " printed in your terminal, or paste it here. It changes each time the dashboard starts."),
    el("form", { class: "search", submit }, el("label", {}, "Address ", input), " ", el("button", {}, "Sign in"), wrong && filters.wrong({ message: wrong })));
}

/** Comes in with a token, if it is the right one. @param {string} token */
async function signIn(token) {
  const isRight = await enter(token);
  await begin();
  if (isRight !== false) return;
  if (wasIn) tell("That address belongs to another dashboard, or to one that has ended.", true);
  else signedOut("That is not this dashboard's address. It may have been restarted since.");
}

/** Reads what the page is about; after a lost connection it may be another dashboard. */
async function begin() {
  try {
    about = await read("/api/v1/about");
    wasIn = true;
    at("about").textContent = `${about.db}${about.read_only ? " (read-only)" : ""}`;
    at("about").title = `version ${about.version}`;
  } catch (error) {
    if (error.status === 401) return linked("signed out");
    if (!(error instanceof NoConnection)) tell(error.message, true);
  }
  show();
}

addEventListener("hashchange", () => {
  at("notice").hidden = true;
  settings.forget();
  const token = takeToken();
  if (token) signIn(token);
  else if (wasIn) show();
});
// The death of a manager changes nothing in the database, and is seen only by looking.
setInterval(() => document.visibilityState === "visible" && link === "live" && changed(), AT_LEAST_EVERY_MS);
listenForKeys(/** @type {HTMLDialogElement} */ (at("keys")));
belongTo({ isReadOnly: () => about.read_only, tell, show, forget: failuresOf.forget });
const token = takeToken();
await (token ? signIn(token) : begin());
listen(changed, linked);
