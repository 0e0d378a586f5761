// Drop a file, see it being sent, and watch the work.
import { listener } from "./listening.js";

export function startImport(screen) {
  const drop = screen.querySelector("[data-drop]");
  if (drop) startDrop(drop);
  const job = screen.querySelector("[data-job]");
  if (job && job.dataset.state === "running") watch(job);
}

function startDrop(form) {
  const file = form.elements.file, bar = form.querySelector("progress");
  form.addEventListener("dragover", (event) => { event.preventDefault(); form.classList.add("over"); });
  form.addEventListener("dragleave", () => form.classList.remove("over"));
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    form.classList.remove("over");
    if (event.dataTransfer.files.length) { file.files = event.dataTransfer.files; form.requestSubmit(); }
  });
  form.addEventListener("submit", (event) => {
    if (!file.files.length) return;
    event.preventDefault();
    bar.hidden = false;
    const sending = new XMLHttpRequest();
    sending.upload.addEventListener("progress", (sent) => { if (sent.lengthComputable) bar.value = sent.loaded / sent.total; });
    sending.addEventListener("load", () => {
      if (sending.responseURL.includes("/import/look/")) location.assign(sending.responseURL);
      else form.submit();
    });
    sending.addEventListener("error", () => form.submit());
    sending.open("POST", form.action);
    sending.send(new FormData(form));
  });
}

function watch(place) {
  const bar = place.querySelector("progress"), doing = place.querySelector("[data-doing]"), percent = place.querySelector("[data-percent]");
  const line = listener(() => `/import/jobs/${place.dataset.job}/events`, { lost, heard: (job) => {
    bar.value = job.share;
    doing.textContent = job.doing;
    percent.textContent = `${Math.round(job.share * 100)} %`;
    if (job.state !== "running") { line.end(); location.reload(); }
  } });
  line.begin();

  // The work may be over, or its server: the page says which as soon as it can be had again.
  async function lost() {
    doing.textContent = "No word from the server; it is asked again every few seconds.";
    try { await fetch(location.href, { method: "HEAD" }); line.end(); location.reload(); }
    catch { /* asked again */ }
  }
}
