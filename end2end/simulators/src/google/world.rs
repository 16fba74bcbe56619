//! What the simulated Google knows: users, their calendars and events, grants, tokens and channels.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::channels::Channel;
use super::event_time::EventTime;
use super::oauth::Tokens;
use super::service_accounts::ServiceAccount;
use super::wire::ApiError;
use super::{Client, GoogleOptions, UserSeed};

/// All state of the simulator. One lock guards it; it is what `--state FILE` keeps.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct World {
    pub clients: BTreeMap<String, Client>,
    pub users: BTreeMap<String, User>,
    pub calendars: BTreeMap<String, Calendar>,
    pub tokens: Tokens,
    pub channels: BTreeMap<String, Channel>,
    pub invitations: Vec<Invitation>,
    /// Sync tokens of an earlier epoch are expired.
    pub sync_epoch: u64,
    pub meet: MeetSettings,
    #[serde(default)]
    pub service_accounts: BTreeMap<String, ServiceAccount>,
    /// Groups of people by address, for free/busy queries: the members' addresses.
    #[serde(default)]
    pub groups: BTreeMap<String, BTreeSet<String>>,
}

/// A Google account.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct User {
    pub email: String,
    pub time_zone: Tz,
    pub calendar_list: Vec<Subscription>,
}

/// An entry of a user's calendar list.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Subscription {
    pub calendar_id: String,
    pub access_role: AccessRole,
}

/// What a user may do with a calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum AccessRole {
    FreeBusyReader,
    Reader,
    Writer,
    Owner,
}

impl AccessRole {
    /// The API's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FreeBusyReader => "freeBusyReader",
            Self::Reader => "reader",
            Self::Writer => "writer",
            Self::Owner => "owner",
        }
    }
}

/// A calendar and everything that ever stood in it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Calendar {
    pub id: String,
    pub summary: String,
    pub time_zone: Tz,
    /// The account that writes here by hand; none for a calendar that Google publishes.
    pub owner: Option<String>,
    pub color: String,
    /// Rises with every change of an event; sync tokens and etags are made of it.
    pub change: u64,
    pub events: BTreeMap<String, Event>,
}

/// An event, a recurring event, or an instance that departs from its recurring event.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Event {
    /// The writable members, as the last writer left them, other than those below.
    pub members: Map<String, Value>,
    pub start: EventTime,
    pub end: EventTime,
    pub recurrence: Vec<String>,
    pub conference: Option<Value>,
    /// When the pending conference is settled.
    pub conference_ready_at: Option<DateTime<Utc>>,
    pub cancelled: bool,
    pub creator: String,
    pub created: DateTime<Utc>,
    pub updated: DateTime<Utc>,
    pub sequence: u32,
    /// The calendar's `change` at the last write.
    pub change: u64,
    pub instance_of: Option<InstanceOf>,
    /// Rules that were replaced: an incremental sync cancels the instances that only they had.
    pub former_rules: Vec<FormerRule>,
}

/// The recurring event of an instance, and where it stood by the rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceOf {
    pub recurring_event_id: String,
    pub original_start: EventTime,
}

/// A rule that a recurring event had until the calendar's change `until`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FormerRule {
    pub until: u64,
    pub start: EventTime,
    pub recurrence: Vec<String>,
}

/// A mail that Google would have sent to an event's guests.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Invitation {
    pub at: DateTime<Utc>,
    pub kind: InvitationKind,
    pub calendar: String,
    pub event_id: String,
    pub to: Vec<String>,
    pub summary: String,
    pub start: Value,
}

/// Why Google writes to the guests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InvitationKind {
    Invited,
    Updated,
    Cancelled,
}

/// How Meet conferences come about.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MeetSettings {
    /// How long a new conference stays `pending`, in milliseconds. With 0 it is there at once.
    pub pending_ms: u64,
    /// Whether creation ends in `failure`.
    pub fail: bool,
}

impl Default for MeetSettings {
    fn default() -> Self {
        Self { pending_ms: 300, fail: false }
    }
}

