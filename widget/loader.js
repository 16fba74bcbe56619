// The script tag's target: defines <cupo-booking event="org/slug">, paints at once where the calendar will be, fetches
// everything the widget needs side by side and mounts it. Where the page's policy forbids WebAssembly, the public page
// stands in a frame instead. `cargo xtask build` fills in the __CUPO_…__ addresses and shrinks this file.

const script = document.currentScript ?? document.querySelector('script[src*="/embed.js"]');
const base = script.src.replace(/\/embed\.js.*$/, "");
const origin = new URL(base).origin;

const TEXTS = {
  en: {
    title: "Book an appointment",
    loading: "Loading the calendar…",
    sorry: "The calendar cannot be shown here right now.",
    gone: "This calendar is not available.",
    link: "Open the booking page",
  },
  es: {
    title: "Reservar una cita",
    loading: "Cargando el calendario…",
    sorry: "En este momento el calendario no se puede mostrar aquí.",
    gone: "Este calendario no está disponible.",
    link: "Abrir la página de reservas",
  },
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
.cupo{all:initial;display:block;min-width:min(280px,100%);container-type:inline-size;color-scheme:light dark;color:CanvasText;direction:ltr;
font:16px/1.5 var(--cupo-font,system-ui,sans-serif)}
.card{box-sizing:border-box;min-height:860px;border-radius:var(--cupo-radius,16px);
border:1px solid color-mix(in srgb,currentColor 12%,transparent);background:Canvas}
.bones{padding:28px;display:grid;gap:20px;align-content:start}
.bones i{display:block;border-radius:8px;height:20px;background:color-mix(in srgb,currentColor 8%,transparent)}
.bones i:nth-child(1){width:40%}.bones i:nth-child(2){width:70%;height:28px}
.bones i:nth-child(3){height:288px;margin-top:96px;border-radius:0;
background:radial-gradient(circle closest-side,color-mix(in srgb,currentColor 8%,transparent) 88%,transparent 90%) 0 0/calc(100%/7) 48px}
.bones b,.unseen{position:absolute;clip-path:inset(50%);width:1px;height:1px;overflow:hidden;white-space:nowrap}
.sorry{padding:28px}
iframe{display:block;width:100%;height:820px;border:0}
@container (min-width:560px){.card{min-height:720px}}
@container (min-width:800px){.card{min-height:520px}.bones{grid:auto auto/240px 1fr;gap:20px 40px}
.bones i:nth-child(3){grid-area:1/2/span 9;margin:84px 250px 0 0}.bones i:nth-child(1),.bones i:nth-child(2){width:auto}}
@media (prefers-reduced-motion:no-preference){.bones i{animation:cupo 1.6s ease-in-out infinite alternate}
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
  if (!response.ok) throw new Error(`${address}: ${response.status}`);
  return response;
};

let bones;
let code;
/** Fetches the widget's code and style once for all widgets of the page. */
const load = () => {
  code ??= Promise.all([
    import(base + "__CUPO_WIDGET_JS__"),
    asset("__CUPO_WIDGET_WASM__"),
    asset("__CUPO_WIDGET_CSS__").then((response) => response.text()),
  ]).then(async ([glue, module, style]) => {
    await glue.default({ module_or_path: module });
    return [glue.mount, sheet(style)];
  });
  code.catch(() => (code = undefined));
  return code;
};

const mayCompile = () => {
  try {
    return !!new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));
  } catch {
    return false;
  }
};

/** The texts' language, and the tag by which dates are written: the visitor's own region where the page names none. */
const languageOf = (widget) => {
  let wanted = "";
  for (let node = widget; node && !wanted; node = node.parentNode ?? node.host) wanted = node.lang ?? "";
  const spoken = [wanted, ...navigator.languages, "en"].filter((tag) => /^(en|es)(-|$)/i.test(tag));
  const language = spoken[0].slice(0, 2).toLowerCase();
  const tag = spoken.find((tag) => tag.length > 2 && tag.toLowerCase().startsWith(language)) ?? language;
  try {
    return [language, Intl.getCanonicalLocales(tag)[0]];
  } catch {
    return [language, language];
  }
};

/** 0 is Monday, 6 is Sunday. */
const weekStart = (tag) => {
  const locale = new Intl.Locale(tag);
  const week = locale.getWeekInfo?.() ?? locale.weekInfo;
  return (week?.firstDay ?? (/^en(-US)?$/.test(tag) ? 7 : 1)) - 1;
};

