//! The widget in a page: its state, the view that follows it, and the effects of the reducer brought about.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{Array, Function, Object, Reflect};
use wasm_bindgen::prelude::*;
use web_sys::HtmlElement;

use crate::browser::{self, PageWords, later};
use crate::calendar::{DAY, Instant, MINUTE, Month, format_instant};
use crate::gesture;
use crate::json::Json;
use crate::model::{Appointment, BookingFailure, EventType, HoldFailure, read_series, read_slots};
use crate::render::AllShown;
use crate::request;
use crate::state::{self, Action, Effect, Event, Kept, Notice, State, Step, Target, Visitor, Wishes};
use crate::strings::{concat, decimal};
use crate::view;
use crate::zone::{BEYOND_THE_WINDOW, ZoneChoice};

/// After so long a wait says that it takes long.
const SLOW_MS: i32 = 5_000;

struct Inner {
    state: RefCell<State>,
    /// Under what the tab's session keeps something, what it keeps, and the last wait that is watched.
    session: String,
    kept: RefCell<String>,
    watched: Cell<Option<u32>>,
    /// The page is behind the state.
    is_stale: Cell<bool>,
    /// The widget was taken away.
    is_closed: Cell<bool>,
    shown: RefCell<AllShown>,
    words: PageWords,
    element: HtmlElement,
    /// `(method, path, body?, idempotency key?) => Promise<[status, json]>`; the promise never fails, and without an
    /// answer the status is 0.
    request: Function,
    /// `(name, detail)`: an event on the element.
    emit: Function,
}

/// A handle on the mounted widget.
#[derive(Clone)]
struct Widget(Rc<Inner>);

/// Prepares the widget and gives the function that mounts it into an element, which gives the one that takes it away again: on a
/// slow machine both at once would keep the visitor waiting. What the element holds already, the markup that came with the first
/// view, is taken over: elements stay where they are what the widget shows.
///
/// `options` is `{ first, language, zone, link, place, request, emit, options }`: the answer of `/embed/v1/first`, the language
/// of dates as a BCP 47 tag, the visitor's IANA zone, the secret of a single-use link (may be empty), what tells this widget from
/// the others of the page and is the same when the page is loaded again, the two functions described at `Inner`, and what the
/// page wishes (`Wishes::read`). An error means that they are not of this version.
#[wasm_bindgen]
pub fn prepare(options: JsValue) -> Result<JsValue, JsValue> {
    let member = |key: &str| options.get(key).ok_or_else(|| JsValue::from_str(key));
    let first = member("first")?;
    let (request, emit) = (member("request")?.dyn_into()?, member("emit")?.dyn_into()?);
    let (language, zone) = (options.text("language"), options.text("zone"));
    let now = browser::present();
    let visitor = Visitor { language: language.clone(), zone, link: options.text("link"), now };
    let session = concat(&["cupo:", &options.text("place")]);
    let wishes = |event: &EventType| {
        let kept = browser::kept(&session).and_then(|kept| Kept::read(&kept, event));
        Wishes { kept, ..Wishes::read(&options.get("options").unwrap_or(JsValue::UNDEFINED), event) }
    };
    let (state, effects) = state::open(&first, visitor, browser::learn_zone, wishes).ok_or("first")?;
    let strings = first.get("event_type").and_then(|event_type| event_type.get("strings")).ok_or("strings")?;
    // Where browsers write otherwise than the server, both write as it says.
    let dates = first.optional_text("dates").unwrap_or(language);
    let words = PageWords::new(strings, &dates, &state.zone)?;
    Ok(Closure::once_into_js(move |element: HtmlElement| {
        let shown = AllShown::take_over(element.clone().unchecked_into(), view::widget(&state, &words));
        let widget = Widget(Rc::new(Inner {
            state: RefCell::new(state),
            session,
            kept: RefCell::default(),
            watched: Cell::new(None),
            is_stale: Cell::new(false),
            is_closed: Cell::new(false),
            shown: RefCell::new(shown),
            words,
            element,
            request,
            emit,
        }));
        widget.begin(effects)
    }))
}

/// Reads what an answer means: its status, which is 0 when none came, and its JSON.
type Meaning = Box<dyn FnOnce(u16, &JsValue) -> Action>;

fn slots_answered(month: Month, wish: u32) -> Meaning {
    Box::new(move |status, json| Action::SlotsRead { month, wish, slots: read_slots(json).filter(|_| status == 200) })
}

impl Widget {
    /// Hears what happens, and does what there is to do at first. Gives the function that takes the widget away.
    fn begin(self, effects: Vec<Effect>) -> JsValue {
        let hearing = self.clone();
        let listener = Closure::<dyn FnMut(web_sys::Event)>::new(move |event| hearing.hear(&event));
        for name in gesture::EVENTS {
            browser::listen(&self.0.element, name, listener.as_ref());
        }
        for name in gesture::WINDOW_EVENTS {
            browser::listen_to_window(name, listener.as_ref(), true);
        }
        self.bring_about(effects);
        self.send(Action::Begin);
        self.watch_the_clock();
        Closure::once_into_js(move || {
            self.close();
            for name in gesture::WINDOW_EVENTS {
                browser::leave_window(name, listener.as_ref(), true);
            }
            drop(listener);
        })
    }

