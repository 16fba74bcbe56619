//! The widget in a page: its state as a signal, the view that follows it, and the effects of the reducer brought about.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;

use js_sys::{Array, Function, Promise};
use leptos::mount::mount_to_renderer;
use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Event, HtmlElement};

use crate::browser::{self, PageWords};
use crate::calendar::{DAY, Instant, Month, format_instant};
use crate::gesture::{self, Gesture};
use crate::json::Json;
use crate::model::{Appointment, BookingFailure, EventType, HoldFailure, read_slots};
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
/// `options` is `{ eventType, slots, language, zone, weekStart, request, emit }`: the event type's answer, the promise of
/// the first slots in the shape of `request`, the language of dates as a BCP 47 tag, the visitor's IANA zone, the first
/// day of the week (0 is Monday), and the two functions described at `Page`. An error means that they are not of this
/// version.
#[wasm_bindgen]
pub fn mount(element: HtmlElement, options: JsValue) -> Result<JsValue, JsValue> {
    let member = |key: &str| options.get(key).ok_or_else(|| JsValue::from_str(key));
    let event_type = member("eventType")?;
    let event = EventType::read(&event_type).ok_or("eventType")?;
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
    let first_slots: Promise = member("slots")?.dyn_into()?;
    let state = State::new(event, language, zone, now);
    let month = state.month;

    let mounted = Rc::new(Cell::new(None));
    let mounting = mounted.clone();
    let handle = mount_to_renderer(&element, move || {
        let widget = Widget { state: RwSignal::new(state), page: StoredValue::new_local(page) };
        mounting.set(Some(widget));
        move || widget.nodes()
    });
    let widget: Widget = mounted.get().ok_or("mount")?;
    let listener = Closure::<dyn FnMut(Event)>::new(move |event| widget.hear(&event, week_start));
    for name in gesture::EVENTS {
        element.add_event_listener_with_callback(name, listener.as_ref().unchecked_ref())?;
    }
    run(async move {
        let (status, json) = answer(JsFuture::from(first_slots).await);
        widget.slots_answered(month, status, &json);
    });
    run(async move {
        browser::pause(BEFORE_ZONES_MS).await;
        widget.send(Action::ListZones(browser::zone_names()));
    });
    Ok(Closure::once_into_js(move || {
        widget.send(Action::Close);
        drop((handle, listener));
    }))
}

/// Runs a future; boxed, so that the code that runs futures is in the bundle once.
fn run(future: impl Future<Output = ()> + 'static) {
    let future: Pin<Box<dyn Future<Output = ()>>> = Box::pin(future);
    spawn_local(future);
}

/// A status and a JSON value; status 0 when no answer came.
type Answer = (u16, JsValue);

fn answer(settled: Result<JsValue, JsValue>) -> Answer {
    let parts = settled.map(|pair| pair.items()).unwrap_or_default();
    let status = parts.first().and_then(|status| status.as_number()).unwrap_or_default() as u16;
    (status, parts.into_iter().nth(1).unwrap_or(JsValue::NULL))
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
            Effect::ReadSlots(month) => {
                let path = self.peek(|state| request::slots_path(&state.event, month));
                run(async move {
                    let (status, json) = self.request("GET", &path, None, None).await;
                    self.slots_answered(month, status, &json);
                });
            }
            Effect::Hold { start, replaces } => {
                let body = self.peek(|state| request::hold(&state.event, start, replaces.as_deref()));
                run(async move {
                    let (status, json) = self.request("POST", "/embed/v1/holds", Some(&body), None).await;
                    self.send(match json.optional_text("hold") {
                        Some(token) if status < 300 => Action::Held { start, token },
                        _ => Action::HoldFailed { start, failure: HoldFailure::read(&json) },
                    });
                });
            }
            Effect::Release(token) => {
                // Asked at once: it may be the last thing that the widget does.
                let released = self.request("DELETE", &["/embed/v1/holds/", &token].concat(), None, None);
                run(async move {
                    released.await;
                    self.send(Action::Released);
                });
            }
            Effect::Book { key, body } => run(async move {
                let (status, json) = self.request("POST", "/embed/v1/appointments", Some(&body), Some(&key)).await;
                self.send(match Appointment::read(&json) {
                    Some(appointment) if (200..300).contains(&status) => Action::Booked(Box::new(appointment)),
                    _ => Action::BookingFailed(BookingFailure::read(status, &json)),
                });
            }),
            Effect::ReadAppointment { token, after_ms, reads } => run(async move {
                browser::pause(after_ms).await;
                let (_, json) = self.request("GET", &["/embed/v1/appointments/", &token].concat(), None, None).await;
                let appointment = Appointment::read(&json).map(Box::new);
                self.send(Action::AppointmentRead { appointment, reads });
            }),
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

    fn slots_answered(self, month: Month, status: u16, json: &JsValue) {
        self.send(match read_slots(json) {
            Some(starts) if status == 200 => Action::SlotsRead { month, starts },
            _ => Action::SlotsFailed { month },
        });
    }

    /// Does something with an element after the view has followed the state.
    fn once_shown(self, selector: String, then: fn(HtmlElement)) {
        run(async move {
            browser::pause(0).await;
            let element = self.page.try_with_value(|page| page.element.query_selector(&selector));
            if let Some(Ok(Some(element))) = element {
                then(element.unchecked_into());
            }
        });
    }

    /// Asks at once; gives the status and the JSON of the answer, status 0 when none came.
    fn request(
        self,
        method: &str,
        path: &str,
        body: Option<&str>,
        key: Option<&str>,
    ) -> impl Future<Output = Answer> + use<> {
        let optional = |text: Option<&str>| text.map_or(JsValue::UNDEFINED, JsValue::from_str);
        let arguments = [method.into(), path.into(), optional(body), optional(key)].into_iter().collect::<Array>();
        // The page is gone when the widget was taken away meanwhile.
        let asked = self.page.try_with_value(|page| page.request.apply(&JsValue::NULL, &arguments));
        let promise = asked.and_then(Result::ok).and_then(|promise| promise.dyn_into::<Promise>().ok());
        async move {
            match promise {
                Some(promise) => answer(JsFuture::from(promise).await),
                None => (0, JsValue::NULL),
            }
        }
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
        Target::Field(field) => ["#", field.name()].concat(),
        Target::Day(day) => ["[data-day='", &day.iso(), "']"].concat(),
        Target::Slot(start) => ["[data-start='", &format_instant(start), "']"].concat(),
    }
}
