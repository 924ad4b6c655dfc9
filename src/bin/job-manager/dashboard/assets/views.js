// What documents look like. Text of jobs and units reaches the page through textContent alone.
import { fileAddress, jobAddress } from "./address.js";

const UNSAFE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Replaces what steers terminals or reorders text; line breaks and tabs stay. @param {any} value */
const plain = (value) => String(value).replace(UNSAFE, "\ufffd");

/**
 * Makes an element: attributes (functions are listeners), then children; all that is no element becomes plain text.
 * @param {string} name @param {Record<string, any>} [attributes] @param {...any} children
 */
export function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(key, value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value != null) made.setAttribute(key, key === "title" ? plain(value) : value);
  }
  const present = children.flat().filter((child) => child != null && child !== false);
  made.append(...present.map((child) => (child instanceof Node ? child : plain(child))));
  return made;
}

const STATES = ["completed", "skipped", "cancelled", "failed", "running", "pending"];
const MARKS = {
  created: "○", pending: "○", running: "▶", paused: "‖", awaiting_approval: "?", completed: "✓", failed: "✗",
  cancelled: "⊘", skipped: "↷", interrupted: "!", silent: "?", lost: "!", left: "○", refused: "✗",
};
/** Links to files. @param {string} label @param {[string, string][]} links */
export const files = (label, links) =>
  el("p", { class: "files" }, el("span", { class: "quiet" }, label), links.map(([name, href]) => [" ", el("a", { href, download: "" }, name)]).flat());

/** A document with cut values says how long it is. @param {any} of @param {string} href */
const cutNote = (of, href) =>
  of.whole_bytes != null && el("p", { class: "files" }, el("span", { class: "quiet" }, `Long values are shortened; the full document has ${count(of.whole_bytes)} bytes. `), el("a", { href, download: "" }, "Download all"));

const number = new Intl.NumberFormat("en");

/** @param {number} count */
export const count = (count) => number.format(count);
/** A number of things, in the plural but for one. @param {number} many @param {string} thing */
export const counted = (many, thing) => `${count(many)} ${thing}${many === 1 ? "" : "s"}`;

/** The state of a job for people, for whom interrupted is one of its own. @param {any} job */
export const stateOf = (job) =>
  job.job_status === "running" && job.status === "stopped" ? "interrupted" : job.job_status;

/** A state in a word with a mark; the colour only repeats it. @param {string} state */
export const badge = (state, outdated = "") =>
  el("span", { class: `badge ${state}` }, el("span", { "aria-hidden": "true" }, MARKS[state] ?? "·"), " ",
    state.replaceAll("_", " "), outdated ? ` (${outdated})` : "");

/** @param {number} seconds */
export function span(seconds) {
  if (seconds > 0 && seconds < 1) return `${Number((seconds * 1000).toPrecision(2))} ms`;
  if (seconds < 60) return `${seconds < 10 ? Math.round(seconds * 10) / 10 : Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3600)} h`;
}

/** @param {string | null} time */
export function when(time) {
  if (!time) return "";
  const at = new Date(time);
  const today = at.toDateString() === new Date().toDateString();
  return el("time", { datetime: time, title: time }, today ? at.toLocaleTimeString() : at.toLocaleString());
}

/** Time between two moments. @param {string | null} from @param {string | null} to */
const between = (from, to) => (from && to ? span((Date.parse(to) - Date.parse(from)) / 1000) : "");

/** A bar of what became of the units, which is also said in words. @param {any} progress */
export function bar(progress) {
  const parts = STATES.filter((state) => progress[state] > 0).map((state) => {
    const part = el("span", { class: state });
    part.style.flexGrow = String(progress[state]);
    return part;
  });
  const words = STATES.filter((state) => progress[state] > 0).map((state) => `${count(progress[state])} ${state}`);
  return el("div", { class: "bar", role: "img", "aria-label": words.join(", "), title: words.join(", ") }, parts);
}

