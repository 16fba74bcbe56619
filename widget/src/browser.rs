//! What the widget takes from the browser: `Intl`, parsed JSON, the page's nodes, time and promises.

use std::cell::RefCell;

use js_sys::{Array, JSON, Reflect};
use wasm_bindgen::prelude::*;
use web_sys::HtmlElement;

use crate::calendar::{Day, Instant, Month};
use crate::json::Json;
use crate::strings::{concat, list};
use crate::view::Words;
use crate::zone::{Zone, ZoneChoice, read_offset};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = Intl)]
    type DateTimeFormat;

    #[wasm_bindgen(constructor, js_namespace = Intl, catch)]
    fn new(language: &str, options: &JsValue) -> Result<DateTimeFormat, JsValue>;

    #[wasm_bindgen(method)]
    fn format(this: &DateTimeFormat, at: f64) -> String;

    #[wasm_bindgen(js_namespace = Intl)]
    type NumberFormat;

    #[wasm_bindgen(constructor, js_namespace = Intl)]
    fn new(language: &str) -> NumberFormat;

    #[wasm_bindgen(method)]
    fn format(this: &NumberFormat, number: u32) -> String;

    #[wasm_bindgen(js_namespace = Intl)]
    type PluralRules;

    #[wasm_bindgen(constructor, js_namespace = Intl)]
    fn new(language: &str) -> PluralRules;

    #[wasm_bindgen(method)]
    fn select(this: &PluralRules, number: u32) -> String;

    #[wasm_bindgen(method, js_name = addEventListener)]
    fn add_event_listener(this: &Listening, name: &str, listener: &JsValue);

    #[wasm_bindgen(js_name = addEventListener)]
    pub fn listen_to_window(name: &str, listener: &JsValue, is_capturing: bool);

    #[wasm_bindgen(js_name = removeEventListener)]
    pub fn leave_window(name: &str, listener: &JsValue, is_capturing: bool);

    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &JsValue, after_ms: i32);

    type Thenable;

    #[wasm_bindgen(method)]
    fn then(this: &Thenable, callback: &JsValue);

    #[wasm_bindgen(js_namespace = Date)]
    fn now() -> f64;

    #[wasm_bindgen(js_namespace = Intl, js_name = supportedValuesOf)]
    fn supported_values_of(kind: &str) -> Array;

    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues)]
    fn get_random_values(values: &mut [u8]);

    #[wasm_bindgen(js_namespace = sessionStorage, js_name = getItem, catch)]
    fn session_item(key: &str) -> Result<Option<String>, JsValue>;

    #[wasm_bindgen(js_namespace = sessionStorage, js_name = setItem, catch)]
    fn set_session_item(key: &str, text: &str) -> Result<(), JsValue>;

    #[wasm_bindgen(js_namespace = sessionStorage, js_name = removeItem, catch)]
    fn remove_session_item(key: &str) -> Result<(), JsValue>;

    /// An element or a text of the page. What it is asked to do cannot fail: names are our own and well formed, and a node
    /// that was just made can stand anywhere.
    pub type Place;

    #[wasm_bindgen(js_namespace = document, js_name = createElementNS)]
    fn create_element_ns(namespace: &str, tag: &str) -> Place;

    #[wasm_bindgen(js_namespace = document, js_name = createTextNode)]
    pub fn create_text(text: &str) -> Place;

    #[wasm_bindgen(method, getter, js_name = childNodes)]
    fn child_nodes(this: &Place) -> JsValue;

    /// The tag; `None` for a text.
    #[wasm_bindgen(method, getter, js_name = localName)]
    pub fn local_name(this: &Place) -> Option<String>;

    #[wasm_bindgen(method, getter, js_name = textContent)]
    pub fn text_content(this: &Place) -> String;

    #[wasm_bindgen(method, setter, js_name = textContent)]
    pub fn set_text_content(this: &Place, text: &str);

    #[wasm_bindgen(method, js_name = getAttributeNames)]
    pub fn attribute_names(this: &Place) -> Array;

    #[wasm_bindgen(method, js_name = getAttribute)]
    pub fn attribute(this: &Place, name: &str) -> Option<String>;

    #[wasm_bindgen(method, js_name = setAttribute)]
    pub fn set_attribute(this: &Place, name: &str, value: &str);

    #[wasm_bindgen(method, js_name = removeAttribute)]
    pub fn remove_attribute(this: &Place, name: &str);

    #[wasm_bindgen(method)]
    pub fn append(this: &Place, child: &Place);

    #[wasm_bindgen(method)]
    pub fn remove(this: &Place);

    #[wasm_bindgen(method, js_name = replaceWith)]
    pub fn replace_with(this: &Place, other: &Place);

    type Listening;

    type Scrollable;

    #[wasm_bindgen(method, js_name = scrollIntoView)]
    fn scroll_into_view(this: &Scrollable, options: &JsValue);
}

