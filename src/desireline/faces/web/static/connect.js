// Copy a line, and see the first event come.
import { listener } from "./listening.js";

export function startConnect(screen) {
  for (const button of screen.querySelectorAll("[data-copy]")) {
    button.addEventListener("click", async () => {
      const text = document.getElementById(button.dataset.copy).textContent;
      try { await navigator.clipboard.writeText(text); button.textContent = "Copied"; }
      catch { getSelection().selectAllChildren(document.getElementById(button.dataset.copy)); button.textContent = "Marked: now Ctrl-C"; }
      setTimeout(() => { button.textContent = "Copy"; }, 2500);
    });
  }
  const verdict = screen.querySelector("[data-verdict]");
  if (verdict && !verdict.classList.contains("off")) watch(verdict, screen.dataset.place);
}

function watch(verdict, place) {
  const address = `${verdict.dataset.verdict}?${new URLSearchParams({ since: place })}`;
  listener(() => address, { heard: (now) => {
    verdict.className = `verdict ${now.state}`;
    verdict.querySelector("[data-word]").textContent = now.word;
    verdict.querySelector("[data-says]").textContent = now.says;
  } }).begin();
}
