// Keys for people who live in this page. Single letters can be switched off (WCAG 2.1.4).
const KEPT = "desireline.keys";
const PLACES = { h: "/", l: "/live", m: "/maps", p: "/people", i: "/import", c: "/connect" };
let gone = 0;

function off() { return localStorage.getItem(KEPT) === "off"; }

function typing(target) {
  return target.closest("input:not([type=range]):not([type=checkbox]), textarea, select, [contenteditable]");
}

function rows() {
  const list = document.querySelector("[data-list]");
  return list ? [...list.querySelectorAll("li h3 a, tbody th a, tbody td a[data-row]")] : [];
}

function step(by, links) {
  if (!links.length) return;
  const here = links.indexOf(document.activeElement);
  const next = here < 0 ? (by > 0 ? 0 : links.length - 1) : Math.min(links.length - 1, Math.max(0, here + by));
  links[next].focus();
  links[next].scrollIntoView({ block: "nearest", inline: "center" });
}

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || off()) return;
  if (performance.now() - gone < 1200 && PLACES[event.key]) { location.assign(PLACES[event.key]); event.preventDefault(); return; }
  gone = event.key === "g" ? performance.now() : 0;
  if (event.key === "/") document.getElementById("find").focus();
  else if (event.key === "?") document.getElementById("help").togglePopover();
  else if (event.key === "j" || event.key === "J") step(1, rows());
  else if (event.key === "k" || event.key === "K") step(-1, rows());
  else if (event.key === "s" && !document.getElementById("show-new")?.hidden) document.getElementById("show-new")?.click();
  else if (event.key === "]") step(1, promises());
  else if (event.key === "[") step(-1, promises());
  else return;
  event.preventDefault();
}

function promises() { return [...document.querySelectorAll('[data-list="promises"] h3 a')]; }

export function startKeys() {
  document.addEventListener("keydown", pressed);
  const box = document.getElementById("keys-off");
  if (!box) return;
  box.checked = off();
  box.addEventListener("change", () => localStorage.setItem(KEPT, box.checked ? "off" : "on"));
}