impl Json for JsValue {
    fn get(&self, key: &str) -> Option<Self> {
        let value = Reflect::get(self, &key.into()).ok()?;
        (!value.is_null() && !value.is_undefined()).then_some(value)
    }

    fn items(&self) -> Vec<Self> {
        if Array::is_array(self) { Array::from(self).to_vec() } else { Vec::new() }
    }

    fn as_text(&self) -> Option<String> {
        self.as_string()
    }

    fn as_number(&self) -> Option<f64> {
        self.as_f64()
    }

    fn is_true(&self) -> bool {
        *self == JsValue::TRUE
    }
}

/// The present moment by the visitor's clock.
pub fn present() -> Instant {
    now() as Instant
}

/// A key that no other booking has, and that nobody can guess: 128 bits at random. Unlike `crypto.randomUUID`, what makes them is
/// there on pages without TLS too.
pub fn fresh_key() -> String {
    let mut values = [0; 16];
    get_random_values(&mut values);
    let mut key = String::new();
    for value in values {
        key.extend([value / 16, value % 16].map(|digit| char::from(b'a' + digit)));
    }
    key
}

/// What the tab's session keeps under a name, if the page may know.
pub fn kept(name: &str) -> Option<JsValue> {
    JSON::parse(&session_item(name).ok()??).ok()
}

/// Keeps a text in the tab's session; an empty one is forgotten. A page that may keep nothing loses it at a reload.
pub fn keep(name: &str, text: &str) {
    let _refused = if text.is_empty() { remove_session_item(name) } else { set_session_item(name, text) };
}

/// Does something after at least `ms` milliseconds; the browser, and the view with it, go on meanwhile.
pub fn later(ms: i32, then: Box<dyn FnOnce()>) {
    set_timeout(&Closure::once_into_js(then), ms);
}

/// Does something with what a promise comes to, unless it fails.
pub fn await_promise(promise: &JsValue, then: Box<dyn FnOnce(JsValue)>) {
    promise.unchecked_ref::<Thenable>().then(&Closure::once_into_js(then));
}

/// Makes an element of HTML or of SVG.
pub fn create_element(tag: &str) -> Place {
    let namespace = match tag {
        "svg" | "path" => "http://www.w3.org/2000/svg",
        _ => "http://www.w3.org/1999/xhtml",
    };
    create_element_ns(namespace, tag)
}

/// The nodes within an element as they are now.
pub fn children(parent: &Place) -> Vec<Place> {
    list(Array::from(&parent.child_nodes()).iter().map(JsCast::unchecked_into))
}

/// Hears what happens in an element.
pub fn listen(element: &HtmlElement, name: &str, listener: &JsValue) {
    element.unchecked_ref::<Listening>().add_event_listener(name, listener);
}

/// Scrolls an element into sight, no further than it takes.
pub fn reveal(element: &HtmlElement) {
    if let Ok(options) = JSON::parse(r#"{"block":"nearest"}"#) {
        element.unchecked_ref::<Scrollable>().scroll_into_view(&options);
    }
}

/// So many zones are found out about without a pause that anybody could feel.
const ZONES_AT_ONCE: usize = 16;