    /// Reads from the state as it is now.
    fn peek<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.0.state.borrow())
    }

    /// Changes the state, and the page after it. After the widget was taken away, nothing happens but that a slot is not kept for
    /// nobody.
    fn send(&self, action: Action) {
        if self.0.is_closed.get() {
            if let Action::Held { token, .. } = action {
                self.bring_one_about(Effect::Release(token));
            }
        } else {
            let effects = self.0.state.borrow_mut().apply(action);
            self.show();
            self.bring_about(effects);
            self.look_after();
        }
    }

    /// Keeps what must outlive a reload, and watches what the visitor waits for.
    fn look_after(&self) {
        let (kept, wait) = self.peek(|state| (state.kept(), state.wait()));
        if *self.0.kept.borrow() != kept {
            browser::keep(&self.0.session, &kept);
            self.0.kept.replace(kept);
        }
        if let Some(wait) = wait
            && self.0.watched.replace(Some(wait)) != Some(wait)
        {
            self.send_later(SLOW_MS, Action::Slow(wait));
        }
    }

    /// Does something after so long, unless the widget was taken away: none stays in memory for what it waited for.
    fn do_later(&self, after_ms: i32, act: Box<dyn FnOnce(&Self)>) {
        let widget = Rc::downgrade(&self.0);
        let act = move || {
            if let Some(inner) = widget.upgrade() {
                act(&Self(inner));
            }
        };
        later(after_ms, Box::new(act));
    }

    fn send_later(&self, after_ms: i32, action: Action) {
        self.do_later(after_ms, Box::new(move |widget| widget.send(action)));
    }

    /// Tells the state each minute what time it is, as long as the page is in sight.
    fn watch_the_clock(&self) {
        let look = |widget: &Self| {
            if !widget.0.element.get("ownerDocument").is_some_and(|page| page.flag("hidden")) {
                widget.send(Action::Look(browser::present()));
            }
            widget.watch_the_clock();
        };
        self.do_later(MINUTE as i32, Box::new(look));
    }

    /// Brings the page after the state. What the page tells while it is being changed, such as that a field that goes has
    /// lost the focus, may change the state once more.
    fn show(&self) {
        self.0.is_stale.set(true);
        let Ok(mut shown) = self.0.shown.try_borrow_mut() else { return };
        while self.0.is_stale.replace(false) {
            let nodes = self.peek(|state| view::widget(state, &self.0.words));
            shown.change(nodes);
        }
    }

    fn close(&self) {
        self.send(Action::Close);
        self.0.is_closed.set(true);
        if let Ok(mut shown) = self.0.shown.try_borrow_mut() {
            shown.clear();
        }
    }

    fn hear(&self, event: &web_sys::Event) {
        match gesture::read(event) {
            // Where nothing is typed, presses are nobody's affair.
            Some(Action::Press(_)) if self.peek(|state| state.step == Step::Pick) => {}
            // The click comes after it.
            Some(action @ Action::Press(false)) => self.send_later(0, action),
            Some(action) => {
                // The page may have slept until now.
                if matches!(action, Action::Online(true)) {
                    self.send(Action::Look(browser::present()));
                }
                self.send(action);
            }
            None => {}
        }
    }

    fn bring_about(&self, effects: Vec<Effect>) {
        effects.into_iter().for_each(|effect| self.bring_one_about(effect));
    }

    fn bring_one_about(&self, effect: Effect) {
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
                let body = self.peek(|state| request::hold(state, start, &replaces));
                let meaning = move |status, json: &JsValue| match json.optional_text("hold") {
                    Some(token) if status < 300 => {
                        let seconds = json.number("expires_in").unwrap_or_default();
                        Action::Held { start, token, until: browser::present() + seconds as Instant * 1_000 }
                    }
                    _ => Action::HoldFailed { start, failure: HoldFailure::read(json) },
                };
                self.ask("POST", "/embed/v1/holds", &body, "", Box::new(meaning));
            }
            Effect::Release(token) => {
                let path = concat(&["/embed/v1/holds/", &token]);
                self.ask("DELETE", &path, "", "", Box::new(|_, _| Action::Released));
            }
            Effect::Book { key, body } => {
                let meaning = |status, json: &_| match Appointment::read(json) {
                    Some(appointment) if (200..300).contains(&status) => Action::Booked(Box::new(appointment)),
                    _ => Action::BookingFailed(BookingFailure::read(status, json)),
                };
                self.ask("POST", "/embed/v1/appointments", &body, &key, Box::new(meaning));
            }
            Effect::Change { path, body } => {
                let meaning = |status, json: &_| match Appointment::read(json) {
                    Some(appointment) if status == 200 => Action::Changed(Box::new(appointment)),
                    _ => Action::BookingFailed(BookingFailure::read(status, json)),
                };
                self.ask("POST", &path, &body, "", Box::new(meaning));
            }
            Effect::WakeAt(at) => {
                let after = (at - browser::present()).clamp(0, i32::MAX.into());
                self.do_later(after as i32, Box::new(|widget| widget.send(Action::Woken(browser::present()))));
            }
            Effect::ReadAppointment { token, after_ms, reads, change } => {
                let path = concat(&["/embed/v1/appointments/", &token]);
                let meaning = move |status, json: &_| Action::AppointmentRead {
                    appointment: Appointment::read(json).map(Box::new).ok_or(Notice::of(status)),
                    reads,
                    change,
                };
                let ask = move |widget: &Self| widget.ask("GET", &path, "", "", Box::new(meaning));
                self.do_later(after_ms, Box::new(ask));
            }
            Effect::ReadZones(now) => self.read_zones(now, Vec::new()),
            Effect::LearnZone(name) => {
                let until = self.peek(|state| state.event.window_end) + BEYOND_THE_WINDOW;
                self.send(Action::Relocate(browser::learn_zone(&name, browser::present() - DAY, until)));
            }
            Effect::Focus(target) => self.once_shown(selector(target), |element| {
                // Focus that the browser refuses stays where it is.
                let _refused = element.focus();
            }),
            Effect::Reveal => self.once_shown(".times".to_owned(), |element| browser::reveal(&element)),
            Effect::RevealZone => {
                self.once_shown("[data-zone][aria-selected]".to_owned(), |element| browser::reveal(&element))
            }
            Effect::Tell(event) => self.tell(event),
        }
    }

    /// Finds out about the zones after those that are known, some at a time: each costs about a millisecond.
    fn read_zones(&self, now: Instant, mut zones: Vec<ZoneChoice>) {
        let read = move |widget: &Self| match browser::read_zones(now, &mut zones) {
            true => widget.send(Action::ZonesRead(zones)),
            false => widget.read_zones(now, zones),
        };
        self.do_later(0, Box::new(read));
    }

    /// Does something with an element in a task of its own: what caused it is over then, whatever it did to the focus.
    fn once_shown(&self, selector: String, then: fn(HtmlElement)) {
        let find = move |widget: &Self| {
            if let Ok(Some(element)) = widget.0.element.query_selector(&selector) {
                then(element.unchecked_into());
            }
        };
        self.do_later(0, Box::new(find));
    }

    /// Asks at once, for it may be the last thing that the widget does, and acts on the answer. Body and key may be empty.
    fn ask(&self, method: &str, path: &str, body: &str, key: &str, meaning: Meaning) {
        let argument = |text: &str| if text.is_empty() { JsValue::UNDEFINED } else { text.into() };
        let arguments = [method, path, body, key].map(argument).into_iter().collect::<Array>();
        if let Ok(promise) = self.0.request.apply(&JsValue::NULL, &arguments) {
            let widget = self.clone();
            // The promise never fails.
            let act = move |pair: JsValue| {
                let pair = pair.items();
                let status = pair.first().and_then(Json::as_number).unwrap_or_default() as u16;
                widget.send(meaning(status, pair.get(1).unwrap_or(&JsValue::NULL)));
            };
            browser::await_promise(&promise, Box::new(act));
        }
    }

    fn tell(&self, event: Event) {
        let detail = Object::new();
        let set = |name: &str, text: String| {
            // An object that was just made takes any member.
            let _set = Reflect::set(&detail, &name.into(), &text.into());
        };
        match event {
            Event::Ready => {}
            Event::DaySelected(day) => set("day", day.iso()),
            Event::SlotSelected(start) => set("start", format_instant(start)),
            Event::Booked { start, end } | Event::Rescheduled { start, end } | Event::Cancelled { start, end } => {
                set("start", format_instant(start));
                set("end", format_instant(end));
            }
            Event::Error(code) => set("code", code.to_owned()),
        }
        // A listener of the page that throws is the page's own affair.
        let _thrown = self.0.emit.call2(&JsValue::NULL, &event.name().into(), &detail);
    }
}

fn selector(target: Target) -> String {
    match target {
        Target::Heading => "[data-heading]".to_owned(),
        Target::Notice => ".notice".to_owned(),
        Target::Field(field) => concat(&["[data-field='", &decimal(field.0 as u32), "']"]),
        Target::Day(day) => concat(&["[data-day='", &day.iso(), "']"]),
        Target::Slot(start) => concat(&["[data-start='", &format_instant(start), "']"]),
        Target::Month => "#month".to_owned(),
        Target::Zone => "[data-press=zones]".to_owned(),
        Target::ZoneSearch => "[role=combobox]".to_owned(),
    }
}
