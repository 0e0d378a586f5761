// "in 46 s" and "3 min ago" go on counting, by the clock of the project.
let ahead = 0, paused = false;

export function startMoments() { setInterval(tick, 1000); }

export function setClock(screen) { ahead = Number(screen.dataset.now || 0) - Date.now(); }

export function pauseMoments(pause) { paused = pause; }

function tick() {
  if (paused || document.hidden) return;
  for (const time of document.querySelectorAll("time[data-moment]")) {
    const seconds = Math.floor((Number(time.dataset.moment) - Date.now() - ahead) / 1000);
    const words = seconds >= 0 ? `in ${inWords(seconds)}` : `${inWords(-seconds)} ago`;
    if (time.textContent !== words) time.textContent = words;
  }
}

// A length of time in the largest two units, as the server writes it.
function inWords(seconds) {
  const parts = [];
  for (const [unit, size] of [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]]) {
    if (parts.length < 2 && (seconds >= size || (unit === "s" && !parts.length))) {
      parts.push(`${Math.floor(seconds / size)} ${unit}`);
      seconds %= size;
    }
  }
  return parts.join(" ");
}