/// Adds some of the zones that the browser knows by name, with their offsets at an instant, to those before them; `true` when
/// these are all.
pub fn read_zones(at: Instant, zones: &mut Vec<ZoneChoice>) -> bool {
    let names = supported_values_of("timeZone").to_vec();
    for name in names.iter().skip(zones.len()).take(ZONES_AT_ONCE) {
        let name = name.as_string().unwrap_or_default();
        let offset = offset_reader(&name).map_or(0, |format| read_offset(&format.format(at as f64)));
        zones.push(ZoneChoice { name, offset });
    }
    zones.len() == names.len()
}

/// Learns the offsets of a zone between two instants. UTC stands in for a zone that the browser does not know.
pub fn learn_zone(name: &str, from: Instant, until: Instant) -> Zone {
    match offset_reader(name) {
        Ok(format) => Zone::learn(name.to_owned(), from, until, |at| read_offset(&format.format(at as f64))),
        Err(_) => Zone::learn("UTC".to_owned(), from, until, |_| 0),
    }
}

fn offset_reader(zone: &str) -> Result<DateTimeFormat, JsValue> {
    formatter("en", r#"{"timeZoneName":"longOffset"}"#, zone)
}

fn formatter(language: &str, options: &str, zone: &str) -> Result<DateTimeFormat, JsValue> {
    let options = JSON::parse(options)?;
    // Some languages count years otherwise; the grid is Gregorian.
    for (name, value) in [("timeZone", zone), ("calendar", "gregory")] {
        Reflect::set(&options, &name.into(), &value.into())?;
    }
    DateTimeFormat::new(language, &options)
}

const TIME: &str = r#"{"hour":"numeric","minute":"2-digit"}"#;

/// The texts that came with the event type, and dates and times by `Intl`.
pub struct PageWords {
    strings: JsValue,
    language: String,
    month: DateTimeFormat,
    day: DateTimeFormat,
    weekday: DateTimeFormat,
    weekday_name: DateTimeFormat,
    plural: PluralRules,
    number: NumberFormat,
    /// Times of day, and the zone in which they are.
    time: RefCell<(DateTimeFormat, String)>,
}

impl PageWords {
    pub fn new(strings: JsValue, language: &str, zone: &Zone) -> Result<Self, JsValue> {
        let dates = |options| formatter(language, options, "UTC");
        Ok(Self {
            strings,
            language: language.to_owned(),
            month: dates(r#"{"month":"long","year":"numeric"}"#)?,
            day: dates(r#"{"weekday":"long","day":"numeric","month":"long"}"#)?,
            weekday: dates(r#"{"weekday":"short"}"#)?,
            weekday_name: dates(r#"{"weekday":"long"}"#)?,
            plural: PluralRules::new(language),
            number: NumberFormat::new(language),
            time: RefCell::new((formatter(language, TIME, &zone.name)?, zone.name.clone())),
        })
    }
}

impl Words for PageWords {
    /// The key itself stands in for a text that is missing.
    fn text(&self, key: &str) -> String {
        self.strings.optional_text(key).unwrap_or_else(|| key.to_owned())
    }

    fn plural(&self, key: &str, count: u32) -> String {
        self.text(&concat(&[key, ".", &self.plural.select(count)]))
    }

    fn number(&self, number: u32) -> String {
        self.number.format(number)
    }

    fn month(&self, month: Month) -> String {
        self.month.format(month.first().utc_midnight() as f64)
    }

    fn day(&self, day: Day) -> String {
        self.day.format(day.utc_midnight() as f64)
    }

    fn weekday(&self, weekday: i32) -> (String, String) {
        // 1970-01-05 was a Monday.
        let at = Day(4 + weekday).utc_midnight() as f64;
        (self.weekday.format(at), self.weekday_name.format(at))
    }

    fn time(&self, at: Instant, zone: &Zone) -> String {
        let mut time = self.time.borrow_mut();
        if time.1 != zone.name
            && let Ok(format) = formatter(&self.language, TIME, &zone.name)
        {
            *time = (format, zone.name.clone());
        }
        time.0.format(at as f64)
    }
}