/** @param {any} job */
const pace = (job) => {
  if (job.rate_per_second == null) return "";
  const rate = `${job.rate_per_second.toFixed(job.rate_per_second < 10 ? 1 : 0)}/s`;
  const eta = job.eta_seconds;
  return eta ? `${rate}, ${span(eta.low)} to ${span(eta.high)} left` : rate;
};

const HEALTH = { running: "running", stopped: "ended", not_started: "not started", unknown: "unknown" };

/** @param {any} job */
const manager = (job) => {
  if (stateOf(job) === "interrupted") return "died";
  const hosts = (job.managers ?? []).length;
  const elsewhere = (job.managers ?? []).some((/** @type {any} */ run) => !run.here);
  return `${HEALTH[job.status] ?? job.status}${elsewhere ? ` on ${hosts} ${hosts === 1 ? "host" : "hosts"}` : ""}`;
};

/** @param {any[]} cells @param {string[]} titles @param {Record<string, any>} [attributes] */
export const row = (cells, titles, attributes) =>
  el("tr", attributes, cells.map((cell, index) => el("td", { "data-title": titles[index] }, cell)));

/** @param {string[]} titles @param {any[]} rows @param {string} label */
export const table = (titles, rows, label) =>
  el("table", { "aria-label": label },
    el("thead", {}, el("tr", {}, titles.map((title) => el("th", { scope: "col" }, title)))),
    el("tbody", {}, rows));

/** What cannot be read, under its name. @param {any} of @param {(it: any) => string} name */
const unreadableOf = (of, name) => (of.unreadable ?? []).map((/** @type {any} */ it) =>
  el("p", { role: "alert" }, `${name(it)} cannot be read: its ${it.column} is ${JSON.stringify(it.value)}`));

/** All jobs. @param {any} list @param {boolean} isNarrowed @param {(job: number) => any} stripOf */
export function jobs(list, isNarrowed, stripOf) {
  const unreadable = unreadableOf(list, (it) => `Job ${it.job.id}`);
  if (list.jobs.length === 0 && unreadable.length === 0) return [el("h1", {}, "Jobs"), el("p", { class: "quiet" }, isNarrowed ? "No job here." : "There is no job yet.")];
  const titles = ["Job", "State", "Done", "Over time", "Units", "Failed", "Pace", "Manager"];
  const rows = list.jobs.map((job) => {
    const progress = job.progress;
    return row([
      el("a", { href: `#/jobs/${job.job.id}` }, el("span", { class: "id" }, job.job.id), " ", el("bdi", {}, job.job.name)),
      badge(stateOf(job)),
      el("div", { class: "done" }, bar(progress), el("span", {}, `${progress.percentage} %`)),
      stripOf(job.job.id),
      `${count(progress.completed)} of ${count(progress.total)}`,
      progress.failed > 0 ? el("strong", {}, count(progress.failed)) : "0",
      pace(job) || "–",
      manager(job),
    ], titles);
  });
  return [el("h1", {}, "Jobs"), ...unreadable, table(titles, rows, "Jobs")];
}

/** Bytes that are not UTF-8 are an object with their text. @param {any} raw */
const text = (raw) => raw?.text ?? raw;

/** The head of a job's page. @param {any} job @param {any} why @param {any} buttons */
export function head(job, why, buttons) {
  const progress = job.progress;
  const facts = [
    ["Units", `${count(progress.total)}, ${progress.percentage} % ended`],
    ["Pace", pace(job)],
    ["Retries", job.retrying?.sentence],
    ["Manager", job.pid ? `${manager(job)}, ${job.managers?.length > 1 ? "here " : ""}process ${job.pid}` : manager(job)],
    ["Workers", count(job.workers)],
    ["Started", when(job.started_at)],
    ["Ended", when(job.completed_at)],
    ["Command", job.about.command && el("code", {}, job.about.command)],
    ["Directory", job.about.directory && text(job.about.directory)],
    ["Hook", job.about.hook && text(job.about.hook)],
    ["Key", job.about.key],
    ["Created", when(job.about.created_at)],
    ["Labels", Object.entries(job.labels).map(([name, value]) => `${name}=${value}`).join(", ")],
    ["Error", job.error],
  ].filter(([, value]) => value);
  return [
    el("p", { class: "back" }, el("a", { href: "#/" }, "‹ all jobs")),
    el("h1", {}, el("span", { class: "id" }, job.job.id), " ", el("bdi", {}, job.job.name), " ", badge(stateOf(job))),
    bar(progress),
    el("ul", { class: "counts" }, STATES.map((state) =>
      el("li", { class: progress[state] ? "" : "none" }, el("i", { class: `key ${state}` }), `${count(progress[state])} ${state}`))),
    el("p", { class: "why" }, el("span", {}, why.sentence), el("code", {}, why.next_step)),
    buttons,
    el("dl", { class: "facts" }, facts.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value)))),
    cutNote(job, fileAddress(job.job.id, "job.json")),
  ];
}

