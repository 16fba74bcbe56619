//! What the widget takes from the browser: `Intl`, parsed JSON, pauses and focus.

use js_sys::{Array, Function, JSON, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::HtmlElement;

use crate::calendar::{Day, Instant, Month};
use crate::json::Json;
use crate::zone::Zone;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = Intl)]
    type DateTimeFormat;

    #[wasm_bindgen(constructor, js_namespace = Intl, catch)]
    fn new(language: &str, options: &JsValue) -> Result<DateTimeFormat, JsValue>;

    #[wasm_bindgen(method)]
    fn format(this: &DateTimeFormat, at: f64) -> String;

    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &Function, after_ms: i32);

    #[wasm_bindgen(js_namespace = Date)]
    fn now() -> f64;

    #[wasm_bindgen(js_namespace = Intl, js_name = supportedValuesOf)]
    fn supported_values_of(kind: &str) -> Array;

    #[wasm_bindgen(js_namespace = crypto, js_name = randomUUID, catch)]
    fn random_uuid() -> Result<String, JsValue>;

    #[wasm_bindgen(js_namespace = Math)]
    fn random() -> f64;

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

/// Lets the browser go on, and the view with it, for at least `ms` milliseconds.
pub async fn pause(ms: i32) {
    let promise = Promise::new(&mut |resolve, _| set_timeout(&resolve, ms));
    // A promise that is only ever resolved has no failure to hear of.
    let _resolved = JsFuture::from(promise).await;
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
        Ok(format) => Zone::learn(name.to_owned(), from, until, |at| offset_in(&format.format(at as f64))),
        Err(_) => Zone::learn("UTC".to_owned(), from, until, |_| 0),
    }
}

/// The minutes of `11/23/2026, GMT+05:30`; `GMT` alone is zero.
fn offset_in(text: &str) -> i32 {
    let Some((_, offset)) = text.rsplit_once("GMT") else { return 0 };
    let minutes = offset
        .trim_start_matches(['+', '-', '\u{2212}'])
        .split(':')
        .fold(0, |minutes, part| minutes * 60 + part.parse::<i32>().unwrap_or(0));
    if offset.starts_with('+') { minutes } else { -minutes }
}

fn formatter(language: &str, options: &str, zone: &str) -> Result<DateTimeFormat, JsValue> {
    let options = JSON::parse(options)?;
    Reflect::set(&options, &"timeZone".into(), &zone.into())?;
    DateTimeFormat::new(language, &options)
}

/// Dates and times in the visitor's language.
pub struct Formats {
    month: DateTimeFormat,
    day: DateTimeFormat,
    weekday: DateTimeFormat,
    weekday_name: DateTimeFormat,
    time: DateTimeFormat,
    zone: String,
    language: String,
}

impl Formats {
    pub fn new(language: String, zone: &str) -> Result<Self, JsValue> {
        let dates = |options| formatter(&language, options, "UTC");
        Ok(Self {
            month: dates(r#"{"month":"long","year":"numeric"}"#)?,
            day: dates(r#"{"weekday":"long","day":"numeric","month":"long"}"#)?,
            weekday: dates(r#"{"weekday":"short"}"#)?,
            weekday_name: dates(r#"{"weekday":"long"}"#)?,
            time: formatter(&language, TIME, zone)?,
            zone: zone.to_owned(),
            language,
        })
    }

    pub fn month(&self, month: Month) -> String {
        capitalized(self.month.format(month.first().utc_midnight() as f64))
    }

    pub fn day(&self, day: Day) -> String {
        capitalized(self.day.format(day.utc_midnight() as f64))
    }

    /// The short and the full name of a weekday; Monday is 0.
    pub fn weekday(&self, weekday: i32) -> (String, String) {
        // 1970-01-05 was a Monday.
        let at = Day(4 + weekday).utc_midnight() as f64;
        (self.weekday.format(at), self.weekday_name.format(at))
    }

    /// The time of day of an instant in a zone.
    pub fn time(&mut self, at: Instant, zone: &str) -> String {
        if self.zone != zone
            && let Ok(time) = formatter(&self.language, TIME, zone)
        {
            self.time = time;
            self.zone = zone.to_owned();
        }
        self.time.format(at as f64)
    }
}

const TIME: &str = r#"{"hour":"numeric","minute":"2-digit"}"#;

/// Spanish writes months and weekdays small, also where they stand alone as a heading.
fn capitalized(text: String) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => text,
    }
}
