// Runs before the page is drawn, so that a chosen theme never flashes.
const chosen = localStorage.getItem("desireline.theme");
if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
document.documentElement.classList.add("has-js");
