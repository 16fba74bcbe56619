// The script tag's target: defines <cupo-booking event="org/slug"> and `Cupo`, paints at once where the calendar will be,
// fetches the first view beside the widget's code, shows it, and mounts the widget over it. What only popups, the floating
// button and frames need is a module of its own (`loader/ways.js`), loaded when one of them is used. `cargo xtask build` fills
// in the __CUPO_…__ addresses and shrinks this file.

// An image that is named so in the page would stand in its place.
const { currentScript } = document;
const script = currentScript instanceof HTMLScriptElement ? currentScript : document.querySelector('script[src*="/embed.js"]');
const base = script.src.replace(/\/embed\.js.*$/, "");
const { origin } = new URL(base);

/** Loading, sorry. */
const TEXTS = {
  en: ["Loading the calendar…", "The calendar cannot be shown here."],
  es: ["Cargando el calendario…", "El calendario no se puede mostrar aquí."],
  pt: ["Carregando o calendário…", "O calendário não pode ser mostrado aqui."],
  fr: ["Chargement du calendrier…", "Le calendrier ne peut pas être affiché ici."],
  de: ["Der Kalender wird geladen …", "Der Kalender kann hier nicht angezeigt werden."],
  it: ["Caricamento del calendario…", "Il calendario non può essere mostrato qui."],
  ar: ["جارٍ تحميل التقويم…", "يتعذّر عرض التقويم هنا."],
};

// What stands before the style sheet has arrived, and holds its place. The page's own rules reach the element itself and
// what is inherited from it, so the frame within starts from nothing, and what the element must keep is important:
// between important rules it is the shadow tree's that wins. Beside something that floats, the frame drops below it rather
// than shrink to nothing.
const BONES = `
:host{display:block!important;visibility:visible!important;opacity:1!important;filter:none!important;transform:none!important;
background:none!important;border:0!important;padding:0!important;height:auto!important;max-height:none!important;
min-width:0!important;overflow:visible!important;pointer-events:auto!important;float:none!important;transition:none!important}
:host([hidden]){display:none!important}
.cupo{all:initial;display:block;min-width:min(280px,100%);container-type:inline-size;color-scheme:light dark;color:CanvasText;
font:16px/1.5 var(--cupo-font,system-ui,sans-serif)}
.cupo[data-theme=light]{color-scheme:light}.cupo[data-theme=dark]{color-scheme:dark}.cupo[data-theme=page]{color-scheme:inherit}
:host([full-page]) .cupo{box-sizing:border-box;min-height:100dvh;display:grid;align-content:center;
grid-template-columns:minmax(0,1080px);justify-content:center}
.card{box-sizing:border-box;min-height:860px;border-radius:var(--cupo-radius,16px);
border:1px solid color-mix(in srgb,currentColor 12%,transparent);background:Canvas}
.bones{padding:28px;display:grid;gap:20px;align-content:start}
.bones>*{display:block;border-radius:8px;height:20px;background:color-mix(in srgb,currentColor 8%,transparent)}
.bones i{width:40%}.bones u{width:70%;height:28px}
.bones s{height:288px;margin-top:96px;border-radius:0;
background:radial-gradient(circle closest-side,color-mix(in srgb,currentColor 8%,transparent) 88%,transparent 90%) 0 0/calc(100%/7) 48px}
.bones b,.unseen{position:absolute;clip-path:inset(50%);width:1px;height:1px;overflow:hidden;white-space:nowrap}
.card.sorry{padding:28px;min-height:0}
@container (min-width:560px){.card{min-height:720px}}
@container (min-width:800px){.card{min-height:520px}.bones{grid:auto auto/240px 1fr;gap:20px 40px}
.bones s{grid-area:1/2/span 9;margin-block-start:84px;margin-inline-end:250px}.bones i,.bones u{width:auto}}
@media (prefers-reduced-motion:no-preference){.bones>*{animation:cupo 1.6s ease-in-out infinite alternate}
@keyframes cupo{to{opacity:.45}}}`;

const sheet = (text) => {
  const made = new CSSStyleSheet();
  made.replaceSync(text);
  return made;
};

