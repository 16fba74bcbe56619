//! The widget in a page: its state as a signal, the view that follows it, and the effects of the reducer brought about.

use any_spawner::Executor;
use js_sys::{Array, Function};
use reactive_graph::owner::{LocalStorage, Owner, StoredValue};
use reactive_graph::prelude::*;
use reactive_graph::signal::RwSignal;
use tachys::view::{Mountable, Render};
use wasm_bindgen::prelude::*;
use web_sys::{Event, HtmlElement};

use crate::browser::{self, PageWords, later};
use crate::calendar::{DAY, Instant, Month, format_instant};
use crate::gesture::{self, Gesture};
use crate::json::Json;
use crate::model::{Appointment, BookingFailure, EventType, HoldFailure, read_series, read_slots};
use crate::node::Nodes;
use crate::request;
use crate::state::{Action, Effect, State, Target};
use crate::view;

/// Slots may start this long after the window's end in another zone, and the month around is in sight too.
const BEYOND_THE_WINDOW: Instant = 32 * DAY;

/// Until the list of zones is made: hundreds of names are of no use at first sight, and the first slots are.
const BEFORE_ZONES_MS: i32 = 300;

/// What `loader.js` hands over.
struct Page {
    element: HtmlElement,
    words: PageWords,
    /// `(method, path, body?, idempotency key?) => Promise<[status, json]>`; the promise never fails, and without an
    /// answer the status is 0.
    request: Function,
    /// `(name, start?, end?)`: an event on the element.
    emit: Function,
}

/// A handle on the mounted widget, free to copy.
#[derive(Clone, Copy)]
struct Widget {
    state: RwSignal<State>,
    page: StoredValue<Page, LocalStorage>,
}

/// Mounts the widget into an element and gives the function that takes it away again.
///
/// `options` is `{ eventType, slots, language, zone, weekStart, link, request, emit }`: the event type's answer, the
/// promise of the first slots in the shape of `request`, the language of dates as a BCP 47 tag, the visitor's IANA zone,
/// the first day of the week (0 is Monday), the secret of a single-use link (may be empty), and the two functions
/// described at `Page`. An error means that they are not of this version.
#[wasm_bindgen]
pub fn mount(element: HtmlElement, options: JsValue) -> Result<JsValue, JsValue> {
    let member = |key: &str| options.get(key).ok_or_else(|| JsValue::from_str(key));
    let event_type = member("eventType")?;
    let event = EventType { link: options.text("link"), ..EventType::read(&event_type).ok_or("eventType")? };
    let language = options.text("language");
    let week_start = member("weekStart")?.as_number().unwrap_or_default() as i32;
    let now = browser::present();
    let zone = browser::learn_zone(&options.text("zone"), now - DAY, event.window_end + BEYOND_THE_WINDOW);
    let page = Page {
        words: PageWords::new(event_type.get("strings").ok_or("strings")?, &language, week_start, &zone)?,
        request: member("request")?.dyn_into()?,
        emit: member("emit")?.dyn_into()?,
        element: element.clone(),
    };
    let first_slots = member("slots")?;
    let state = State::new(event, language, zone, now);
    let month = state.month;

    let _initialized = Executor::init_wasm_bindgen();
    let owner = Owner::new();
    let (widget, mut shown) = owner.with(|| {
        let widget = Widget { state: RwSignal::new(state), page: StoredValue::new_local(page) };
        (widget, (move || widget.nodes()).build())
    });
    shown.mount(&element, None);
    let listener = Closure::<dyn FnMut(Event)>::new(move |event| widget.hear(&event, week_start));
    for name in gesture::EVENTS {
        element.add_event_listener_with_callback(name, listener.as_ref().unchecked_ref())?;
    }
    widget.act_on(&first_slots, slots_answered(month, 0));
    later(BEFORE_ZONES_MS, Box::new(move || widget.send(Action::ListZones(browser::zone_names()))));
    Ok(Closure::once_into_js(move || {
        widget.send(Action::Close);
        shown.unmount();
        drop((owner, listener));
    }))
}

/// Reads what an answer means: its status, which is 0 when none came, and its JSON.
type Meaning = Box<dyn FnOnce(u16, &JsValue) -> Action>;

fn slots_answered(month: Month, wish: u32) -> Meaning {
    Box::new(move |status, json| Action::SlotsRead { month, wish, slots: read_slots(json).filter(|_| status == 200) })
}

impl Widget {
    /// What is to be seen, again whenever the state has changed.
    fn nodes(self) -> Nodes {
        self.page.with_value(|page| self.state.with(|state| view::widget(state, &page.words)))
    }

    /// Reads from the state as it is now.
    fn peek<T>(self, read: impl FnOnce(&State) -> T) -> T {
        self.state.with_untracked(read)
    }

    /// Changes the state. After the widget was taken away, nothing happens.
    fn send(self, action: Action) {
        for effect in self.state.try_update(|state| state.apply(action)).unwrap_or_default() {
            self.bring_about(effect);
        }
    }

