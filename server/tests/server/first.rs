//! Everything that a widget shows at first, in one answer.

use chrono::{DateTime, Datelike, Offset, Utc};
use chrono_tz::Tz;
use cupo_core::dates::Dates;
use cupo_core::event_type::{Listing, Options};
use cupo_core::wire::FirstView;
use cupo_engine::EventTypeInput;
use cupo_widget::calendar::{Day, Instant, MINUTE, Month};
use cupo_widget::html::html;
use cupo_widget::state::{Visitor, Wishes, open};
use cupo_widget::view::{self, Words};
use cupo_widget::zone::Zone;
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use crate::bad_input::make_mirrors_stale;
use crate::world::{World, booking, problem, refused_fields, starts};

const MADRID: &str = "zone=Europe/Madrid";

fn path(event: &str, more: &str) -> String {
    format!("/embed/v1/first?org=demo&event={event}&{more}")
}

/// The first view once the calendar has been read for the first time.
async fn first(world: &World, event: &str, more: &str) -> Value {
    let path = path(event, more);
    world
        .until("a first view with slots", async || {
            let answer = world.get(&path).await;
            assert_eq!(answer.status(), StatusCode::OK);
            Some(answer.json::<Value>().await.unwrap()).filter(|first| !first["slots"].is_null())
        })
        .await
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    answer.headers()[name].to_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_answer_tells_what_the_others_tell_one_by_one() {
    let world = World::start().await;
    let first = first(&world, "intro", &format!("{MADRID}&lang=es")).await;
    let event_type: Value = world.get("/embed/v1/event-types/demo/intro?lang=es").await.json().await.unwrap();
    let (from, to) = (text(&first["from"]), text(&first["to"]));
    let slots = world.get(&format!("/embed/v1/slots?org=demo&event=intro&from={from}&to={to}")).await;
    assert_eq!(first["event_type"]["strings"], event_type["strings"]);
    assert_eq!(first["event_type"]["title"], event_type["title"]);
    assert_eq!(first["slots"], slots.json::<Value>().await.unwrap());
    assert!(first.get("markup").is_none(), "nobody asked for it");
    assert!(serde_json::from_value::<FirstView>(first).is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dates_are_those_of_a_month_with_free_times_in_the_visitors_zone() {
    let world = World::start().await;
    for zone in ["Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC"] {
        let first = first(&world, "intro", &format!("zone={zone}")).await;
        let zone: Tz = zone.parse().unwrap();
        let today = now().with_timezone(&zone).date_naive();
        let (from, to) = [&first["from"], &first["to"]].map(|it| text(it).parse::<chrono::NaiveDate>().unwrap()).into();
        assert_eq!((from.year(), from.month(), from.day()), (today.year(), today.month(), 1), "{zone}");
        assert_ne!(to.succ_opt().unwrap().month(), to.month(), "{to} is no last of a month");
        let free = starts(&first["slots"]["slots"]);
        assert!(free.iter().any(|start| start.with_timezone(&zone).date_naive() <= to), "{zone} {from} {to}");
        let empty_month = free.iter().all(|start| start.with_timezone(&zone).month() != today.month());
        assert_eq!(to.month() != today.month(), empty_month, "the next month comes along where it is needed: {zone}");
    }
}

/// The words that a browser has, by the same dates; written down once more, so that a mistake must be made twice.
struct BrowserWords {
    strings: Value,
    dates: Dates,
}

impl Words for BrowserWords {
    fn text(&self, key: &str) -> String {
        text(&self.strings[key]).to_owned()
    }

    fn plural(&self, key: &str, count: u32) -> String {
        self.text(&[key, ".", self.dates.plural(count.into())].concat())
    }

    fn number(&self, number: u32) -> String {
        self.dates.number(number.into())
    }

    fn month(&self, month: Month) -> String {
        let (year, month, _) = month.first().civil();
        self.dates.month(year, month.try_into().unwrap())
    }

    fn day(&self, day: Day) -> String {
        self.dates.day(day.iso().parse().unwrap())
    }

    fn weekday(&self, weekday: i32) -> (String, String) {
        self.dates.weekday(chrono::Weekday::try_from(u8::try_from(weekday).unwrap()).unwrap())
    }

    fn time(&self, at: Instant, zone: &Zone) -> String {
        let local = DateTime::from_timestamp_millis(at + Instant::from(zone.offset(at)) * MINUTE).unwrap();
        self.dates.time(local.time())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_markup_is_what_the_widget_shows_of_this_answer_with_real_slots() {
    let world = World::start().await;
    for tag in ["en-GB", "es-MX", "ar"] {
        let before = now();
        let first = first(&world, "intro", &format!("zone=Etc/GMT%2B3&lang={tag}&markup=1")).await;
        let zone = "Etc/GMT+3".to_owned();
        let visitor = Visitor { language: tag.to_owned(), zone, link: String::new(), now: before.timestamp_millis() };
        let learn = |name: &str, from, until| Zone::learn(name.to_owned(), from, until, |at| offset_of(name, at));
        let (state, _) = open(&first, visitor, learn, |_| Wishes::default()).unwrap();
        let words = BrowserWords { strings: first["event_type"]["strings"].clone(), dates: Dates::of(tag) };
        let markup = text(&first["markup"]);
        assert_eq!(markup, html(&view::widget(&state, &words)), "{tag}");
        let day = state.day.expect("a day with free times is in sight");
        let slots = state.slots_of(day);
        assert!(!slots.is_empty());
        for slot in slots {
            let start = cupo_widget::calendar::format_instant(slot.start);
            assert!(markup.contains(&format!("data-start=\"{start}\"")), "{start} is not in {markup}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_host_wrote_is_text_in_the_markup() {
    let world = World::start().await;
    let description = "<script>alert(1)</script> & \"more\"".to_owned();
    world.offer("evil", EventTypeInput { description, ..EventTypeInput::default() }).await;
    let first = first(&world, "evil", &format!("{MADRID}&markup=1")).await;
    let markup = text(&first["markup"]);
    assert!(markup.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;more&quot;"), "{markup}");
    assert!(!markup.contains("<script"), "{markup}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zone_that_is_not_known_gets_no_markup_and_everything_else() {
    let world = World::start().await;
    let first = first(&world, "intro", "zone=Mars/Olympus&markup=1").await;
    assert!(first.get("markup").is_none());
    assert_eq!(text(&first["event_type"]["slug"]), "intro");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unchanged_first_view_is_not_sent_twice_and_a_changed_one_is() {
    let world = World::start().await;
    first(&world, "intro", MADRID).await;
    // Slots go by as the minutes do: two questions within one are answered alike.
    let (tag, same) = world
        .until("two answers of the same minute", async || {
            let minute = now().timestamp() / 60;
            let answer = world.get(&path("intro", MADRID)).await;
            assert_eq!(header(&answer, "cache-control"), "no-cache");
            let tag = answer.headers()["etag"].clone();
            let asked = world.client.get(world.url(&path("intro", MADRID))).header("if-none-match", tag.clone());
            let same = asked.send().await.unwrap();
            (now().timestamp() / 60 == minute).then_some((tag, same))
        })
        .await;
    assert_eq!((same.status().as_u16(), same.headers()["etag"].clone()), (304, tag.clone()));
    assert!(same.bytes().await.unwrap().is_empty());
    let start = starts(&first(&world, "intro", MADRID).await["slots"]["slots"])[0];
    assert_eq!(world.book("a-key-of-the-first-view", &booking(start)).await.status(), StatusCode::CREATED);
    let asked = world.client.get(world.url(&path("intro", MADRID))).header("if-none-match", tag);
    let changed = asked.send().await.unwrap();
    assert_eq!(changed.status(), StatusCode::OK);
    assert!(!starts(&changed.json::<Value>().await.unwrap()["slots"]["slots"]).contains(&start));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_or_malformed_is_told_and_what_is_not_there_is_not_found() {
    let world = World::start().await;
    let told = problem(world.get("/embed/v1/first?org=&markup=yes").await, 400, "malformed-query").await;
    let mut refused = refused_fields(&told);
    refused.sort_unstable();
    assert_eq!(refused, ["event", "markup", "org"]);
    for path in ["/embed/v1/first?org=demo&event=nothing", "/embed/v1/first?org=nobody&event=intro"] {
        problem(world.get(path).await, 404, "not-found").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_slots_there_is_a_first_view_that_says_so_and_that_nobody_keeps() {
    let world = World::start().await;
    world.settle().await;
    let fault = json!({ "path_pattern": "/freeBusy", "times": 1000, "status": 503 });
    world.google.add_fault(serde_json::from_value(fault).unwrap()).unwrap();
    make_mirrors_stale(&world).await;
    let answer = world.get(&path("intro", &format!("{MADRID}&markup=1"))).await;
    assert_eq!((answer.status().as_u16(), header(&answer, "cache-control")), (200, "no-store"));
    let first: Value = answer.json().await.unwrap();
    assert!(first.get("slots").is_none());
    assert!(text(&first["markup"]).contains("data-press=\"retry\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_needs_a_link_sees_nothing_without_one_and_nobody_keeps_what_it_shows() {
    let world = World::start().await;
    let options = Options { listing: Listing::LinkOnly, ..Options::default() };
    let id = world.offer("secret", EventTypeInput { options, ..EventTypeInput::default() }).await;
    let made = world.server.engine.booking_link_make(&world.ana().await, &id.parse().unwrap(), None).await.unwrap();
    let link = made.url.split_once("link=").unwrap().1;
    let seen = world.get(&path("secret", &format!("{MADRID}&link={link}"))).await;
    assert_eq!((seen.status().as_u16(), header(&seen, "cache-control")), (200, "no-store"));
    for more in [MADRID.to_owned(), format!("{MADRID}&link=guessed")] {
        problem(world.get(&path("secret", &more)).await, 404, "not-found").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn first_views_are_limited_as_slots_are() {
    let world = World::with_limits("slots_per_minute = 2\n").await;
    for _ in 0..2 {
        assert_eq!(world.get(&path("intro", MADRID)).await.status(), StatusCode::OK);
    }
    problem(world.get(&path("intro", MADRID)).await, 429, "rate-limited").await;
}

/// The minutes east of UTC in a zone.
fn offset_of(zone: &str, at: Instant) -> i32 {
    let zone: Tz = zone.parse().unwrap();
    let local = DateTime::from_timestamp_millis(at).unwrap().with_timezone(&zone);
    local.offset().fix().local_minus_utc() / 60
}

#[expect(clippy::disallowed_methods, reason = "the server of these tests runs by the machine's clock")]
fn now() -> DateTime<Utc> {
    Utc::now()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_calling_code_is_that_of_the_visitors_region() {
    let world = World::start().await;
    for (lang, code) in [("es-MX", Some("+52")), ("en-GB", Some("+44")), ("es", None)] {
        let first: Value = world.get(&path("consult", &format!("lang={lang}"))).await.json().await.unwrap();
        assert_eq!(first["event_type"]["dial_code"].as_str(), code, "{lang}");
    }
}
