// What the address says is shown: a reload, Back and a shared link show the same.

/**
 * @typedef {{status?: string, name?: string, cluster?: string, match?: string, group?: string, sort?: string, after?: string}} Narrowed
 */
const NAMES = ["status", "name", "cluster", "match", "group", "sort", "after"];
/** What each page can be narrowed by. */
const NAMES_OF = { jobs: ["status", "name"], job: ["status", "cluster", "match", "group", "sort", "after"], unit: [] };

/** What is shown, and what of the address means nothing. @returns {{page: "jobs" | "job" | "unit", job: string, seq: string, narrowed: Narrowed, unknown: string[]}} */
export function place() {
  const hash = location.hash.replace(/^#/, "");
  const end = hash.indexOf("?");
  const path = end < 0 ? hash : hash.slice(0, end);
  const query = new URLSearchParams(end < 0 ? "" : hash.slice(end + 1));
  const [, kind = "", job = "", units = "", seq = "", ...more] = path.split("/").map(decoded);
  const isWhole = ["", "jobs"].includes(kind) && ["", "units"].includes(units) && more.join("") === "" && (kind !== "" || job === "");
  const page = kind !== "jobs" || !job ? "jobs" : units === "units" && seq ? "unit" : "job";
  const names = NAMES_OF[page];
  const given = NAMES.map((name) => [name, query.get(name)]).filter(([name, value]) => value && names.includes(name));
  const unknown = [...query].filter(([name]) => !names.includes(name)).map(([name, value]) => `${name}=${value}`);
  return { page, job, seq, narrowed: Object.fromEntries(given), unknown: isWhole ? unknown : [path, ...unknown] };
}

/** Somebody may have typed it. @param {string} part */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The address of a page without what it is narrowed to. @param {string} address */
export const pathOf = (address) => address.split("?")[0];

/** What a job's units are narrowed to, as a query. @param {Narrowed} narrowed */
export function queryOf(narrowed) {
  const given = NAMES.map((name) => [name, narrowed[name]]).filter(([, value]) => value);
  return new URLSearchParams(given).toString();
}

/** The address of the page of all jobs. @param {Narrowed} narrowed */
export function jobsAddress(narrowed) {
  const query = queryOf(narrowed);
  return `#/${query ? `?${query}` : ""}`;
}

/** The address of a file of a job, of the units that are shown where it holds units. @param {any} job @param {string} file @param {Narrowed} [narrowed] */
export function fileAddress(job, file, { status, cluster, match, group } = {}) {
  const query = queryOf({ status, cluster, match, group });
  return `/api/v1/jobs/${encodeURIComponent(job)}/download/${file}${query ? `?${query}` : ""}`;
}

/** The address of a job's page. @param {string} job @param {Narrowed} [narrowed] */
export function jobAddress(job, narrowed = {}) {
  const query = queryOf(narrowed);
  return `#/jobs/${encodeURIComponent(job)}${query ? `?${query}` : ""}`;
}