/** The last lines of the manager's log, which are read while somebody looks at them. @param {any} job @param {any} log @param {(event: Event) => void} opened */
export const managerLog = (job, log, opened) =>
  el("details", { class: "log", toggle: opened }, el("summary", {}, "Manager's log"),
    files("Whole log:", [["log.txt", fileAddress(job.job.id, "log.txt")]]),
    log && el("pre", { tabindex: "0" }, log.lines.length > 0 ? log.lines.join("\n") : "No manager has run this job."));

/** What a manager does, or how it ended, for people. @param {any} run */
const wordOf = (run) => (run.state !== "live" ? run.state : run.reason ? "silent" : "running");

/** The managers of a job on a server, by host. @param {any} job */
export function hosts(job) {
  const runs = [...(job.managers ?? []), ...(job.former_managers ?? [])];
  if (runs.length === 0) return [];
  const titles = ["Host", "State", "Workers", "Running", "Pace", "Last heard of", "Why"];
  const rows = runs.map((run) =>
    row([
      el("bdi", { title: `process ${run.pid}, version ${run.version}` }, run.host, run.here && " (here)"),
      badge(wordOf(run)),
      run.workers ?? "–",
      run.running ?? "–",
      run.rate == null ? "–" : `${run.rate.toFixed(1)}/s`,
      run.state === "live" ? `${span(run.silent_s)} ago` : when(run.ended_at ?? run.heartbeat_at),
      el("bdi", {}, run.reason ?? ""),
    ], titles));
  return [el("h2", {}, "Hosts"), table(titles, rows, "Hosts")];
}

/** What the meters of a job have counted. @param {any} job */
export function spends(job) {
  const meters = job.meters ?? [];
  if (meters.length === 0) return [];
  const titles = ["Meter", "Spent", "Budget", "Today", "Per attempt", "At the end", "Attempts of unknown cost"];
  const or = (/** @type {any} */ amount) => (amount == null ? "–" : count(amount));
  const rows = meters.map((/** @type {any} */ meter) =>
    row([
      el("bdi", {}, meter.name), count(meter.spent), or(meter.budget), or(meter.today), or(meter.usual),
      meter.at_the_end ? `${count(meter.at_the_end.expected)} (${count(meter.at_the_end.low)} to ${count(meter.at_the_end.high)})` : "–",
      count(meter.unmetered),
    ], titles));
  return [el("h2", {}, "Spent"), table(titles, rows, "Spent")];
}

