/**
 * Cupo in a page: the types of what `embed.js` brings. Save this file beside your own types, or name its address in a
 * triple-slash reference; it declares globals and exports nothing.
 */

/** What is known of the visitor beforehand. Everything can be left out. */
interface CupoWishes {
  /** What stands in the form at first; the visitor sees it and can change it. */
  prefill?: {
    name?: string;
    email?: string;
    phone?: string;
    notes?: string;
    /** Answers to the event type's questions, by their ids; several for a question with several choices. */
    answers?: Record<string, string | string[]>;
  };
  /** Answers to questions that are then not asked, by their ids: hidden fields. */
  hidden?: Record<string, string | string[]>;
  /** Where the visitor came from. The `utm_…` of the page's own address are taken along in any case. */
  tracking?: Partial<Record<"utm_source" | "utm_medium" | "utm_campaign" | "utm_term" | "utm_content", string>>;
}

/** How the calendar looks and what it is for; the attributes of `<cupo-booking>` of the same names. */
interface CupoLook {
  /** A language, with or without a region: `es`, `pt-BR`. Without it the nearest `lang` around, then the browser's. */
  lang?: string;
  /** `auto` follows the system, `page` the colors around the calendar. */
  theme?: "light" | "dark" | "auto" | "page";
  /** How the first step shows free times. */
  view?: "month" | "week" | "list";
  /** The secret of a single-use link. */
  link?: string;
  /** The secret of an appointment, to show, move or cancel it instead of booking one. */
  manage?: string;
}

interface CupoOpenOptions extends CupoLook, CupoWishes {}

/** An appointment as the page hears of it: instants in RFC 3339, nothing personal. Of a series, the first one. */
interface CupoInterval {
  /** `org/slug`. */
  event: string;
  start: string;
  end: string;
}

/** What is told, by name; all bubble up to the document, out of shadow roots too. */
interface CupoEvents {
  /** The first free times are in sight, or the sentence that there are none. */
  "cupo:ready": { event: string };
  /** `day` as `2026-11-23`, in the visitor's zone. */
  "cupo:day-selected": { event: string; day: string };
  "cupo:slot-selected": { event: string; start: string };
  /** Booked, or asked for where a host has to agree. */
  "cupo:booked": CupoInterval;
  "cupo:rescheduled": CupoInterval;
  "cupo:cancelled": CupoInterval;
  /** `not-found`, `unreachable`, `refused`, `blocked`, `failed`, or the code of a problem of the embed API. */
  "cupo:error": { event: string; code: string };
}

interface CupoApi {
  /** Opens the calendar of `org/slug` in a popup; one at a time. The element in the popup is the answer. */
  open(event: string, options?: CupoOpenOptions): Promise<CupoBookingElement>;
  /** Closes the popup, if one is open. */
  close(): Promise<void>;
  /** Hears what any calendar of the page tells; gives the function that ends it. */
  on<Name extends keyof CupoEvents>(
    name: Name,
    listener: (detail: CupoEvents[Name], event: CustomEvent<CupoEvents[Name]>) => void,
  ): () => void;
  /** Runs each function at once; before the script is there, an array in its place keeps them for it. */
  push(...calls: ((cupo: CupoApi) => void)[]): void;
}

/** `<cupo-booking event="org/slug">`. */
interface CupoBookingElement extends HTMLElement {
  /** As the attributes `prefill-…`, `hidden-…` and `utm-…`; read when the calendar begins. */
  options?: CupoWishes;
}

/** The attributes of `<cupo-booking>`, for the JSX of a framework. */
interface CupoBookingAttributes extends CupoLook {
  /** `org/slug`. */
  event: string;
  /** As high as the window, for a page that holds nothing else. */
  "full-page"?: boolean | "";
  options?: CupoWishes;
  [wish: `prefill-${string}` | `hidden-${string}` | `utm-${string}`]: string;
}

interface Window {
  /** Before the script is there: `(window.Cupo ??= []).push((cupo) => …)`. */
  Cupo: CupoApi;
}

declare var Cupo: CupoApi;

interface HTMLElementTagNameMap {
  "cupo-booking": CupoBookingElement;
}

interface GlobalEventHandlersEventMap {
  "cupo:ready": CustomEvent<CupoEvents["cupo:ready"]>;
  "cupo:day-selected": CustomEvent<CupoEvents["cupo:day-selected"]>;
  "cupo:slot-selected": CustomEvent<CupoEvents["cupo:slot-selected"]>;
  "cupo:booked": CustomEvent<CupoEvents["cupo:booked"]>;
  "cupo:rescheduled": CustomEvent<CupoEvents["cupo:rescheduled"]>;
  "cupo:cancelled": CustomEvent<CupoEvents["cupo:cancelled"]>;
  "cupo:error": CustomEvent<CupoEvents["cupo:error"]>;
}
