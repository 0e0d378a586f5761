// What is new: told by the server, shown when asked for. Only a page that can be seen listens.
const FOLLOW = "desireline.follow";
const FOLLOW_SECONDS = { live: 2 };
const SLOWLY_SECONDS = 30;
let reload = () => {};
let events = null, screen = null, paused = false, shownAt = 0, fresh = 0;

const byId = (id) => document.getElementById(id);

export function startLive(show) {
  reload = show;
  if (!byId("strip")?.hasAttribute("data-events")) return;
  const follow = byId("follow"), pause = byId("pause"), button = byId("show-new");
  if (follow) {
    follow.checked = sessionStorage.getItem(FOLLOW) === "on";
    follow.addEventListener("change", () => { sessionStorage.setItem(FOLLOW, follow.checked ? "on" : "off"); showIfFollowed(); });
    pause.addEventListener("click", () => {
      paused = !paused;
      pause.setAttribute("aria-pressed", String(paused));
      pause.textContent = paused ? "Go on" : "Pause";
      if (!paused) showIfFollowed();
    });
    button.addEventListener("click", () => { byId("screen").focus({ preventScroll: true }); showNow(); });
  }
  document.addEventListener("visibilitychange", listen);
  addEventListener("pagehide", () => events?.close());
  addEventListener("pageshow", listen);
}

// A fresh screen is there: what is new counts from it.
export function shown(fresher) {
  screen = fresher;
  shownAt = performance.now();
  fresh = 0;
  const button = byId("show-new");
  if (button) button.hidden = true;
  listen();
}

function listen() {
  events?.close();
  events = null;
  if (document.hidden || !screen || !byId("strip")?.hasAttribute("data-events")) return;
  const words = new URLSearchParams({ since: screen.dataset.place });
  const here = new URLSearchParams(location.search);
  if (screen.dataset.page === "live") for (const name of ["verdict", "source", "channel"]) if (here.get(name)) words.set(name, here.get(name));
  if (screen.dataset.page !== "live") words.set("verdict", "accepted");
  events = new EventSource(`/live/events?${words}`);
  events.addEventListener("message", (event) => told(JSON.parse(event.data)));
  events.addEventListener("anew", () => offer("The server was started anew · show"));
}

function told(now) {
  const strip = byId("strip");
  strip.className = `strip ${now.state}`;
  strip.querySelector("[data-word]").textContent = now.word;
  strip.querySelector("[data-says]").textContent = now.says;
  if (paused) return;
  if (now.new || now.more) offer(`${now.more ? "more than " : ""}${now.new.toLocaleString("en")} new · show`);
  fresh = now.new || Number(now.more);
  showIfFollowed();
}

function offer(words) {
  const button = byId("show-new");
  if (!button) return;
  if (button.hidden) byId("strip-told").textContent = "Something new came in.";
  button.textContent = words;
  button.hidden = false;
}

// Nobody's reading or writing is taken from under their hands.
function busy() {
  const at = document.activeElement;
  const writing = at?.matches("textarea, select, input:not([type=checkbox])") && screen.contains(at);
  const edited = [...screen.querySelectorAll("textarea")].some((area) => area.value !== area.defaultValue);
  return writing || edited || screen.querySelector("details[open], :popover-open") || screen.classList.contains("busy");
}

function showIfFollowed() {
  const rest = (FOLLOW_SECONDS[screen.dataset.page] ?? SLOWLY_SECONDS) * 1000;
  if (byId("follow")?.checked && !paused && fresh && !busy() && performance.now() - shownAt > rest) showNow();
}

function showNow() {
  shownAt = performance.now();
  byId("strip-told").textContent = "";
  reload(screen.dataset.page !== "live");
}
