// The keys of the page. None is taken from somebody who types, chooses or answers a question.

const KEYS = [
  ["/", "search"],
  ["j", "next row"],
  ["k", "row before"],
  ["Enter", "open the row"],
  ["u", "up: from a unit to its job, from a job to all jobs"],
  ["?", "these keys"],
  ["Escape", "leave the search or this list"],
];

/** @param {number} step */
function move(step) {
  const links = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("main > table tbody td:first-child a, main > div > table tbody td:first-child a")]);
  const now = links.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  links[now < 0 ? (step > 0 ? 0 : links.length - 1) : now + step]?.focus();
}

/** @param {HTMLDialogElement} help */
function explain(help) {
  const list = help.querySelector("dl");
  if (list && !list.hasChildNodes()) {
    for (const [key, word] of KEYS) {
      const row = document.createElement("div");
      const [name, text] = [document.createElement("dt"), document.createElement("dd")];
      const shown = document.createElement("kbd");
      shown.textContent = key;
      name.append(shown);
      text.textContent = word;
      row.append(name, text);
      list.append(row);
    }
  }
  help.showModal();
}

/** Listens for keys. @param {HTMLDialogElement} help */
export function listenForKeys(help) {
  document.addEventListener("keydown", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.key === "Escape" && target.id === "search") {
      const input = /** @type {HTMLInputElement} */ (target);
      input.value = input.defaultValue;
      document.getElementById("main")?.focus();
      return;
    }
    const isTyping = ["INPUT", "SELECT", "TEXTAREA"].includes(target.tagName) || document.querySelector("dialog[open]");
    if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "/") document.getElementById("search")?.focus();
    else if (event.key === "j") move(1);
    else if (event.key === "k") move(-1);
    else if (event.key === "u") /** @type {HTMLElement | null} */ (document.querySelector(".back a"))?.click();
    else if (event.key === "?") explain(help);
    else return;
    event.preventDefault();
  });
}
