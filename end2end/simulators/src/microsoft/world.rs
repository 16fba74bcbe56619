//! What the simulated Microsoft knows: accounts, mailboxes with calendars and events, grants and subscriptions.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::behaviour::Behaviour;
use super::event::{Event, Item, Person};
use super::graph::delta::DeltaRounds;
use super::graph::error::GraphError;
use super::ids::{self, ItemRef};
use super::options::{CONTOSO_TENANT, CalendarSeed, Client, MicrosoftOptions, PERSONAL_TENANT, UserSeed};
use super::sign_in::tokens::Tokens;
use super::subscriptions::Subscription;

/// All state of the simulator. One lock guards it; it is what the state file keeps.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct World {
    pub clients: BTreeMap<String, Client>,
    /// By address, in lower case.
    pub users: BTreeMap<String, User>,
    pub calendars: BTreeMap<u64, Calendar>,
    pub tokens: Tokens,
    pub subscriptions: BTreeMap<String, Subscription>,
    pub invitations: Vec<Invitation>,
    pub deltas: DeltaRounds,
    pub behaviour: Behaviour,
    last_key: u64,
    last_change: u64,
    /// What was written since the subscriptions were last told.
    #[serde(skip)]
    journal: Vec<Written>,
}

/// An account and its mailbox.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct User {
    pub email: String,
    pub name: String,
    /// A GUID, the same for the same address.
    pub id: String,
    pub tenant: String,
    pub time_zone: Tz,
    /// In the order of the list; the first is the default one.
    pub calendars: Vec<u64>,
    pub admin_consent_needed: bool,
    /// The claims that a token must have been issued for; Graph refuses others with a claims challenge.
    pub required_claims: Option<String>,
}

impl User {
    /// Whether it is a personal Microsoft account.
    pub fn is_personal(&self) -> bool {
        self.tenant == PERSONAL_TENANT
    }

    /// As organiser or attendee.
    pub fn person(&self) -> Person {
        Person { name: self.name.clone(), address: self.email.clone() }
    }
}

/// A calendar and its events.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Calendar {
    pub key: u64,
    pub owner: String,
    pub name: String,
    pub color: String,
    pub is_default: bool,
    pub can_edit: bool,
    /// `allowedOnlineMeetingProviders`.
    pub meeting_providers: Vec<String>,
    pub events: BTreeMap<u64, Event>,
}

/// A mail that Outlook would have sent to an event's attendees.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Invitation {
    pub at: DateTime<Utc>,
    pub kind: InvitationKind,
    /// The organiser's address.
    pub organizer: String,
    /// `iCalUId`.
    pub uid: String,
    pub to: Vec<String>,
    pub subject: String,
    pub start: Value,
    /// What the organiser wrote when cancelling.
    pub comment: Option<String>,
}

/// Why Outlook writes to the attendees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InvitationKind {
    Invited,
    Updated,
    Cancelled,
}

/// A change of an event that subscriptions may want to hear of.
#[derive(Debug, Clone)]
pub struct Written {
    pub mailbox: String,
    pub calendar: u64,
    pub item: ItemRef,
    pub kind: ChangeKind,
    pub change: u64,
}

/// `changeType` of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeKind {
    Created,
    Updated,
    Deleted,
}

impl ChangeKind {
    /// The API's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Deleted => "deleted",
        }
    }
}

const COLORS: [&str; 4] = ["#0078d4", "#0b8f6a", "#b1583e", "#8a5ac2"];

impl World {
    /// The world that `options` describe, before anybody did anything.
    pub fn new(options: &MicrosoftOptions, now: DateTime<Utc>) -> anyhow::Result<Self> {
        let mut world = Self::default();
        world.register(&options.clients);
        for user in &options.users {
            world.add_user(user)?;
        }
        if let Some(first) = options.users.first().filter(|_| options.sample_events) {
            super::sample::add(&mut world, &first.email.to_lowercase(), now)?;
            world.journal.clear();
        }
        Ok(world)
    }

    /// Registers applications, in a world that was kept too.
    pub fn register(&mut self, clients: &[Client]) {
        self.clients.extend(clients.iter().map(|client| (client.client_id.clone(), client.clone())));
    }