const COLORS: [&str; 4] = ["#3f6ad8", "#0b8f6a", "#b1583e", "#8a5ac2"];
const HOLIDAYS_ID: &str = "en.spain#holiday@group.v.calendar.google.com";
const HOLIDAYS: [(u32, u32, &str); 8] = [
    (1, 1, "New Year's Day"),
    (1, 6, "Epiphany"),
    (5, 1, "Labour Day"),
    (8, 15, "Assumption of Mary"),
    (10, 12, "Hispanic Day"),
    (11, 1, "All Saints' Day"),
    (12, 6, "Constitution Day"),
    (12, 25, "Christmas Day"),
];

impl World {
    /// The world that `options` describe, before anybody did anything.
    pub fn new(options: &GoogleOptions, now: DateTime<Utc>) -> anyhow::Result<Self> {
        let meet_ms = u64::try_from(options.meet_pending.as_millis()).unwrap_or(u64::MAX);
        let mut world = Self { meet: MeetSettings { pending_ms: meet_ms, fail: false }, ..Self::default() };
        world.register(options)?;
        world.calendars.insert(HOLIDAYS_ID.to_owned(), holidays(now));
        for user in &options.users {
            world.add_user(user)?;
        }
        if let Some(first) = options.users.first().filter(|_| options.sample_events) {
            super::sample::add(&mut world, &first.email.to_lowercase(), now)?;
        }
        Ok(world)
    }

    /// Registers the clients and service accounts of `options`, in a world that was kept too.
    pub fn register(&mut self, options: &GoogleOptions) -> anyhow::Result<()> {
        for client in &options.clients {
            self.clients.insert(client.client_id.clone(), client.clone());
        }
        for account in &options.service_accounts {
            self.add_service_account(account.clone())?;
        }
        Ok(())
    }

    /// Registers a service account, or replaces the one of that address.
    pub fn add_service_account(&mut self, account: ServiceAccount) -> anyhow::Result<()> {
        account.check()?;
        self.service_accounts.insert(account.client_email.clone(), account);
        Ok(())
    }

    /// Adds an account with its calendars; the holidays are in everybody's list, to read.
    pub fn add_user(&mut self, seed: &UserSeed) -> anyhow::Result<()> {
        let email = seed.email.to_lowercase();
        anyhow::ensure!(email.contains('@'), "{email:?} is no e-mail address");
        anyhow::ensure!(!self.users.contains_key(&email), "the user {email} exists already");
        let parse = |name: &str| name.parse::<Tz>().map_err(|_| anyhow::anyhow!("unknown time zone {name:?}"));
        let time_zone = parse(&seed.time_zone)?;
        let mut user = User { email: email.clone(), time_zone, calendar_list: Vec::new() };
        let mut seeds = seed.calendars.clone();
        if !seeds.iter().any(|calendar| calendar.primary) {
            seeds.insert(0, super::CalendarSeed { primary: true, ..super::CalendarSeed::named(&email) });
        }
        let mut calendars = Vec::new();
        for calendar in seeds {
            let id = match (calendar.primary, calendar.id) {
                (true, _) => email.clone(),
                (false, Some(id)) => id,
                (false, None) => secondary_id(&email, &calendar.summary),
            };
            anyhow::ensure!(!self.calendars.contains_key(&id), "the calendar {id} exists already");
            let zone = calendar.time_zone.as_deref().map(parse).transpose()?.unwrap_or(time_zone);
            let color = calendar.color.unwrap_or_else(|| COLORS[user.calendar_list.len() % COLORS.len()].to_owned());
            user.calendar_list.push(Subscription { calendar_id: id.clone(), access_role: AccessRole::Owner });
            calendars.push(Calendar {
                id,
                summary: calendar.summary,
                time_zone: zone,
                owner: Some(email.clone()),
                color,
                change: 1,
                events: BTreeMap::new(),
            });
        }
        self.calendars.extend(calendars.into_iter().map(|calendar| (calendar.id.clone(), calendar)));
        if self.calendars.contains_key(HOLIDAYS_ID) {
            let access_role = AccessRole::Reader;
            user.calendar_list.push(Subscription { calendar_id: HOLIDAYS_ID.to_owned(), access_role });
        }
        self.users.insert(email, user);
        Ok(())
    }

    /// The id that `requested` means for `email`: `primary` is the user's own address.
    pub fn calendar_id(&self, email: &str, requested: &str) -> String {
        if requested == "primary" { email.to_owned() } else { requested.to_owned() }
    }