const thisMonth = () => {
  const now = new Date();
  const iso = (day) => new Date(Date.UTC(now.getFullYear(), now.getMonth() + day, day ? 0 : 1)).toISOString().slice(0, 10);
  return `&from=${iso(0)}&to=${iso(1)}`;
};

class Booking extends HTMLElement {
  static observedAttributes = ["event", "lang", "link"];
  #turn;
  #unmount;

  connectedCallback() {
    if (!this.#turn) this.#start();
  }

  disconnectedCallback() {
    // An element that is only moved is connected again at once, and keeps what the visitor did.
    queueMicrotask(() => this.isConnected || this.#stop());
  }

  attributeChangedCallback(_name, before, after) {
    if (this.#turn && before !== after) {
      this.#stop();
      this.#start();
    }
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
    const [language, tag] = languageOf(this);
    const texts = TEXTS[language];
    const link = this.getAttribute("link") ?? "";
    // The secret of a single-use link goes along with everything that is asked.
    const secret = link && `&link=${encodeURIComponent(link)}`;
    const page = `${base}/${event}?lang=${language}${secret}`;
    const root = this.shadowRoot ?? this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [(bones ??= sheet(BONES))];

    const show = (...children) => {
      const frame = element("div", { className: "cupo", lang: language }, ...children);
      root.replaceChildren(frame);
      return frame;
    };
    const apologize = (sentence) => {
      const way = sentence === texts.sorry && element("a", { href: page, target: "_blank", rel: "noopener" }, texts.link);
      show(element("div", { className: "card sorry", role: "alert" }, sentence, " ", way || ""));
    };
    const frame = () => show(element("iframe", { src: `${page}&embed=1`, title: texts.title }));

    let forbidden = false;
    const onViolation = ({ disposition, blockedURI, effectiveDirective }) => {
      if (disposition !== "enforce" || !blockedURI.startsWith(origin)) return;
      if (effectiveDirective === "frame-src") apologize(texts.sorry);
      else forbidden = true;
    };
    document.addEventListener("securitypolicyviolation", onViolation, { signal });

    const [org, slug, ...rest] = event.split("/").map(encodeURIComponent);
    if (!org || !slug || rest.length) return apologize(texts.gone);
    if (!mayCompile()) return frame();
    show(element("div", { className: "card bones" }, ...["i", "i", "i"].map((tag) => element(tag)), element("b", {}, texts.loading)));
    const slots = request("GET", `/embed/v1/slots?org=${org}&event=${slug}${thisMonth()}${secret}`);
    try {
      const [[status, eventType], [mount, style]] = await Promise.all([
        request("GET", `/embed/v1/event-types/${org}/${slug}?lang=${language}${secret}`),
        load(),
      ]);
      if (signal.aborted) return;
      if (status === 404) return apologize(texts.gone);
      if (status !== 200) throw new Error(`event type: ${status}`);
      root.adoptedStyleSheets = [bones, style];
      this.#unmount = mount(show(), {
        eventType,
        slots,
        language: tag,
        zone: Intl.DateTimeFormat().resolvedOptions().timeZone ?? "UTC",
        weekStart: weekStart(tag),
        link,
        request: (method, address, ...body) =>
          request(method, address + (body[0] ? `?lang=${language}` : address.includes("?") ? secret : ""), ...body),
        emit: (name, start, end) =>
          this.dispatchEvent(new CustomEvent(`cupo:${name}`, { bubbles: true, composed: true, detail: { event, start, end } })),
      });
    } catch (error) {
      // A refusal and the notice of it come in no certain order.
      await new Promise((resolve) => setTimeout(resolve, 50));
      if (signal.aborted) return;
      if (forbidden) return frame();
      console.error("Cupo:", error);
      apologize(texts.sorry);
    }
  }
}

if (!customElements.get("cupo-booking")) customElements.define("cupo-booking", Booking);

if (script.dataset.event) {
  const widget = document.createElement("cupo-booking");
  widget.setAttribute("event", script.dataset.event);
  if (script.dataset.link) widget.setAttribute("link", script.dataset.link);
  if (script.lang) widget.lang = script.lang;
  script.after(widget);
}
