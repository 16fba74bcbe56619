//! `calendarView/delta`: rounds of changes within a window that stays as the first call set it.
//!
//! The simulator keeps what each round told. The next round tells the difference: what is new or was changed, and as
//! `@removed` what is no longer in the window, whether it was deleted or only moved away.

use std::collections::{BTreeMap, VecDeque};

use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::event::EventKind;
use super::super::ids::ItemRef;
use super::super::view::{self, Window};
use super::super::world::{Calendar, World};
use super::error::GraphError;
use super::render::Rendering;
use super::{Answer, Call, resource};
use crate::oauth::random_text;

/// Events on a page, unless `Prefer: odata.maxpagesize` asks for fewer or more.
const PAGE: usize = 10;
const LARGEST_PAGE: usize = 1_000;
/// How many rounds are remembered; the oldest expire first.
const ROUNDS: usize = 500;
/// What may not be asked for here.
const REFUSED: [&str; 5] = ["$select", "$expand", "$filter", "$orderby", "$search"];

/// The rounds so far, oldest first.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct DeltaRounds(VecDeque<Round>);

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Round {
    id: String,
    calendar: u64,
    window: Window,
    /// What is told in this round, page by page.
    news: Vec<News>,
    /// What the client knows when the round is over, each with its change.
    #[serde(with = "pairs")]
    told: BTreeMap<ItemRef, u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum News {
    /// New or changed.
    There(ItemRef),
    Gone(ItemRef),
}

/// Where a client stands in a round.
enum Position {
    /// The page that begins at this entry.
    Page(usize),
    /// All told.
    End,
}

impl DeltaRounds {
    /// Forgets every round: each link given so far answers 410.
    pub fn expire(&mut self) {
        self.0.clear();
    }

    fn find(&self, id: &str) -> Result<&Round, GraphError> {
        self.0.iter().find(|round| round.id == id).ok_or_else(|| {
            let message = "The sync state generation is not found; resynchronise from scratch.";
            GraphError::new(StatusCode::GONE, "SyncStateNotFound", message)
        })
    }

    fn add(&mut self, round: Round) {
        if self.0.len() == ROUNDS {
            self.0.pop_front();
        }
        self.0.push_back(round);
    }
}

/// `GET .../calendarView/delta`.
pub fn delta(call: &Call<'_>, calendar: Option<&str>) -> Answer {
    if let Some(refused) = REFUSED.iter().find(|name| call.query.get(name).is_some()) {
        let message = format!(
            "The following parameters are not supported with change tracking over the 'CalendarView' resource: \
             '{refused}'."
        );
        return Err(GraphError::bad_query(message));
    }
    let rendering = call.rendering()?;
    let page_size = call.prefer.page_size.unwrap_or(PAGE).min(LARGEST_PAGE);
    let double = call.microsoft.faults().for_delta(call.path);
    let calendar = call.calendar(&call.microsoft.world(), calendar)?.key;
    let (round, from) = call.microsoft.change(|world| begin(call, world, calendar))?;
    let world = call.microsoft.world();
    let held = world.calendar(calendar)?;
    let mut value = Vec::new();
    for news in round.news.iter().skip(from).take(page_size) {
        value.extend(told(held, &rendering, *news));
    }
    if double {
        repeat_one(&mut value);
    }
    let mut answer = json!({
        "@odata.context": format!("{}/v1.0/$metadata#Collection(event)", call.microsoft.base_url),
        "value": value,
    });
    let next = from + page_size;
    let is_last = next >= round.news.len();
    let (link, name, position) = if is_last {
        ("@odata.deltaLink", "$deltatoken", Position::End)
    } else {
        ("@odata.nextLink", "$skiptoken", Position::Page(next))
    };
    answer[link] = json!(call.link(&format!("{name}={}", token(&round.id, &position))));
    Ok(resource(StatusCode::OK, answer))
}

/// The round that the request is in, and the first of its entries to tell.
fn begin(call: &Call<'_>, world: &mut World, calendar: u64) -> Result<(Round, usize), GraphError> {
    let has_window = call.query.get("startDateTime").is_some() || call.query.get("endDateTime").is_some();
    let token = call.query.get("$skiptoken").or_else(|| call.query.get("$deltatoken"));
    let Some(token) = token else {
        let window = call.query.window()?;
        let round = next_round(world, calendar, window, &BTreeMap::new())?;
        world.deltas.add(round.clone());
        return Ok((round, 0));
    };
    if has_window {
        return Err(GraphError::bad_query("The window is set by the first call only; the link carries it on."));
    }
    let malformed = || GraphError::bad_request("SyncStateInvalid", "Badly formed token.");
    let (id, position) = read_token(token).ok_or_else(malformed)?;
    let round = world.deltas.find(id)?.clone();
    if round.calendar != calendar {
        return Err(malformed());
    }
    match position {
        Position::Page(from) => Ok((round, from)),
        Position::End => {
            let next = next_round(world, calendar, round.window, &round.told)?;
            world.deltas.add(next.clone());
            Ok((next, 0))
        }
    }
}

fn next_round(
    world: &World,
    calendar: u64,
    window: Window,
    known: &BTreeMap<ItemRef, u64>,
) -> Result<Round, GraphError> {
    let held = world.calendar(calendar)?;
    let items = view::items_with_series(held, window, world.zone_of(held));
    let told: BTreeMap<ItemRef, u64> = items.iter().map(|item| (item.id, item.event.change)).collect();
    let is_news = |id: &ItemRef| known.get(id) != told.get(id);
    let mut news: Vec<News> = items.iter().map(|item| item.id).filter(is_news).map(News::There).collect();
    news.extend(known.keys().filter(|id| !told.contains_key(*id)).map(|id| News::Gone(*id)));
    Ok(Round { id: random_text(32), calendar, window, news, told })
}

/// An entry of a page. What vanished since the round began is left out; the next round tells of it.
fn told(calendar: &Calendar, rendering: &Rendering, news: News) -> Option<Value> {
    match news {
        News::There(id) => {
            let item = calendar.item(id)?;
            if item.kind == EventKind::Occurrence {
                return Some(rendering.occurrence_in_delta(calendar, &item));
            }
            let mut event = rendering.event(calendar, &item);
            event["@odata.type"] = json!("#microsoft.graph.event");
            Some(event)
        }
        News::Gone(id) => Some(json!({
            "@odata.type": "#microsoft.graph.event",
            "id": rendering.id(calendar, id),
            "@removed": { "reason": "deleted" },
        })),
    }
}

/// The last whole event comes twice: first as it never was, then as it is.
fn repeat_one(value: &mut Vec<Value>) {
    let whole = |event: &Value| event.get("subject").is_some();
    if let Some(mut stale) = value.iter().rev().find(|event| whole(event)).cloned() {
        stale["subject"] = json!("(an older version)");
        stale["showAs"] = json!("free");
        value.insert(0, stale);
    }
}

fn token(round: &str, position: &Position) -> String {
    match position {
        Position::Page(from) => format!("{round}P{from:06}"),
        Position::End => format!("{round}E000000"),
    }
}

fn read_token(token: &str) -> Option<(&str, Position)> {
    let (id, rest) = token.split_at_checked(32)?;
    let (kind, digits) = rest.split_at_checked(1)?;
    let from = digits.parse().ok()?;
    match kind {
        "P" => Some((id, Position::Page(from))),
        "E" => Some((id, Position::End)),
        _ => None,
    }
}

/// JSON has no maps by compound keys.
mod pairs {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serializer};

    use super::ItemRef;

    pub fn serialize<S: Serializer>(map: &BTreeMap<ItemRef, u64>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map.iter())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<ItemRef, u64>, D::Error> {
        Ok(Vec::<(ItemRef, u64)>::deserialize(deserializer)?.into_iter().collect())
    }
}
