// The ways to embed that not every page uses: the popup, the floating button, and the public page in a frame where the page's
// policy forbids WebAssembly. `loader.js` brings this module when one of them is used and hands over what it has already.

/** What the calendar is called, what closes it, and that it is not there, by language. */
const TEXTS = {
  en: ["Book an appointment", "Close", "This calendar is not available."],
  es: ["Reservar una cita", "Cerrar", "Este calendario no está disponible."],
  pt: ["Agendar um horário", "Fechar", "Este calendário não está disponível."],
  fr: ["Prendre rendez-vous", "Fermer", "Ce calendrier n’est pas disponible."],
  de: ["Termin buchen", "Schließen", "Dieser Kalender ist nicht verfügbar."],
  it: ["Prenota un appuntamento", "Chiudi", "Questo calendario non è disponibile."],
  ar: ["حجز موعد", "إغلاق", "هذا التقويم غير متاح."],
};

/** What a frame may tell; its height is no event of the page. */
const TOLD = ["ready", "booked", "rescheduled", "cancelled"];
const LEAST_HEIGHT = 200;
const GREATEST_HEIGHT = 20_000;

// The page's rules reach neither of the two, for each lives in a shadow root; the hosts have no box of their own.
const SHARED = `
:host{all:initial!important;display:contents!important}
button{all:unset;box-sizing:border-box;cursor:pointer;-webkit-tap-highlight-color:transparent}
button:focus-visible{outline:2px solid var(--ring);outline-offset:2px}
.room{color-scheme:light dark;font:16px/1.5 var(--cupo-font,system-ui,sans-serif);
--ground:var(--cupo-ground,#fff);--ink:var(--cupo-ink,#16211e);--ring:var(--cupo-accent,#0c6b5a)}
.room[data-theme=light]{color-scheme:light}
.room[data-theme=dark]{color-scheme:dark;--ground:var(--cupo-ground-dark,#141a19);--ink:var(--cupo-ink-dark,#e9efed);
--ring:var(--cupo-accent-dark,var(--cupo-accent,#6ed3ba))}
@media (prefers-color-scheme:dark){.room:not([data-theme=light]){--ground:var(--cupo-ground-dark,#141a19);
--ink:var(--cupo-ink-dark,#e9efed);--ring:var(--cupo-accent-dark,var(--cupo-accent,#6ed3ba))}}`;

const POPUP = `
dialog{box-sizing:border-box;position:fixed;inset:0;margin:auto;padding:0;border:0;width:min(1080px,100vw - 48px);height:fit-content;
max-width:none;max-height:none;overflow:visible;background:none}
dialog::backdrop{background:rgb(12 20 18/.6)}
.sheet{max-height:calc(100vh - 136px);max-height:calc(100dvh - 136px);overflow:auto;overscroll-behavior:contain;
border-radius:var(--cupo-radius,16px);background:var(--ground);color:var(--ink);box-shadow:0 24px 80px -16px rgb(0 0 0/.45)}
.close{position:absolute;inset-block-start:-54px;inset-inline-end:0;width:44px;height:44px;border-radius:50%;display:grid;
place-content:center;background:var(--ground);color:var(--ink);box-shadow:0 1px 4px rgb(0 0 0/.2)}
.close:hover{background:color-mix(in srgb,var(--ink) 10%,var(--ground))}
.close svg{width:20px;height:20px;fill:none;stroke:currentColor;stroke-width:1.8;stroke-linecap:round}
cupo-booking{--cupo-radius:0px}
cupo-booking::part(card){border:0;border-radius:0}
@media (max-width:640px){dialog{width:100%;height:100vh;height:100dvh}
.sheet{height:100%;max-height:none;border-radius:0;box-shadow:none}
.close{inset-block-start:8px;inset-inline-end:8px;background:color-mix(in srgb,var(--ink) 7%,var(--ground));box-shadow:none}
cupo-booking::part(title){padding-inline-end:44px}}
@media (prefers-reduced-motion:no-preference){
dialog[open]{animation:rise .22s cubic-bezier(.2,.8,.2,1)}dialog[open]::backdrop{animation:fade .22s ease-out}
@keyframes rise{from{opacity:0;transform:translateY(16px)}}@keyframes fade{from{opacity:0}}}
@media (forced-colors:active){.sheet,.close{border:1px solid CanvasText}}`;