    /// What `email` may do with a calendar; `None` when it is not in the user's list.
    pub fn access_role(&self, email: &str, calendar_id: &str) -> Option<AccessRole> {
        let list = &self.users.get(email)?.calendar_list;
        list.iter().find(|entry| entry.calendar_id == calendar_id).map(|entry| entry.access_role)
    }

    /// The calendar that `email` calls `requested`, if the user's role is at least `needed`.
    pub fn calendar_for(&self, email: &str, requested: &str, needed: AccessRole) -> Result<&Calendar, ApiError> {
        let id = self.calendar_id(email, requested);
        let role = self.access_role(email, &id).ok_or_else(ApiError::not_found)?;
        if role < needed {
            let message = format!("You need to have {} access to this calendar.", needed.as_str());
            let error = ApiError::new(http::StatusCode::FORBIDDEN, "requiredAccessLevel", message);
            return Err(error.in_domain("calendar"));
        }
        self.calendars.get(&id).ok_or_else(ApiError::not_found)
    }

    /// A calendar by its real id.
    pub fn calendar(&self, id: &str) -> Result<&Calendar, ApiError> {
        self.calendars.get(id).ok_or_else(ApiError::not_found)
    }

    /// A calendar by its real id, to write.
    pub fn calendar_mut(&mut self, id: &str) -> Result<&mut Calendar, ApiError> {
        self.calendars.get_mut(id).ok_or_else(ApiError::not_found)
    }
}

impl Calendar {
    /// Counts a change and returns its number.
    pub fn next_change(&mut self) -> u64 {
        self.change += 1;
        self.change
    }

    /// The etag of something that last changed at `change`.
    pub fn etag(change: u64) -> String {
        format!("\"{}\"", 3_400_000_000_000_000 + change * 2)
    }
}

impl Event {
    /// A new event without members, made by `creator`.
    pub fn new(creator: &str, start: EventTime, end: EventTime, now: DateTime<Utc>) -> Self {
        Self {
            members: Map::new(),
            start,
            end,
            recurrence: Vec::new(),
            conference: None,
            conference_ready_at: None,
            cancelled: false,
            creator: creator.to_owned(),
            created: now,
            updated: now,
            sequence: 0,
            change: 0,
            instance_of: None,
            former_rules: Vec::new(),
        }
    }

    /// A member that is a string.
    pub fn text(&self, member: &str) -> Option<&str> {
        self.members.get(member).and_then(Value::as_str)
    }

    /// The addresses of the guests.
    pub fn attendee_emails(&self) -> Vec<String> {
        let attendees = self.members.get("attendees").and_then(Value::as_array);
        let emails = attendees.into_iter().flatten().filter_map(|attendee| attendee["email"].as_str());
        emails.map(str::to_owned).collect()
    }
}

/// The id of a secondary calendar: the same for the same owner and name, so that a seeded world is predictable.
fn secondary_id(email: &str, summary: &str) -> String {
    use sha2::Digest as _;
    let digest = sha2::Sha256::digest(format!("{email}\n{summary}"));
    let name: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("c_{name}@group.calendar.google.com")
}

fn holidays(now: DateTime<Utc>) -> Calendar {
    let mut events = BTreeMap::new();
    for year in now.year()..=now.year() + 1 {
        for (month, day, summary) in HOLIDAYS {
            let Some(date) = NaiveDate::from_ymd_opt(year, month, day) else { continue };
            let next = date.succ_opt().unwrap_or(date);
            let times = (EventTime::AllDay { date }, EventTime::AllDay { date: next });
            let mut event = Event::new(HOLIDAYS_ID, times.0, times.1, now);
            event.change = 1;
            event.members.insert("summary".to_owned(), json!(summary));
            event.members.insert("transparency".to_owned(), json!("transparent"));
            event.members.insert("visibility".to_owned(), json!("public"));
            events.insert(format!("holiday{}", date.format("%Y%m%d")), event);
        }
    }
    let color = "#6b7280".to_owned();
    let (id, summary) = (HOLIDAYS_ID.to_owned(), "Holidays in Spain".to_owned());
    Calendar { id, summary, time_zone: Tz::Europe__Madrid, owner: None, color, change: 1, events }
}
