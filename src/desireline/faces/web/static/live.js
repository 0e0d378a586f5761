// What is new: told by the server, shown when asked for.
import { listener } from "./listening.js";
import { pauseMoments, setClock, startMoments } from "./moments.js";

const FOLLOW = "desireline.follow";
const FOLLOW_SECONDS = { live: 2 };
const SLOWLY_SECONDS = 30;
const LOOK_AGAIN_SECONDS = 0.5;
let reload = () => {}, line = null, screen = null;
let paused = false, lostAt = "", anew = false, shownAt = 0, fresh = 0, following = 0;

const byId = (id) => document.getElementById(id);

export function startLive(show) {
  reload = show;
  if (!byId("strip")?.hasAttribute("data-events")) return;
  line = listener(addressOf, { heard: told, anew: startedAnew, lost });
  const follow = byId("follow");
  if (follow) {
    follow.checked = sessionStorage.getItem(FOLLOW) === "on";
    follow.addEventListener("change", () => { sessionStorage.setItem(FOLLOW, follow.checked ? "on" : "off"); showIfFollowed(); });
    byId("show-new").addEventListener("click", () => { byId("screen").focus({ preventScroll: true }); showNow(); });
  }
  byId("pause").addEventListener("click", pauseOrGoOn);
  startMoments();
}

// A fresh screen is there: what is new counts from it.
export function shown(fresher) {
  screen = fresher;
  shownAt = performance.now();
  fresh = 0;
  anew = false;
  setClock(screen);
  const button = byId("show-new");
  if (button) button.hidden = true;
  if (!paused) line?.begin();
}

function addressOf() {
  if (!screen || paused) return null;
  const words = new URLSearchParams({ since: screen.dataset.place });
  const here = new URLSearchParams(location.search);
  if (screen.dataset.page === "live") for (const name of ["verdict", "source", "channel"]) if (here.get(name)) words.set(name, here.get(name));
  if (screen.dataset.page !== "live") words.set("verdict", "accepted");
  return `/live/events?${words}`;
}

function setLine(state, word, says) {
  const strip = byId("strip");
  strip.className = `strip ${state}`;
  strip.querySelector("[data-word]").textContent = word;
  strip.querySelector("[data-says]").textContent = says;
}

function told(now) {
  if (lostAt) byId("strip-told").textContent = "The server answers again.";
  lostAt = "";
  setLine(now.state, now.word, now.says);
  if (now.new || now.more) offer(`${now.more ? "more than " : ""}${now.new.toLocaleString("en")} new · show`);
  fresh = now.new || Number(now.more);
  showIfFollowed();
}

function startedAnew() {
  anew = true;
  offer("The server was started anew · show");
}

function lost() {
  if (lostAt) return;
  lostAt = clock();
  setLine("warning lost", "No word from the server", `since ${lostAt}: what stands here is as of then. It is asked again every few seconds.`);
  byId("strip-told").textContent = "The server does not answer.";
}

// Nothing on the page moves until it is to go on.
function pauseOrGoOn() {
  paused = !paused;
  byId("pause").textContent = paused ? "Go on" : "Pause";
  pauseMoments(paused);
  if (!paused) { line.begin(); return; }
  line.end();
  lostAt = "";
  setLine("quiet", "Paused", `at ${clock()}: nothing here changes by itself`);
}

function clock() { return new Date().toLocaleTimeString("en-GB"); }

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

// Shown once the page has rested and nobody is busy with it: looked at again until then, as nothing else may come in.
function showIfFollowed() {
  clearTimeout(following);
  if (paused || !byId("follow")?.checked || !(anew || fresh)) return;
  const rest = (FOLLOW_SECONDS[screen.dataset.page] ?? SLOWLY_SECONDS) * 1000;
  const left = anew ? 0 : shownAt + rest - performance.now();
  if (left <= 0 && !busy()) showNow();
  else following = setTimeout(showIfFollowed, Math.max(left, LOOK_AGAIN_SECONDS * 1000));
}

function showNow() {
  shownAt = performance.now();
  byId("strip-told").textContent = "";
  reload(screen.dataset.page !== "live");
}