    fn hear(self, event: &Event, week_start: i32) {
        match gesture::read(event, week_start) {
            Some(Gesture::Act(action)) => self.send(action),
            Some(Gesture::Relocate(name)) => {
                let until = self.peek(|state| state.event.window_end) + BEYOND_THE_WINDOW;
                let zone = browser::learn_zone(&name, browser::present() - DAY, until);
                self.send(Action::Relocate(zone));
            }
            None => {}
        }
    }

    fn bring_about(self, effect: Effect) {
        match effect {
            Effect::ReadSlots { month, wish } => {
                let path = self.peek(|state| request::slots_path(state, month));
                self.ask("GET", &path, "", "", slots_answered(month, wish));
            }
            Effect::ReadSeries(path) => {
                let asked = path.clone();
                let meaning = move |_, json: &_| Action::SeriesRead { path: asked, dates: read_series(json) };
                self.ask("GET", &path, "", "", Box::new(meaning));
            }
            Effect::Hold { start, replaces } => {
                let body = self.peek(|state| request::hold(state, start, &replaces.unwrap_or_default()));
                let meaning = move |status, json: &JsValue| match json.optional_text("hold") {
                    Some(token) if status < 300 => Action::Held { start, token },
                    _ => Action::HoldFailed { start, failure: HoldFailure::read(json) },
                };
                self.ask("POST", "/embed/v1/holds", &body, "", Box::new(meaning));
            }
            Effect::Release(token) => {
                let path = ["/embed/v1/holds/", &token].concat();
                self.ask("DELETE", &path, "", "", Box::new(|_, _| Action::Released));
            }
            Effect::Book { key, body } => {
                let meaning = |status, json: &_| match Appointment::read(json) {
                    Some(appointment) if (200..300).contains(&status) => Action::Booked(Box::new(appointment)),
                    _ => Action::BookingFailed(BookingFailure::read(status, json)),
                };
                self.ask("POST", "/embed/v1/appointments", &body, &key, Box::new(meaning));
            }
            Effect::ReadAppointment { token, after_ms, reads } => {
                let path = ["/embed/v1/appointments/", &token].concat();
                let meaning = move |_, json: &_| Action::AppointmentRead {
                    appointment: Appointment::read(json).map(Box::new),
                    reads,
                };
                later(after_ms, Box::new(move || self.ask("GET", &path, "", "", Box::new(meaning))));
            }
            Effect::Focus(target) => self.once_shown(selector(target), |element| {
                // Focus that the browser refuses stays where it is.
                let _refused = element.focus();
            }),
            Effect::Reveal => self.once_shown(".times".to_owned(), |element| browser::reveal(&element)),
            Effect::Ready => self.emit("ready", None),
            Effect::Booked => {
                self.emit("booked", self.peek(|state| state.appointment.as_ref().map(|it| (it.start, it.end))));
            }
        }
    }

    /// Does something with an element after the view has followed the state.
    fn once_shown(self, selector: String, then: fn(HtmlElement)) {
        let find = move || {
            let element = self.page.try_with_value(|page| page.element.query_selector(&selector));
            if let Some(Ok(Some(element))) = element {
                then(element.unchecked_into());
            }
        };
        later(0, Box::new(find));
    }

    /// Asks at once, for it may be the last thing that the widget does, and acts on the answer. Body and key may be empty.
    fn ask(self, method: &str, path: &str, body: &str, key: &str, meaning: Meaning) {
        let argument = |text: &str| if text.is_empty() { JsValue::UNDEFINED } else { text.into() };
        let arguments = [method, path, body, key].map(argument).into_iter().collect::<Array>();
        // The page is gone when the widget was taken away meanwhile.
        if let Some(Ok(promise)) = self.page.try_with_value(|page| page.request.apply(&JsValue::NULL, &arguments)) {
            self.act_on(&promise, meaning);
        }
    }

    /// Acts on an answer once it is there. Its promise never fails.
    fn act_on(self, promise: &JsValue, meaning: Meaning) {
        let act = move |pair: JsValue| {
            let pair = pair.items();
            let status = pair.first().and_then(Json::as_number).unwrap_or_default() as u16;
            self.send(meaning(status, pair.get(1).unwrap_or(&JsValue::NULL)));
        };
        browser::await_promise(promise, Box::new(act));
    }

    fn emit(self, name: &str, interval: Option<(Instant, Instant)>) {
        let instant = |at: Option<Instant>| at.map_or(JsValue::UNDEFINED, |at| format_instant(at).into());
        let (start, end) = interval.unzip();
        self.page.with_value(|page| {
            // A listener of the page that throws is the page's own affair.
            let _thrown = page.emit.call3(&JsValue::NULL, &name.into(), &instant(start), &instant(end));
        });
    }
}

fn selector(target: Target) -> String {
    match target {
        Target::Heading => "[data-heading]".to_owned(),
        Target::Notice => ".notice".to_owned(),
        Target::Field(field) => ["[data-field='", &field.0.to_string(), "']"].concat(),
        Target::Day(day) => ["[data-day='", &day.iso(), "']"].concat(),
        Target::Slot(start) => ["[data-start='", &format_instant(start), "']"].concat(),
    }
}