const FLOATING = `
.open{position:fixed;inset-block-end:max(24px,env(safe-area-inset-bottom));z-index:2147483000;max-width:calc(100vw - 48px);min-height:52px;
padding:12px 24px 12px 20px;display:flex;align-items:center;gap:10px;border-radius:999px;font-weight:600;
background:var(--cupo-accent,#0c6b5a);color:#fff;color:oklch(from var(--cupo-accent,#0c6b5a) clamp(0,(.57 - l)*1000,1) 0 0);
box-shadow:0 2px 6px rgb(0 0 0/.16),0 12px 32px -8px rgb(0 0 0/.36)}
.open[dir=rtl]{padding:12px 20px 12px 24px}
.open[data-side=right]{right:max(24px,env(safe-area-inset-right))}.open[data-side=left]{left:max(24px,env(safe-area-inset-left))}
.open svg{flex:none;width:22px;height:22px;fill:none;stroke:currentColor;stroke-width:1.7;stroke-linecap:round;stroke-linejoin:round}
button.open:focus-visible{outline:3px solid color-mix(in srgb,var(--cupo-accent,#0c6b5a) 60%,CanvasText);outline-offset:3px}
@media (hover:hover){.open:hover{filter:brightness(1.08)}}
@media (max-width:640px){.open{inset-block-end:max(16px,env(safe-area-inset-bottom))}
.open[data-side=right]{right:16px}.open[data-side=left]{left:16px}}
@media (forced-colors:active){.open{border:2px solid ButtonText}}
@media print{.open{display:none}}`;

/** The attributes of a widget that an opener may name. */
const WIDGETS_OWN = /^(lang|link|theme|view|manage|(prefill|hidden|utm)-.+)$/;

const CROSS = "M6 6l12 12M18 6L6 18";
const CALENDAR = "M7 3v3M17 3v3M4 9h16M6 5h12a2 2 0 0 1 2 2v11a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2V7a2 2 0 0 1 2-2z";

const icon = (outline) => {
  const [svg, path] = ["svg", "path"].map((tag) => document.createElementNS("http://www.w3.org/2000/svg", tag));
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", outline);
  svg.append(path);
  return svg;
};

