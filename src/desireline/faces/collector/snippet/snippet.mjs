// Desireline in a page: what a visitor does, after they agreed, to one collector and nobody else.
// No cookie, no fingerprint, no value of any field. How to use it: docs/how-to/snippet.md

const MOST_WAITING = 500;
const MOST_WAITING_BYTES = 262144;
const MOST_AT_ONCE = 100;
const REQUEST_BYTES = 60000;
const EVENT_BYTES = 32000;
const LONGEST_REST_MS = 300000;
const LIBRARY = { name: "desireline.js", version: "1" };

export function start({ host, key, consent: told, purpose = "analytics", pages = true }) {
  // Of two tags in one page, or a tag and a module, the first one counts.
  const started = (globalThis.desirelineStarted ||= {});
  if (started[key]) return started[key];
  const address = host.replace(/\/+$/, "") + "/v1/batch";
  const prefix = `desireline:${key}:`;
  const queue = prefix + "m:";
  const spare = new Map();
  const mine = new Set();
  const flying = new Set();
  const beaconed = new Set();
  const forms = new Map();
  let timer, sending, begun, who, here, tries = 0, order = 0, limit = MOST_AT_ONCE, referrer = document.referrer;

  // What is kept in this browser; where storing is refused, in memory until the page ends.
  const names = (of) =>
    [...spare.keys(), ...attempt(() => Object.keys(localStorage), [])].filter((name) => name.startsWith(of)).sort();
  const get = (name) => spare.get(name) ?? attempt(() => localStorage.getItem(name), null);
  const put = (name, text) => attempt(() => (localStorage.setItem(name, text), spare.delete(name), 1)) || spare.set(name, text);
  const drop = (name) => (spare.delete(name), mine.delete(name), attempt(() => localStorage.removeItem(name)));
  const clear = () => names(prefix).forEach(drop);
  const read = () => attempt(() => JSON.parse(get(prefix + "state")), null) || { given: {} };
  const save = () => put(prefix + "state", JSON.stringify(state));

  // Whether anything may be kept or sent.
  const refused = () => !!navigator.globalPrivacyControl || navigator.doNotTrack === "1";
  const on = () => !refused() && !document.prerendering && !state.no && (!!state.given[purpose] || told === "given");
  let state = read();
  if (refused()) clear();

  function begin() {
    if (!on()) return;
    if (!state.id) {
      state.id = uuid();
      save();
    }
    if (begun) return;
    begun = true;
    if (who) api.identify(...who);
    here = where();
    if (pages) page();
  }

  function say(type, more) {
    if (!on()) return false;
    const context = { page: pageNow(), campaign: campaignNow(), library: LIBRARY };
    keep({ type, anonymousId: state.id, userId: state.user, ...more, context });
    return true;
  }

  function keep(message) {
    const messageId = uuid();
    const text = JSON.stringify({ messageId, timestamp: new Date().toISOString(), ...message });
    if (bytesOf(text) > EVENT_BYTES) return lose(1);
    const name = queue + Date.now().toString(36) + (order++).toString(36).padStart(4, "0") + messageId;
    mine.add(name);
    put(name, text);
    let waiting = names(queue), bytes = waiting.reduce((sum, each) => sum + (get(each) || "").length, 0), lost = 0;
    while (waiting.length - lost > MOST_WAITING || bytes > MOST_WAITING_BYTES) {
      bytes -= (get(waiting[lost]) || "").length;
      drop(waiting[lost++]);
    }
    lose(lost);
    later(1000);
  }

  function lose(count) {
    if (count) put(prefix + "lost", Number(get(prefix + "lost")) + count);
  }

  function tellLost() {
    const count = Number(get(prefix + "lost"));
    if (count && on()) {
      drop(prefix + "lost");
      say("track", { event: "interactions.dropped", properties: { count } });
    }
  }

  // Sending: one tab at a time, the oldest first, each message kept until it was answered.
  function later(ms) {
    const at = Date.now() + ms;
    if (timer && timer.at <= at) return;
    if (timer) clearTimeout(timer.number);
    timer = { at, number: setTimeout(flush, ms) };
  }

  async function flush() {
    if (timer) clearTimeout(timer.number);
    timer = null;
    if (refused() || sending) return;
    sending = true;
    const all = async () => {
      while (await sendSome());
    };
    try {
      let asked;
      const locked = (lock) => ((asked = 1), lock ? all() : later(2000));
      await attempt(() => navigator.locks.request(prefix, { ifAvailable: true }, locked))?.catch(() => {});
      if (!asked) await all();
    } finally {
      sending = false;
      if (!timer && names(queue).length && navigator.onLine !== false) later(2000);
    }
  }

  function some(waiting) {
    const picked = [];
    let bytes = 0;
    for (const name of waiting.slice(0, limit)) {
      const text = get(name);
      if (!text) continue;
      bytes += bytesOf(text);
      if (picked.length && bytes > REQUEST_BYTES) break;
      picked.push([name, text]);
    }
    return picked;
  }

  const bytesOf = (text) => new Blob([text]).size;
  const bodyOf = (picked) =>
    `{"writeKey":${JSON.stringify(key)},"sentAt":"${new Date().toISOString()}","batch":[${picked.map(([, text]) => text)}]}`;

  async function sendSome() {
    const rest = Number(get(prefix + "rest")) - Date.now();
    if (rest > 0 && rest <= LONGEST_REST_MS) return later(rest);
    tellLost();
    const picked = some(names(queue));
    if (!picked.length || navigator.onLine === false) return false;
    picked.forEach(([name]) => flying.add(name));
    let status = 0, after = 0;
    try {
      const answer = await fetch(address, {
        method: "POST", body: bodyOf(picked), keepalive: true, credentials: "omit", signal: AbortSignal.timeout?.(15000),
      });
      status = answer.status;
      after = 1000 * Number(answer.headers.get("retry-after")) || 0;
    } catch {}
    flying.clear();
    const unfit = status === 400 || status === 413;
    if (unfit && picked.length > 1) return (limit = picked.length >> 1);
    if (unfit || status === 200) {
      picked.forEach(([name]) => drop(name));
      if (unfit) lose(1);
      drop(prefix + "rest");
      tries = 0;
      limit = MOST_AT_ONCE;
      return true;
    }
    const wait = Math.min(Math.max(after, 1000 * 2 ** tries++ * (0.5 + Math.random() / 2)), LONGEST_REST_MS);
    if (status && names(queue).length) put(prefix + "rest", Date.now() + wait);
    later(wait);
    return false;
  }

  function leave() {
    const picked = some(names(queue).filter((name) => mine.has(name) && !flying.has(name) && !beaconed.has(name)));
    if (picked.length && !refused() && navigator.sendBeacon(address, bodyOf(picked)))
      picked.forEach(([name]) => beaconed.add(name));
  }

  // What the page calls.
  const track = (event, properties = {}) => !!event && say("track", { event: String(event), properties });

  function page(name, properties = {}) {
    return say("page", { ...(name && { name: String(name) }), properties });
  }

  function identify(user, traits = {}) {
    if (user === null || user === undefined) {
      who = null;
      state.user = state.id = undefined;
      if (on()) begin(), save();
      return true;
    }
    who = [user, traits];
    if (!on()) return false;
    begin();
    state.user = String(user);
    save();
    return say("identify", { traits });
  }

  function consent(what = purpose, yes = true) {
    const said = typeof what === "object" ? what : { [what]: yes };
    if (refused()) return false;
    if (said[purpose] === false) return withdraw(said);
    for (const [each, given] of Object.entries(said)) {
      if (given && !state.given[each]) state.given[each] = "untold";
      else if (!given && state.given[each]) {
        delete state.given[each];
        say("track", { event: "consent.withdrawn", properties: { consent: each } });
      }
    }
    if (said[purpose]) delete state.no;
    if (!on()) return false;
    state.id = state.id || uuid();
    for (const each of Object.keys(state.given))
      if (state.given[each] === "untold") {
        state.given[each] = "told";
        // Only under this browser's id: whoever holds a public key could otherwise consent for somebody else.
        say("track", { event: "consent.given", properties: { consent: each }, userId: undefined });
      }
    save();
    begin();
    return true;
  }

  function withdraw(said) {
    const was = on();
    const purposes = Object.keys(said).filter((each) => said[each] === false && (each === purpose || state.given[each]));
    const last = was && { anonymousId: state.id, userId: state.user };
    forget();
    for (const each of was ? purposes : [])
      keep({ type: "track", event: "consent.withdrawn", properties: { consent: each }, ...last, context: { library: LIBRARY } });
    return false;
  }

  function forget() {
    clear();
    [mine, beaconed, forms].forEach((each) => each.clear());
    begun = who = undefined;
    state = { given: {}, no: 1 };
    if (told === "given") save();
  }

  // What happens in the page by itself.
  const where = () => location.pathname + route() + location.search;
  const route = () => (location.hash.startsWith("#/") ? location.hash : "");
  const plain = (url) => url.replace(/[?#].*$/, "");

  function pageNow() {
    const path = location.pathname + route().replace(/\?.*/, "");
    return { path, url: location.origin + path, title: document.title, ...(referrer && { referrer: plain(referrer) }) };
  }

  function campaignNow() {
    const found = [...new URLSearchParams(location.search)].filter(([name]) => name.startsWith("utm_"));
    const short = (name) => (name === "utm_campaign" ? "name" : name.slice(4));
    return found[0] && Object.fromEntries(found.map(([name, value]) => [short(name), value]));
  }

  // Words that a page replaces in its query, as while somebody types there, are no new page.
  function moved(how) {
    const before = here;
    if (before === undefined || before === where()) return;
    here = where();
    if (how === "replaceState" && /^[^?]*/.exec(before)[0] === /^[^?]*/.exec(here)[0]) return;
    abandon();
    referrer = location.origin + before;
    if (pages) setTimeout(page);
  }

  function beside(object, name, does) {
    const plain = object[name];
    object[name] = function (...given) {
      const answer = plain.apply(this, given);
      attempt(() => does(name, this));
      return answer;
    };
  }
  beside(history, "pushState", moved);
  beside(history, "replaceState", moved);
  beside(HTMLFormElement.prototype, "submit", (_, form) => forms.has(form) && submitted({ target: form }));

  function marked(element) {
    const properties = {};
    for (const [name, value] of Object.entries(element.dataset))
      if (name.startsWith("desireline") && name.length > 10) properties[name[10].toLowerCase() + name.slice(11)] = value;
    return properties;
  }

  function clicked({ target }) {
    const element = target.closest?.("[data-desireline]");
    if (element && element.tagName !== "FORM") track(element.dataset.desireline, marked(element));
  }

  const secret = ({ type, autocomplete = "" }) => /password|cc-/.test(type + autocomplete);

  function typed({ type, target: field }) {
    const form = field.form;
    const named = form?.dataset.desireline;
    const name = field.name || field.id;
    if (!named || !name || secret(field) || !on()) return;
    const open = forms.get(form) || { form: named, fields: [], told: [] };
    if (!forms.has(form)) {
      forms.set(form, open);
      track("form.begun", { form: named, ...marked(form) });
    }
    open.field = name;
    if (!open.fields.includes(name)) open.fields.push(name);
    if (type === "change" && !open.told.includes(name)) {
      open.told.push(name);
      track("form.step_typed", { form: named, field: name, step: open.told.length });
    }
  }

  function submitted({ target: form }) {
    const open = forms.get(form);
    if (form.dataset.desireline && on())
      track("form.submitted", { form: form.dataset.desireline, fields: open?.fields ?? [], ...marked(form) });
    forms.delete(form);
  }

  function abandon() {
    for (const { form, field, fields } of forms.values()) track("form.abandoned", { form, field, fields });
    forms.clear();
  }

  const listen = (to, what) => {
    for (const [name, does] of Object.entries(what)) to.addEventListener(name, (event) => attempt(() => does(event)), true);
  };
  listen(document, {
    click: clicked, input: typed, change: typed, submit: submitted,
    visibilitychange: () => (document.visibilityState === "hidden" ? leave() : later(0)),
  });
  listen(window, {
    popstate: moved, hashchange: moved, online: flush,
    pagehide: () => (abandon(), leave()),
    pageshow: ({ persisted }) => persisted && pages && page(),
    storage: ({ key: name }) => {
      if (name !== null && name !== prefix + "state") return;
      state = read();
      if (on()) begin();
      else [...mine].forEach(drop);
    },
  });

  const api = (started[key] = { track, identify, page, consent, forget, flush });
  if (document.prerendering) document.addEventListener("prerenderingchange", begin);
  else begin();
  later(0);
  return api;
}

function attempt(work, otherwise) {
  try {
    return work();
  } catch {
    return otherwise;
  }
}

function uuid() {
  const digit = (pattern) => (pattern ^ (crypto.getRandomValues(new Uint8Array(1))[0] & (15 >> (pattern / 4)))).toString(16);
  return "10000000-1000-4000-8000-100000000000".replace(/[018]/g, digit);
}
