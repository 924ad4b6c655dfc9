// The way in: the token of the address becomes a cookie that no script can read, and stands nowhere after that.

const IN_ADDRESS = /^#token=([0-9a-f]+)(\/.*)?$/;
const IN_TEXT = /(?:token=|^)([0-9a-f]{64})/;

/** Takes the token out of the address, which leads on to the place behind it. */
export function takeToken() {
  const found = IN_ADDRESS.exec(location.hash);
  if (!found) return "";
  history.replaceState(null, "", found[2] ? `#${found[2]}` : location.pathname);
  return found[1];
}

/** Finds the token in an address, or in what is one. @param {string} text */
export const tokenIn = (text) => IN_TEXT.exec(text.trim())?.[1] ?? "";

/** Asks to be let in; null when nobody answers. @param {string} token @returns {Promise<boolean | null>} */
export const enter = (token) =>
  fetch("/api/v1/session", { method: "POST", headers: { Authorization: `Bearer ${token}` } }).then((answer) => answer.ok, () => null);