/** The groups of a job's units that are held or at their limit. @param {any} job @param {(name: string) => string} address */
export function groups(job, address) {
  const groups = job.groups;
  if (!groups) return [];
  const titles = ["Group", "State", "Waiting", "Until", "Why"];
  const waiting = groups.waiting ?? [];
  const waits = (/** @type {string} */ name) => {
    const found = waiting.find((/** @type {any} */ group) => group.name === name);
    return found ? `${count(found.waiting)}${found.is_more ? " or more" : ""}` : "–";
  };
  const named = (/** @type {string} */ name) => el("a", { href: address(name) }, el("bdi", {}, name));
  const held = groups.held.map((/** @type {any} */ group) =>
    row([named(group.name), "held", waits(group.name), group.until ? when(group.until) : "the job is started again", el("bdi", {}, group.reason)], titles));
  const full = groups.at_limit_first.map((/** @type {string} */ name) => row([named(name), "at its limit", waits(name), "", ""], titles));
  const known = [...groups.held.map((/** @type {any} */ group) => group.name), ...groups.at_limit_first];
  const others = waiting.filter((/** @type {any} */ group) => !known.includes(group.name))
    .map((/** @type {any} */ group) => row([named(group.name), "waits", waits(group.name), "", ""], titles));
  const more = groups.held_more + groups.at_limit - groups.at_limit_first.length;
  return [
    el("h2", {}, "Groups"),
    el("p", {}, `${count(groups.total)} in all: ${count(groups.running)} with running units, ${count(groups.at_limit)} at their limit, ${count(held.length + groups.held_more)} held.`),
    held.length + full.length + others.length > 0 && table(titles, [...held, ...full, ...others], "Groups"),
    groups.total > 50 && el("p", { class: "quiet" }, "Waiting units are counted only for the first 50 groups by name."),
    more > 0 && el("p", { class: "quiet" }, `${count(more)} more are not named.`),
  ];
}

/** Failures by kind. @param {any} report @param {((cluster: any) => any) | null} retry @param {(cluster: any) => any} show @param {any} items */
export function failures(report, retry, show, items) {
  if (report.clusters.length === 0) return [];
  const titles = ["Units", "Why", "Cluster", "Actions"];
  const rows = report.clusters.map((cluster) =>
    row([
      `${count(cluster.count)} ${cluster.count === 1 ? "unit" : "units"}`,
      el("div", {}, el("bdi", { class: "cut" }, cluster.text), el("div", { class: "quiet" }, el("bdi", { class: "cut" }, cluster.example))),
      el("code", {}, cluster.cluster ?? "–"),
      el("span", { class: "actions" }, cluster.cluster && show(cluster), cluster.cluster && retry?.(cluster)),
    ], titles));
  return [el("div", { class: "between" }, el("h2", {}, `Failures (${count(report.failed)})`), items), table(titles, rows, "Failures by kind")];
}

/** @param {any} payload */
export const item = (payload) => (typeof payload === "string" ? payload : JSON.stringify(payload));

/** What a unit says: its result, or the end of its output. @param {any} unit */
export const said = (unit) => (unit.result != null ? item(unit.result) : unit.stdout?.text ?? unit.stdout ?? "");

/** Why a unit did not complete; an exit code alone says little. @param {any} unit */
function reason(unit) {
  const error = unit.error ?? "";
  const said = unit.stderr?.text ?? unit.stderr ?? "";
  const last = said.split("\n").map((/** @type {string} */ line) => line.trim()).filter(Boolean).pop();
  return last && error === `exited with code ${unit.exit_code}` ? `${error}: ${last}` : error;
}

/** The orders that a column stands for. */
const SORTS = { Attempts: "attempts", Time: "duration" };

/** A page of units. @param {any} page @param {string} job @param {string} sort @param {(order: string) => string} sorted */
export function units(page, job, sort, sorted) {
  const unreadable = unreadableOf(page, (it) => `Unit ${it.seq}`);
  if (page.units.length === 0 && unreadable.length === 0) return el("p", { class: "quiet" }, "No unit here.");
  // Of what has ended nobody asks for the slot here; the page of the unit has it.
  const slotOf = (/** @type {any} */ unit) => (unit.status === "running" ? unit.slot ?? "" : "");
  const hasSlots = page.units.some(slotOf);
  const titles = ["Unit", "State", "Item", "Attempts", "Time", ...(hasSlots ? ["Slot"] : []), "Error"];
  const rows = page.units.map((unit) =>
    row([
      el("a", { href: `#/jobs/${job}/units/${unit.seq}` }, unit.seq),
      badge(unit.status, unit.outdated ?? ""),
      el("bdi", { class: "cut", title: item(unit.payload) }, item(unit.payload)),
      unit.attempts,
      between(unit.started_at, unit.status === "running" ? new Date().toISOString() : unit.finished_at) || "–",
      ...(hasSlots ? [slotOf(unit)] : []),
      el("bdi", { class: "cut", title: reason(unit) }, reason(unit)),
    ], titles));
  const made = table(titles, rows, "Units");
  made.querySelectorAll("th").forEach((/** @type {HTMLElement} */ head) => {
    const order = SORTS[head.textContent ?? ""];
    if (!order) return;
    const isSorted = order === sort;
    if (isSorted) head.setAttribute("aria-sort", "descending");
    head.replaceChildren(el("a", { href: sorted(isSorted ? "" : order), title: isSorted ? "back to the order of numbers" : "the most first" },
      head.textContent, isSorted && " ↓"));
  });
  return el("div", {}, ...unreadable, made);
}