const element = (tag, properties, ...children) => {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
};

/** Never fails: without an answer the status is 0. */
const request = (method, address, body, key) =>
  fetch(base + address, {
    method,
    body,
    credentials: "omit",
    // A hold is released although the page goes away.
    keepalive: method === "DELETE",
    signal: AbortSignal.timeout(30_000),
    headers: { ...(body && { "content-type": "application/json" }), ...(key && { "idempotency-key": key }) },
  }).then(
    async (response) => [response.status, await response.json().catch(() => null)],
    () => [0, null],
  );

const asset = async (address) => {
  const response = await fetch(base + address, { credentials: "omit" });
  if (!response.ok) throw Error(address);
  return response;
};

/** Lets the page do something else for a moment. */
const pause = (ms) => new Promise((then) => setTimeout(then, ms));

/** What is made once for the page; after a failure, again. */
const once = (make) => {
  let made;
  return () => {
    made ??= make().catch((error) => {
      made = undefined;
      throw error;
    });
    return made;
  };
};

/** Compiled while it arrives, and before the glue is there. */
const compiled = async () => {
  const response = await asset("__CUPO_WIDGET_WASM__");
  const copy = response.clone();
  // A proxy may have taken the type away, without which nothing is compiled on the way.
  return WebAssembly.compileStreaming(response).catch(async () => WebAssembly.compile(await copy.arrayBuffer()));
};

const code = once(async () => {
  const address = base + "__CUPO_WIDGET_JS__";
  document.head.append(element("link", { rel: "modulepreload", href: address, nonce: script.nonce }));
  const [glue, module] = await Promise.all([import(address), compiled()]);
  await glue.default({ module_or_path: module });
  // Not in the same task as what follows.
  await pause();
  return glue.prepare;
});
const style = once(async () => sheet(await (await asset("__CUPO_WIDGET_CSS__")).text()));

let bones;
const mayCompile = () => {
  try {
    return new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));
  } catch {}
};

/** The texts' language, and the tag by which dates are written: the visitor's own region where the page names none. */
const languageOf = (node) => {
  let wanted = "";
  for (; node && !wanted; node = node.parentNode ?? node.host) wanted = node.lang ?? "";
  const spoken = [wanted, ...navigator.languages, "en"].filter((tag) => TEXTS[tag.split("-")[0].toLowerCase()]);
  const language = spoken[0].slice(0, 2).toLowerCase();
  const tag = spoken.find((tag) => tag.length > 2 && tag.toLowerCase().startsWith(language)) ?? language;
  try {
    return [language, Intl.getCanonicalLocales(tag)[0]];
  } catch {
    return [language, language];
  }
};

/** What is known of the visitor beforehand: by attributes, by the property `options`, and by the `utm_…` of the page's address. */
const wishesOf = (widget) => {
  const wishes = { prefill: { answers: {} }, hidden: {}, tracking: {} };
  for (const [name, value] of new URLSearchParams(location.search)) if (/^utm_/.test(name)) wishes.tracking[name] = value;
  for (const { name, value } of widget.attributes) {
    const [, kind, key] = /^(prefill|hidden|utm)-(.+)/.exec(name) ?? [];
    if (kind === "utm") wishes.tracking[`utm_${key}`] = value;
    else if (kind) (/^(name|email|phone|notes)$/.test(key) ? wishes[kind] : (wishes[kind].answers ?? wishes[kind]))[key] = value;
  }
  const own = widget.options ?? {};
  for (const kind in wishes) Object.assign(wishes[kind], own[kind]);
  return { ...wishes, view: widget.getAttribute("view") ?? "", manage: widget.getAttribute("manage") ?? "" };
};

/** The organization's theme, where the page sets none of its own. */
const dress = (widget, frame, { scheme, style }) => {
  if (scheme && !widget.hasAttribute("theme")) frame.dataset.theme = scheme;
  const own = getComputedStyle(widget);
  for (const name in style) if (!own.getPropertyValue(name)) frame.style.setProperty(name, style[name]);
};

/** What is done again: choices first, for what is offered depends on them. */
const PRESSES = ["change", "click"];

