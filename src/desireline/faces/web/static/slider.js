// Two handles over the months; the selects beneath hold the truth and work without this.
export function startSlider(form, changed) {
  const slider = form.querySelector("[data-slider]");
  const [first, last] = slider?.querySelectorAll("input") ?? [];
  if (!first || first.max === "0") return;
  const from = form.elements.from, to = form.elements.to;
  const bars = [...slider.querySelectorAll("rect")];
  slider.hidden = false;

  function moved(handle) {
    let low = Number(first.value), high = Number(last.value);
    if (low > high) {
      if (handle === first) first.value = low = high;
      else last.value = high = low;
    }
    from.selectedIndex = low;
    to.selectedIndex = high;
    first.setAttribute("aria-valuetext", from.value);
    last.setAttribute("aria-valuetext", to.value);
    bars.forEach((bar, place) => bar.setAttribute("class", place >= low && place <= high ? "in" : "out"));
  }
  let waiting;
  for (const handle of [first, last]) {
    handle.addEventListener("input", () => moved(handle));
    handle.addEventListener("change", () => { clearTimeout(waiting); waiting = setTimeout(changed, 250); });
  }
}