export default ({ base, code, element, languageOf, sheet, style }) => {
  const sheets = {};
  const sheetOf = (text) => (sheets[text] ??= sheet(SHARED + text));

  /** A host without a box at the end of the page, with a shadow root of its own. */
  const room = (look, node) => {
    const host = document.createElement("div");
    const root = host.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [sheetOf(look)];
    root.append(node);
    (document.body ?? document.documentElement).append(host);
    return host;
  };

  /**
   * What is asked for as attributes of the widget: of an element those that begin with `data-cupo-`. No others: what a page
   * lets strangers write may hold data attributes, and must not become a handler or a style.
   */
  const attributesOf = (options) => {
    const named =
      options instanceof Element
        ? [...options.attributes].filter(({ name }) => name.startsWith("data-cupo-")).map(({ name, value }) => [name.slice(10), value])
        : Object.entries(options);
    return named.filter(([name]) => WIDGETS_OWN.test(name));
  };

  let shown;

  /** Opens the popup; a promise that it is there. One at a time: an open one is closed first. */
  const open = (event, options = {}) => {
    close();
    const isElement = options instanceof Element;
    const opener = isElement ? options : document.activeElement;
    const widget = element("cupo-booking", isElement ? {} : { options });
    widget.setAttribute("event", event);
    for (const [name, value] of attributesOf(options)) if (value != null) widget.setAttribute(name, value);
    const [language] = languageOf(widget.lang ? widget : opener);
    widget.lang ||= languageOf(opener)[1];
    const button = element("button", { type: "button", className: "close" }, icon(CROSS));
    const dialog = element("dialog", { className: "room" }, button, element("div", { className: "sheet" }, widget));
    button.setAttribute("aria-label", TEXTS[language][1]);
    dialog.setAttribute("aria-label", TEXTS[language][0]);
    dialog.dir = language === "ar" ? "rtl" : "ltr";
    dialog.dataset.theme = widget.getAttribute("theme") ?? "auto";
    button.onclick = close;
    // What the organization has chosen is known with the first view.
    widget.addEventListener("cupo:ready", () => {
      const frame = widget.shadowRoot.querySelector(".cupo");
      if (frame) dialog.dataset.theme = frame.dataset.theme;
    });
    // A press that began inside and ends beside the popup, as when text is marked, closes nothing.
    let beganBeside = false;
    dialog.addEventListener("pointerdown", (press) => {
      beganBeside = press.target === dialog && isBeside(dialog, press);
    });
    dialog.addEventListener("click", (press) => {
      if (beganBeside && press.target === dialog && isBeside(dialog, press)) close();
    });
    dialog.onclose = close;

    const page = document.documentElement;
    const before = [page.style.overflow, page.style.scrollbarGutter];
    // The page stays where it is, and does not become wider by its scroll bar.
    if (innerWidth > page.clientWidth) page.style.scrollbarGutter = "stable";
    page.style.overflow = "hidden";
    const host = room(POPUP, dialog);
    shown = () => {
      [page.style.overflow, page.style.scrollbarGutter] = before;
      dialog.onclose = null;
      dialog.close();
      host.remove();
      if (opener?.isConnected) opener.focus({ preventScroll: true });
    };
    dialog.showModal();
    return widget;
  };

  const isBeside = (dialog, { clientX, clientY }) => {
    const { left, right, top, bottom } = dialog.getBoundingClientRect();
    return clientX < left || clientX > right || clientY < top || clientY > bottom;
  };

  const close = () => {
    const end = shown;
    shown = undefined;
    end?.();
  };

  /** The button that stays in sight, as the script tag asks for it. */
  const floating = async (script) => {
    const { floating: event, text, side, accent } = script.dataset;
    if (document.readyState === "loading") await new Promise((resolve) => document.addEventListener("DOMContentLoaded", resolve));
    const [language, tag] = languageOf(script);
    const button = element("button", { type: "button", className: "open room" }, icon(CALENDAR), text || TEXTS[language][0]);
    button.setAttribute("aria-haspopup", "dialog");
    button.dir = language === "ar" ? "rtl" : "ltr";
    // Where reading begins on the right, the hand expects it on the left.
    button.dataset.side = side === "left" || side === "right" ? side : language === "ar" ? "left" : "right";
    if (accent) button.style.setProperty("--cupo-accent", accent);
    const ignored = ["data-floating", "data-text", "data-side", "data-accent"];
    const wishes = [...script.attributes].filter(({ name }) => name.startsWith("data-") && !ignored.includes(name));
    const options = { lang: tag, ...Object.fromEntries(wishes.map(({ name, value }) => [name.slice(5), value])) };
    button.onclick = () => open(event, options);
    button.onpointerenter = button.onfocus = () => {
      for (const load of [code, style]) load().catch(() => {});
    };
    return room(FLOATING, button);
  };

  /**
   * The public page in a frame that takes the height of its content and tells what happens in it. What is known of the visitor
   * goes through its channel, so that it stands in no address; an appointment to manage has a page of its own.
   */
  const inFrame = (page, { manage, ...wishes }, language, show, emit, signal) => {
    const address = manage ? `${base}/manage/${encodeURIComponent(manage)}?lang=${language}` : page;
    const frame = element("iframe", { src: `${address}&embed=1`, title: TEXTS[language][0] });
    frame.style.cssText = "display:block;width:100%;height:820px;border:0";
    // A page that is loaded anew tells the same again.
    let last;
    // Each document of the frame gets a channel that only it can use; no window of another origin gets one.
    frame.onload = () => {
      const { port1, port2 } = new MessageChannel();
      signal.addEventListener("abort", () => port1.close());
      port1.onmessage = ({ data }) => {
        const { name, detail } = data ?? {};
        if (name === "height" && detail >= LEAST_HEIGHT && detail <= GREATEST_HEIGHT) frame.style.height = `${Math.ceil(detail)}px`;
        else if (TOLD.includes(name) && JSON.stringify(data) !== last) {
          last = JSON.stringify(data);
          emit(name, detail);
        }
      };
      frame.contentWindow.postMessage("cupo:frame", new URL(base).origin, [port2]);
      // As a text: what a framework watches over cannot be handed over as it is.
      port1.postMessage(JSON.stringify(wishes));
    };
    show(frame);
  };

  /** For the theme `page`: the colors around the calendar, again when they change with the system's. */
  const takeColors = (widget, frame, signal) => {
    const take = () => {
      let ground = "Canvas";
      for (let node = widget; node; node = node.parentNode ?? node.host) {
        const color = node instanceof Element ? getComputedStyle(node).backgroundColor : "";
        if (color && !/rgba|\/|transparent/.test(color)) {
          ground = color;
          break;
        }
      }
      frame.style.setProperty("--page-ground", ground);
      frame.style.setProperty("--page-ink", getComputedStyle(widget).color);
    };
    take();
    matchMedia("(prefers-color-scheme:dark)").addEventListener("change", take, { signal });
  };

  return { open, close, floating, inFrame, takeColors, gone: (language) => TEXTS[language][2] };
};