    /// Adds an account with its mailbox.
    pub fn add_user(&mut self, seed: &UserSeed) -> anyhow::Result<()> {
        let email = seed.email.to_lowercase();
        let (local_part, _) = email.split_once('@').ok_or_else(|| anyhow::anyhow!("{email:?} is no e-mail address"))?;
        anyhow::ensure!(!self.users.contains_key(&email), "the user {email} exists already");
        anyhow::ensure!(!(seed.personal && seed.tenant.is_some()), "a personal account has no organisation");
        let zone = seed.time_zone.as_str();
        let time_zone: Tz = zone.parse().map_err(|_| anyhow::anyhow!("unknown time zone {zone:?}"))?;
        let tenant = match (&seed.tenant, seed.personal) {
            (Some(tenant), _) => tenant.clone(),
            (None, true) => PERSONAL_TENANT.to_owned(),
            (None, false) => CONTOSO_TENANT.to_owned(),
        };
        let mut user = User {
            name: seed.name.clone().unwrap_or_else(|| local_part.to_owned()),
            // Directory objects have GUIDs, personal accounts 16 hexadecimal digits.
            id: if seed.personal { guid(&email).replace('-', "")[..16].to_owned() } else { guid(&email) },
            tenant,
            time_zone,
            calendars: Vec::new(),
            admin_consent_needed: seed.admin_consent_needed,
            required_claims: None,
            email,
        };
        let providers = if user.is_personal() { Vec::new() } else { vec!["teamsForBusiness".to_owned()] };
        let default = CalendarSeed::named("Calendar");
        for (index, calendar) in std::iter::once(&default).chain(&seed.calendars).enumerate() {
            let key = self.next_key();
            user.calendars.push(key);
            let calendar = Calendar {
                key,
                owner: user.email.clone(),
                name: calendar.name.clone(),
                color: calendar.color.clone().unwrap_or_else(|| COLORS[index % COLORS.len()].to_owned()),
                is_default: index == 0,
                can_edit: !calendar.read_only,
                meeting_providers: if calendar.read_only { Vec::new() } else { providers.clone() },
                events: BTreeMap::new(),
            };
            self.calendars.insert(key, calendar);
        }
        self.users.insert(user.email.clone(), user);
        Ok(())
    }

    /// A number that nothing in this world has yet.
    pub fn next_key(&mut self) -> u64 {
        self.last_key += 1;
        self.last_key
    }

    /// Counts a change and returns its number.
    pub fn next_change(&mut self) -> u64 {
        self.last_change += 1;
        self.last_change
    }

    /// An account by address, or by the GUID of its directory object.
    pub fn user(&self, name: &str) -> Option<&User> {
        let lower = name.to_lowercase();
        self.users.get(&lower).or_else(|| self.users.values().find(|user| user.id == lower))
    }

    /// The calendars of a mailbox, in order.
    pub fn calendars_of(&self, email: &str) -> impl Iterator<Item = &Calendar> {
        let keys = self.users.get(email).map(|user| user.calendars.as_slice()).unwrap_or_default();
        keys.iter().filter_map(|key| self.calendars.get(key))
    }

    /// The default calendar of a mailbox.
    pub fn default_calendar(&self, email: &str) -> Result<&Calendar, GraphError> {
        self.calendars_of(email).next().ok_or_else(GraphError::not_found)
    }

    /// A calendar of the mailbox `email` by its id.
    pub fn calendar_by_id(&self, email: &str, id: &str) -> Result<&Calendar, GraphError> {
        let key = ids::parse_calendar_id(id).ok_or_else(GraphError::malformed_id)?;
        self.calendars_of(email).find(|calendar| calendar.key == key).ok_or_else(GraphError::not_found)
    }

    /// The calendar by key.
    pub fn calendar(&self, key: u64) -> Result<&Calendar, GraphError> {
        self.calendars.get(&key).ok_or_else(GraphError::not_found)
    }

    /// The calendar by key, to write.
    pub fn calendar_mut(&mut self, key: u64) -> Result<&mut Calendar, GraphError> {
        self.calendars.get_mut(&key).ok_or_else(GraphError::not_found)
    }

    /// The mailbox's zone, in which its whole days begin and end.
    pub fn zone_of(&self, calendar: &Calendar) -> Tz {
        self.users.get(&calendar.owner).map_or(Tz::UTC, |user| user.time_zone)
    }

    /// An event or occurrence of the mailbox `email` by its id of either kind, and the calendar that holds it.
    pub fn find(&self, email: &str, id: &str) -> Result<(&Calendar, Item), GraphError> {
        let parsed = ids::parse_event_id(id).ok_or_else(GraphError::malformed_id)?;
        let named = |calendar: &&Calendar| parsed.calendar.is_none_or(|key| key == calendar.key);
        let calendar = self.calendars_of(email).filter(named).find(|it| it.events.contains_key(&parsed.item.event));
        let calendar = calendar.ok_or_else(GraphError::not_found)?;
        let item = calendar.item(parsed.item).ok_or_else(GraphError::not_found)?;
        Ok((calendar, item))
    }

    /// Notes a change for the subscriptions.
    pub fn wrote(&mut self, calendar: u64, item: ItemRef, kind: ChangeKind, change: u64) {
        if let Some(mailbox) = self.calendars.get(&calendar).map(|calendar| calendar.owner.clone()) {
            self.journal.push(Written { mailbox, calendar, item, kind, change });
        }
    }

    /// What was written since the last call.
    pub fn take_journal(&mut self) -> Vec<Written> {
        std::mem::take(&mut self.journal)
    }
}

impl Calendar {
    /// An event, or one of its occurrences.
    pub fn item(&self, id: ItemRef) -> Option<Item> {
        let event = self.events.get(&id.event)?;
        match id.original {
            None => Some(event.item()),
            Some(date) => event.occurrence(date),
        }
    }
}

/// A GUID made of `text`.
pub fn guid(text: &str) -> String {
    let digest = Sha256::digest(text);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}
