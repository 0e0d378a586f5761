// Hears the server: only while the page is seen, in a few pages at once, and says when no word comes any more.
const SEATS = 3; // A browser opens six connections to one host; the others are left for pages.
const GLANCE_SECONDS = 5;
const SILENT_SECONDS = 25;
const AGAIN_SECONDS = 3;

// heard: a message came. anew: the server was started since. lost: no word comes; it is asked again and again.
// Gives what begins anew and what ends; both may be called at any time.
export function listener(addressOf, { heard, anew = () => {}, lost = () => {} }) {
  let events = null, leave = null, turn = 0, again = 0, lastWord = 0;

  function end() {
    turn++;
    clearTimeout(again);
    events?.close();
    leave?.();
    events = leave = null;
  }

  function later(seconds) {
    end();
    again = setTimeout(begin, seconds * 1000);
  }

  async function begin() {
    end();
    const address = document.hidden ? null : addressOf();
    if (!address) return;
    const mine = turn, seat = await takeSeat();
    if (mine !== turn) { seat?.(); return; }
    leave = seat;
    lastWord = Date.now();
    events = new EventSource(address);
    const word = (told) => { lastWord = Date.now(); told(); if (!leave && events) later(GLANCE_SECONDS); };
    events.addEventListener("message", (event) => word(() => heard(JSON.parse(event.data))));
    events.addEventListener("still", () => word(() => {}));
    events.addEventListener("anew", () => { lastWord = Date.now(); anew(); });
    events.addEventListener("full", () => later(GLANCE_SECONDS));
    events.addEventListener("error", () => { later(AGAIN_SECONDS); lost(); });
  }

  // A machine that slept, or a server that hangs, closes nothing: only the clock shows it.
  setInterval(() => {
    if (events && Date.now() - lastWord > SILENT_SECONDS * 1000) { lost(); begin(); }
  }, 5000);
  document.addEventListener("visibilitychange", begin);
  addEventListener("pagehide", end);
  addEventListener("pageshow", (event) => { if (event.persisted) begin(); });
  return { begin, end };
}

// One of few places for pages that stay on the line; without one, a page only looks in from time to time.
async function takeSeat() {
  if (!navigator.locks) return () => {};
  for (let seat = 1; seat <= SEATS; seat++) {
    const leave = await new Promise((taken) => {
      navigator.locks.request(`desireline.listening.${seat}`, { ifAvailable: true },
        (lock) => lock ? new Promise((left) => taken(left)) : taken(null)).catch(() => taken(null));
    });
    if (leave) return leave;
  }
  return null;
}
