// The page without its JavaScript works; this makes it quicker under the hand.
import { startKeys } from "./keys.js";
import { shown, startLive } from "./live.js";
import { startSlider } from "./slider.js";

const switchButton = document.getElementById("theme-switch");
switchButton?.addEventListener("click", () => {
  const dark = getComputedStyle(document.documentElement).colorScheme === "dark" ||
    (!document.documentElement.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
  const next = dark ? "light" : "dark";
  document.documentElement.dataset.theme = next;
  localStorage.setItem("desireline.theme", next);
});

function addressOf(form) {
  const words = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (value && !isWhole(form, name, value)) words.append(name, value);
  const query = words.toString().replaceAll("%3A", ":");
  return form.getAttribute("action") + (query ? "?" + query : "");
}

// The first and the last month stand for "from the beginning" and "to the end": they are left out of the address.
function isWhole(form, name, value) {
  const select = form.elements[name];
  if (name === "from") return value === select.options[0]?.value;
  if (name === "to") return value === select.options[select.options.length - 1]?.value;
  return false;
}

let latest = 0;
async function show(address, { push = true, anew = false } = {}) {
  const turn = ++latest;
  const screen = document.getElementById("screen");
  const at = document.activeElement;
  const focused = at?.id || at?.dataset?.handle;
  const link = screen.contains(at) && at.getAttribute("href");
  screen.classList.add("busy");
  try {
    const answer = await fetch(address, { headers: { accept: "text/html" }, cache: anew ? "reload" : "default" });
    const text = await answer.text();
    if (turn !== latest) return;
    const next = new DOMParser().parseFromString(text, "text/html");
    const fresh = next.getElementById("screen");
    if (!fresh) throw new Error("not a page");
    screen.replaceWith(document.adoptNode(fresh));
    document.title = next.title;
    const [foot, newFoot] = [document, next].map((page) => page.querySelector("footer.foot"));
    foot.replaceWith(document.adoptNode(newFoot));
    if (push) history.pushState({ live: true }, "", address);
    start(fresh);
    const again = focused ? document.getElementById(focused) || fresh.querySelector(`[data-handle="${focused}"]`)
      : link && [...fresh.querySelectorAll("a")].find((other) => other.getAttribute("href") === link);
    again?.focus({ preventScroll: true });
  } catch {
    if (push) location.assign(address);
    else document.getElementById("screen").classList.remove("busy");
  }
}

function start(screen) {
  const form = screen.querySelector("form[data-live]");
  if (form) {
    startSlider(form, () => show(addressOf(form)));
    form.addEventListener("change", (event) => {
      if (event.target.matches("[data-go]")) show(event.target.value);
      else if (!event.target.matches("[data-handle]")) show(addressOf(form));
    });
    form.addEventListener("submit", (event) => { event.preventDefault(); show(addressOf(form)); });
    for (const preset of form.querySelectorAll(".presets a")) {
      preset.addEventListener("click", (event) => {
        if (event.metaKey || event.ctrlKey || event.shiftKey) return;
        event.preventDefault();
        show(preset.getAttribute("href"));
      });
    }
  }
  shown(screen);
  if (screen.dataset.page === "connect") import("./connect.js").then((part) => part.startConnect(screen));
  if (screen.dataset.page?.startsWith("import")) import("./import.js").then((part) => part.startImport(screen));
}

addEventListener("popstate", () => show(location.pathname + location.search, { push: false }));
startKeys();
startLive((anew) => show(location.pathname + location.search, { push: false, anew }));
start(document.getElementById("screen"));