/** Bytes that are not UTF-8 are an object with their text. @param {any} of */
const streams = (of) =>
  [["Output", of.stdout], ["Standard error", of.stderr]].filter(([, text]) => text)
    .map(([name, text]) => [el("h2", {}, name), el("pre", { tabindex: "0" }, text.text ?? text)]);

/** What there is to download of a unit. @param {any} view */
const filesOf = ({ unit, command }) =>
  [["item.txt", true], ["command.txt", command], ["result.txt", unit.result != null], ["error.txt", unit.error], ["stdout.txt", unit.stdout], ["stderr.txt", unit.stderr]]
    .filter(([, there]) => there).map(([name]) => String(name));

/** One unit. @param {any} view @param {any} job @param {any} why @param {any} buttons */
export function unit(view, job, why, buttons) {
  const { unit, notes, command } = view;
  const facts = [
    ["Key", unit.key],
    ["Group", unit.group && el("a", { href: jobAddress(job.job.id, { group: unit.group }) }, el("bdi", {}, unit.group))],
    ["Spent", unit.spent && Object.entries(unit.spent).map(([name, amount]) => `${name} ${count(/** @type {number} */ (amount))}`).join(", ")],
    ["Item", item(unit.payload)],
    ["Command", command],
    ["Attempts", unit.attempts],
    ["Started", when(unit.started_at)],
    ["Took", between(unit.started_at, unit.finished_at)],
    ["Slot", unit.slot],
    ["Exit code", unit.exit_code],
    ["Signal", unit.signal],
    ["Error", unit.error],
    ["Progress", notes.total == null ? null : `${notes.done} of ${notes.total} ${notes.message ?? ""}`],
    ["Result", unit.result == null ? null : item(unit.result)],
  ].filter(([, value]) => value != null && value !== "");
  return [
    el("div", { class: "between back" }, el("a", { href: `#/jobs/${job.job.id}` }, "‹ ", el("bdi", {}, job.job.name)),
      el("span", { class: "actions" },
        unit.seq > 1 && el("a", { href: `#/jobs/${job.job.id}/units/${unit.seq - 1}`, rel: "prev" }, "‹ previous"),
        unit.seq < job.progress.total && el("a", { href: `#/jobs/${job.job.id}/units/${unit.seq + 1}`, rel: "next" }, "next ›"))),
    el("h1", {}, `Unit ${unit.seq} `, badge(unit.status, unit.outdated ?? "")),
    el("p", { class: "why" }, el("span", {}, why.sentence), el("code", {}, why.next_step)),
    buttons,
    el("dl", { class: "facts wide" }, facts.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value)))),
    files("Whole:", filesOf(view).map((name) => [name, `/api/v1/jobs/${job.job.id}/units/${unit.seq}/download/${name}`])),
    streams(unit),
    view.attempts_not_completed.length > 0 && el("h2", {}, "Attempts that did not complete"),
    view.attempts_not_completed.map((attempt) =>
      el("details", {},
        el("summary", {}, `${attempt.attempt}: ${attempt.cause.replaceAll("_", " ")}${attempt.slot == null ? "" : ` in slot ${attempt.slot}`}, `, el("bdi", {}, attempt.error), " ", when(attempt.ended_at)),
        streams(attempt))),
  ].flat(3);
}
