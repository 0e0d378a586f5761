// The script tag: where it came from is where it sends to; what the page called before it was there is done now.
const tag = document.currentScript;
const { key, host, consent, purpose, pages } = tag.dataset;
const api = start({ key, host: host || new URL(tag.src).origin, consent, purpose, pages: pages !== "off" });
const push = ([name, given]) => attempt(() => api[name](...given));
window.desireline?.q?.forEach?.(push);
window.desireline = { ...api, q: { push } };
