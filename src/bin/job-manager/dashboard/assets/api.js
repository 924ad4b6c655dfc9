// Talking to the server: documents, requests, and whether it is there at all.

/** An answer that says why something did not happen. */
export class Refused extends Error {
  /** @param {number} status @param {string} message @param {string} [parameter] The name under which the request said what cannot be used. */
  constructor(status, message, parameter) {
    super(message);
    this.status = status;
    this.parameter = parameter;
  }
}

/** Nobody answered. */
export class NoConnection extends Error {}

const TIMEOUT_MS = 20_000;

/** @param {string} path @param {RequestInit} [options] @param {number} [timeout] @returns {Promise<any>} */
async function ask(path, options = {}, timeout = TIMEOUT_MS) {
  const answer = await fetch(path, { ...options, signal: AbortSignal.timeout(timeout) }).catch((error) => {
    throw new NoConnection(`no answer: ${error.message}`);
  });
  const document = await answer.json().catch(() => null);
  if (!answer.ok) {
    const causes = document?.caused_by ?? [];
    throw new Refused(answer.status, [document?.error ?? `the server answered ${answer.status}`, ...causes].join(": "), document?.parameter);
  }
  return document;
}

/** Reads a document. @param {string} path */
export const read = (path) => ask(path);

/** Asks for a change. @param {string} path @param {object} [body] */
export const change = (path, body = {}) =>
  ask(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

const SILENCE_MS = 15_000;
const AGAIN_MS = 2_000;

/** Why nothing can be heard: the stream itself does not say. @returns {Promise<Link>} */
const whyNot = () =>
  ask("/api/v1/about", {}, AGAIN_MS).then(() => "lost", (error) => (error.status === 401 ? "signed out" : "lost"));

/**
 * Listens for changes for ever, and says whether there is a connection; signing in elsewhere is noticed too.
 * @typedef {"live" | "lost" | "signed out"} Link
 * @param {() => void} onChange @param {(link: Link) => void} onLink
 */
export function listen(onChange, onLink) {
  let source, silence;
  const heard = () => {
    clearTimeout(silence);
    silence = setTimeout(lost, SILENCE_MS);
    onLink("live");
  };
  const lost = async () => {
    clearTimeout(silence);
    source.close();
    onLink(await whyNot());
    setTimeout(open, AGAIN_MS);
  };
  const open = () => {
    source = new EventSource("/api/v1/events");
    source.addEventListener("open", heard);
    source.addEventListener("alive", heard);
    source.addEventListener("change", () => {
      heard();
      onChange();
    });
    source.addEventListener("error", lost);
  };
  open();
}
