// What the address says is shown: a reload, Back and a shared link show the same.

/**
 * @typedef {{status?: string, name?: string, cluster?: string, match?: string, sort?: string, after?: string}} Narrowed
 */
const NAMES = ["status", "name", "cluster", "match", "sort", "after"];

/** What is shown. @returns {{kind: string, job: string, seq: string, narrowed: Narrowed}} */
export function place() {
  const hash = location.hash.replace(/^#/, "");
  const end = hash.indexOf("?");
  const path = end < 0 ? hash : hash.slice(0, end);
  const query = new URLSearchParams(end < 0 ? "" : hash.slice(end + 1));
  const [, kind = "", job = "", , seq = ""] = path.split("/").map(decoded);
  const narrowed = Object.fromEntries(NAMES.map((name) => [name, query.get(name)]).filter(([, value]) => value));
  return { kind, job, seq, narrowed };
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

/** The address of a job's page. @param {string} job @param {Narrowed} [narrowed] */
export function jobAddress(job, narrowed = {}) {
  const query = queryOf(narrowed);
  return `#/jobs/${encodeURIComponent(job)}${query ? `?${query}` : ""}`;
}