/** Remembers what is pressed in the first view, and gives the function that does it again in the widget. */
const remember = (frame) => {
  const pressed = [];
  const hearing = new AbortController();
  const hear = ({ type, target }) => {
    const node = target.closest(type === "click" ? "button" : "select,input");
    // A choice may put other buttons in the place of the one that was pressed.
    if (node) pressed.push([type, type === "click" ? node.cloneNode() : node]);
  };
  for (const type of PRESSES) frame.addEventListener(type, hear, hearing);
  return () => {
    hearing.abort();
    for (const kind of PRESSES)
      for (const [type, value] of pressed)
        if (type === kind) frame.dispatchEvent(Object.defineProperty(new Event(type), "target", { value }));
  };
};

/** The widgets of the page: what the session keeps for one of them is nobody else's. Who goes makes room for who comes. */
const places = {};

class Booking extends HTMLElement {
  static observedAttributes = ["event", "lang", "link", "theme", "view", "manage"];
  #turn;
  #unmount;
  #options;

  // Frameworks set as a property what has a setter.
  get options() {
    return this.#options;
  }

  set options(options) {
    this.#options = options;
  }

  connectedCallback() {
    if (!this.#turn) this.#start();
  }

  disconnectedCallback() {
    // An element that is only moved is connected again at once, and keeps what the visitor did.
    queueMicrotask(() => this.isConnected || this.#stop());
  }

  attributeChangedCallback(_name, before, after) {
    if (this.#turn && before !== after) this.#again();
  }

  #again() {
    this.#stop();
    this.#start();
  }

  #stop() {
    this.#turn?.abort();
    this.#unmount?.();
    this.#turn = this.#unmount = undefined;
    this.shadowRoot.replaceChildren();
  }

  async #start() {
    const turn = (this.#turn = new AbortController());
    const { signal } = turn;
    const event = this.getAttribute("event") ?? "";
    let place = event;
    while (places[place]?.isConnected) place += "+";
    places[place] = this;
    signal.onabort = () => places[place] === this && delete places[place];
    const [language, tag] = languageOf(this);
    const [loading, sorry] = TEXTS[language];
    const link = this.getAttribute("link") ?? "";
    // The secret of a single-use link goes along with everything that is asked.
    const secret = link && `&link=${encodeURIComponent(link)}`;
    const page = `${base}/${event}?lang=${language}${secret}`;
    const root = this.shadowRoot ?? this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [(bones ??= sheet(BONES))];
    const emit = (name, detail) =>
      this.dispatchEvent(new CustomEvent(`cupo:${name}`, { bubbles: true, composed: true, detail: { event, ...detail } }));

    const frame = element("div", { className: "cupo", lang: tag, dir: language === "ar" ? "rtl" : "ltr" });
    frame.dataset.theme = this.getAttribute("theme") ?? "auto";
    const show = (...children) => {
      frame.replaceChildren(...children);
      root.replaceChildren(frame);
    };
    const apologize = async (code) => {
      const address = `${base}/${event}`;
      const way = element("a", { href: page, target: "_blank", rel: "noopener", textContent: address });
      const told = code === "not-found" ? await ways().then((it) => [it.gone(language)], () => [sorry]) : [sorry, " ", way];
      if (signal.aborted) return;
      show(element("div", { className: "card sorry", role: "alert" }, ...told));
      emit("error", { code });
    };
    const fallBack = async () => {
      try {
        const { inFrame } = await ways();
        if (!signal.aborted) inFrame(page, wishesOf(this), language, show, emit, signal);
      } catch {
        apologize("blocked");
      }
    };

    let forbidden = false;
    const onViolation = ({ disposition, blockedURI, effectiveDirective }) => {
      if (disposition !== "enforce" || !blockedURI.startsWith(origin)) return;
      if (effectiveDirective === "frame-src") apologize("blocked");
      else forbidden = true;
    };
    document.addEventListener("securitypolicyviolation", onViolation, { signal });

    const [org, slug, ...rest] = event.split("/").map(encodeURIComponent);
    if (!org || !slug || rest.length) return apologize("not-found");
    if (!mayCompile()) return fallBack();
    show(element("div", { className: "card bones" }, ...["i", "u", "s"].map((tag) => element(tag)), element("b", {}, loading)));
    // Who waits for them hears of a failure.
    const preparing = code();
    for (const started of [preparing, style()]) started.catch(() => {});
    const options = wishesOf(this);
    // The first use of `Intl` takes a slow machine a moment, for which nothing else need wait.
    const zone = globalThis.Temporal?.Now?.timeZoneId?.() ?? Intl.DateTimeFormat().resolvedOptions().timeZone ?? "UTC";
    setTimeout(() => Intl.DateTimeFormat());
    const withMarkup = this.dataset.firstView !== "off" && !options.manage;
    const asked = { lang: tag, zone, markup: +withMarkup, view: options.view };
    const first = request("GET", `/embed/v1/first?org=${org}&event=${slug}&${new URLSearchParams(asked)}${secret}`);
    try {
      const [[status, answer], look] = await Promise.all([first, style()]);
      if (answer?.theme) dress(this, frame, answer.theme);
      if (frame.dataset.theme === "page") (await ways()).takeColors(this, frame, signal);
      if (signal.aborted) return;
      if (status !== 200) {
        if (status === 404) return apologize("not-found");
        throw Object.assign(Error(status), { code: status ? "refused" : "unreachable" });
      }
      root.adoptedStyleSheets = [bones, look];
      let again;
      if (answer.markup) {
        try {
          frame.innerHTML = answer.markup;
          again = remember(frame);
        } catch {
          // A page that asks for trusted types keeps the skeleton until the widget is there.
        }
      }
      const mount = (await preparing)({
        first: answer,
        language: tag,
        zone,
        link,
        place,
        options,
        emit,
        request: (method, address, ...body) =>
          request(method, address + (body[0] ? `?lang=${tag}` : address.includes("?") ? secret : ""), ...body),
      });
      await pause();
      if (signal.aborted) return;
      if (!again) frame.replaceChildren();
      const unmount = mount(frame);
      // The page may have changed the element when it heard that it is ready.
      if (signal.aborted) return unmount();
      this.#unmount = unmount;
      again?.();
    } catch (error) {
      // A refusal and the notice of it come in no certain order.
      await pause(50);
      if (signal.aborted) return;
      if (forbidden) return fallBack();
      console.error("Cupo:", error);
      apologize(error.code ?? "failed");
      addEventListener("online", () => this.#again(), { signal });
    }
  }
}

/** Popups, the floating button, frames. */
const ways = once(async () =>
  (await import(base + "__CUPO_WAYS_JS__")).default({ base, code, element, languageOf, sheet, style }),
);

const Cupo = {
  open: async (event, options) => (await ways()).open(event, options),
  close: async () => (await ways()).close(),
  on: (name, listener) => {
    const hear = (event) => listener(event.detail, event);
    document.addEventListener(name, hear);
    return () => document.removeEventListener(name, hear);
  },
  push: (...calls) => calls.forEach((call) => call(Cupo)),
};

const openerOf = (event) => event.composedPath().find((node) => node.dataset?.cupoPopup);

if (!customElements.get("cupo-booking")) {
  customElements.define("cupo-booking", Booking);

  const early = window.Cupo;
  window.Cupo = Cupo;
  if (Array.isArray(early)) Cupo.push(...early);

  for (const type of ["pointerover", "focusin"])
    document.addEventListener(type, (event) => openerOf(event) && ways().catch(() => {}), { passive: true });
  document.addEventListener("click", (event) => {
    const opener = openerOf(event);
    if (!opener || event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const name = opener.dataset.cupoPopup;
    Cupo.open(name, opener).catch(() => location.assign(`${base}/${name}`));
  });
}

const { event, floating } = script.dataset;
if (event) {
  const widget = document.createElement("cupo-booking");
  for (const { name, value } of script.attributes) if (name.startsWith("data-")) widget.setAttribute(name.slice(5), value);
  if (script.lang) widget.lang = script.lang;
  script.after(widget);
}
if (floating) ways().then((it) => it.floating(script));
