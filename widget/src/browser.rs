//! What the widget takes from the browser: `Intl`, parsed JSON, elements, time and promises.

use std::cell::RefCell;

use js_sys::{Array, JSON, Reflect};
use wasm_bindgen::prelude::*;
use web_sys::{Element, HtmlElement, Node};

use crate::calendar::{Day, Instant, Month};
use crate::json::Json;
use crate::view::Words;
use crate::zone::{Zone, read_offset};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = Intl)]
    type DateTimeFormat;

    #[wasm_bindgen(constructor, js_namespace = Intl, catch)]
    fn new(language: &str, options: &JsValue) -> Result<DateTimeFormat, JsValue>;

    #[wasm_bindgen(method)]
    fn format(this: &DateTimeFormat, at: f64) -> String;

    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &JsValue, after_ms: i32);

    type Thenable;

    #[wasm_bindgen(method)]
    fn then(this: &Thenable, callback: &JsValue);

    #[wasm_bindgen(js_namespace = Date)]
    fn now() -> f64;

    #[wasm_bindgen(js_namespace = Intl, js_name = supportedValuesOf)]
    fn supported_values_of(kind: &str) -> Array;

    #[wasm_bindgen(js_namespace = crypto, js_name = randomUUID, catch)]
    fn random_uuid() -> Result<String, JsValue>;

    #[wasm_bindgen(js_namespace = Math)]
    fn random() -> f64;

    #[wasm_bindgen(js_namespace = document, js_name = createElementNS)]
    fn create_element_ns(namespace: &str, tag: &str) -> Element;

    #[wasm_bindgen(js_namespace = document, js_name = createTextNode)]
    pub fn create_text(text: &str) -> Node;

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

/// A key that no other booking has. `crypto.randomUUID` is missing on pages without TLS.
pub fn fresh_key() -> String {
    random_uuid().unwrap_or_else(|_| {
        (0..4).map(|_| ((random() * f64::from(u32::MAX)) as u32).to_string()).collect::<Vec<_>>().join("-")
    })
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
pub fn create_element(tag: &str) -> Element {
    let namespace = match tag {
        "svg" | "path" => "http://www.w3.org/2000/svg",
        _ => "http://www.w3.org/1999/xhtml",
    };
    create_element_ns(namespace, tag)
}

/// Scrolls an element into sight, no further than it takes.
pub fn reveal(element: &HtmlElement) {
    if let Ok(options) = JSON::parse(r#"{"block":"nearest"}"#) {
        element.unchecked_ref::<Scrollable>().scroll_into_view(&options);
    }
}

/// Every zone that the browser knows by name; none where it is too old to tell.
pub fn zone_names() -> Vec<String> {
    supported_values_of("timeZone").iter().filter_map(|name| name.as_string()).collect()
}

/// Learns the offsets of a zone between two instants. UTC stands in for a zone that the browser does not know.
pub fn learn_zone(name: &str, from: Instant, until: Instant) -> Zone {
    let options = r#"{"timeZoneName":"longOffset"}"#;
    match formatter("en", options, name) {
        Ok(format) => Zone::learn(name.to_owned(), from, until, |at| read_offset(&format.format(at as f64))),
        Err(_) => Zone::learn("UTC".to_owned(), from, until, |_| 0),
    }
}

fn formatter(language: &str, options: &str, zone: &str) -> Result<DateTimeFormat, JsValue> {
    let options = JSON::parse(options)?;
    Reflect::set(&options, &"timeZone".into(), &zone.into())?;
    DateTimeFormat::new(language, &options)
}

const TIME: &str = r#"{"hour":"numeric","minute":"2-digit"}"#;

/// The texts that came with the event type, and dates and times by `Intl`.
pub struct PageWords {
    strings: JsValue,
    language: String,
    week_start: i32,
    month: DateTimeFormat,
    day: DateTimeFormat,
    weekday: DateTimeFormat,
    weekday_name: DateTimeFormat,
    /// Times of day, and the zone in which they are.
    time: RefCell<(DateTimeFormat, String)>,
}

impl PageWords {
    pub fn new(strings: JsValue, language: &str, week_start: i32, zone: &Zone) -> Result<Self, JsValue> {
        let dates = |options| formatter(language, options, "UTC");
        Ok(Self {
            strings,
            language: language.to_owned(),
            week_start,
            month: dates(r#"{"month":"long","year":"numeric"}"#)?,
            day: dates(r#"{"weekday":"long","day":"numeric","month":"long"}"#)?,
            weekday: dates(r#"{"weekday":"short"}"#)?,
            weekday_name: dates(r#"{"weekday":"long"}"#)?,
            time: RefCell::new((formatter(language, TIME, &zone.name)?, zone.name.clone())),
        })
    }
}

impl Words for PageWords {
    /// The key itself stands in for a text that is missing.
    fn text(&self, key: &str) -> String {
        self.strings.optional_text(key).unwrap_or_else(|| key.to_owned())
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

    fn week_start(&self) -> i32 {
        self.week_start
    }
}
