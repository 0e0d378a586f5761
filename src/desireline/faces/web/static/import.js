// Drop a file, see it being sent, and watch the work.
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
  const events = new EventSource(`/import/jobs/${place.dataset.job}/events`);
  events.addEventListener("message", (event) => {
    const job = JSON.parse(event.data);
    bar.value = job.share;
    doing.textContent = job.doing;
    percent.textContent = `${Math.round(job.share * 100)} %`;
    if (job.state !== "running") { events.close(); location.reload(); }
  });
  events.addEventListener("error", () => { events.close(); setTimeout(() => location.reload(), 1500); });
}
