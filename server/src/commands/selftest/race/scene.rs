//! The organization in which it happens: hosts who can be booked around the clock, and something to book of every kind.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use chrono::{DateTime, Days, NaiveTime, TimeDelta, Utc};
use cupo_core::event_type::{Assignment, Options, RulesInput, Window};
use cupo_core::ids::{EventTypeId, UserId};
use cupo_core::interval::Interval;
use cupo_core::schedule::WEEKDAYS;
use cupo_core::text::Locale;
use cupo_engine::clock::{Clock, SystemClock};
use cupo_engine::{
    Engine, EventTypeHostInput, EventTypeInput, LocalIntervalInput, Member, MemberInput, Principal, ScheduleInput,
    SignUp, WeeklyHoursInput,
};
use cupo_store::Store;

use crate::assembly;
use crate::config::Config;

pub const SINGLE: &str = "single";
pub const SHORT: &str = "short";
pub const WIDE: &str = "wide";
pub const LATE: &str = "late";
pub const TEAM: &str = "team";
pub const PANEL: &str = "panel";
pub const SOLO: [&str; 3] = ["solo-a", "solo-b", "solo-c"];
pub const CLASS: &str = "class";
pub const MOVING: &str = "moving";
pub const HELD: &str = "held";
pub const REQUEST: &str = "request";

/// How many hosts there are.
const HOSTS: usize = 4;
/// How far ahead the first start lies.
const AHEAD: Days = Days::new(3);
/// For how many hours a host may think about a request.
const APPROVAL_HOURS: u32 = 1;

/// Where it happens.
#[derive(Clone)]
pub struct Scene {
    pub store: Store,
    pub engine: Engine,
    /// The same by a clock that is ahead: for it the time to agree to a request has passed.
    pub late_engine: Engine,
    /// Runs the organization.
    pub principal: Principal,
    pub offers: Arc<Offers>,
    pub hosts: Vec<UserId>,
    /// A midnight; what is contended for lies after it.
    pub base: DateTime<Utc>,
}

/// What can be booked, by slug.
pub type Offers = BTreeMap<&'static str, Offer>;

/// An event type, as it was made here.
#[derive(Debug, Clone)]
pub struct Offer {
    pub id: EventTypeId,
    pub hosts: Vec<UserId>,
    pub assignment: Assignment,
    pub duration: TimeDelta,
    pub before: TimeDelta,
    pub after: TimeDelta,
    pub seats: usize,
}

impl Offer {
    /// What an appointment with this start takes from its hosts.
    pub fn span(&self, start: DateTime<Utc>) -> Interval {
        Interval { start: start - self.before, end: start + self.duration + self.after }
    }
}

/// How an event type is made; durations in minutes.
struct Making {
    slug: &'static str,
    /// Their places among the hosts.
    hosts: &'static [usize],
    assignment: Assignment,
    duration: u32,
    before: u32,
    after: u32,
    seats: u32,
    needs_approval: bool,
}

/// Half an hour with one host.
const PLAIN: Making = Making {
    slug: SINGLE,
    hosts: &[0],
    assignment: Assignment::Single,
    duration: 30,
    before: 0,
    after: 0,
    seats: 1,
    needs_approval: false,
};

const MAKINGS: [Making; 13] = [
    PLAIN,
    Making { slug: SHORT, hosts: &[1], ..PLAIN },
    Making { slug: WIDE, hosts: &[1], before: 30, after: 30, ..PLAIN },
    Making { slug: LATE, hosts: &[1], duration: 60, before: 15, ..PLAIN },
    Making { slug: TEAM, hosts: &[1, 2, 3], assignment: Assignment::RoundRobin, ..PLAIN },
    Making { slug: PANEL, hosts: &[0, 1, 2], assignment: Assignment::Collective, ..PLAIN },
    Making { slug: SOLO[0], hosts: &[0], ..PLAIN },
    Making { slug: SOLO[1], hosts: &[1], ..PLAIN },
    Making { slug: SOLO[2], hosts: &[2], ..PLAIN },
    Making { slug: CLASS, hosts: &[2], seats: 5, ..PLAIN },
    Making { slug: MOVING, hosts: &[3], ..PLAIN },
    Making { slug: HELD, hosts: &[0], ..PLAIN },
    Making { slug: REQUEST, hosts: &[1], needs_approval: true, ..PLAIN },
];

/// A clock that is ahead of the machine's by more than a host may think about a request.
struct LateClock;

impl Clock for LateClock {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + TimeDelta::hours(2 * i64::from(APPROVAL_HOURS))
    }
}

impl Scene {
    /// Makes the organization `slug`. Nobody is told by mail and no calendar is asked.
    pub async fn set(config: &Config, store: Store, slug: String) -> Result<Self> {
        let mut quiet = config.clone();
        quiet.google = None;
        quiet.microsoft = None;
        quiet.smtp = None;
        quiet.sign_up.open = true;
        let public_url = quiet.address.public_url(quiet.address.listen);
        let engine = assembly::engine(&quiet, store.clone(), &public_url, Arc::new(SystemClock))?;
        let late_engine = assembly::engine(&quiet, store.clone(), &public_url, Arc::new(LateClock))?;
        let principal = sign_up(&engine, &slug).await?;
        for number in 1..HOSTS {
            let member = MemberInput {
                name: format!("Host {number}"),
                email: format!("host-{number}@{slug}.invalid"),
                password: password(),
                time_zone: "UTC".to_owned(),
            };
            engine.member_add(&principal, member).await?;
        }
        let members = engine.members(&principal).await?;
        ensure!(members.len() == HOSTS, "{} hosts were made", members.len());
        for member in &members {
            open_around_the_clock(&engine, &principal, member).await?;
        }
        let hosts: Vec<UserId> = members.into_iter().map(|member| member.user_id).collect();
        let mut offers = Offers::new();
        for making in &MAKINGS {
            let offer = making.make(&engine, &principal, &hosts).await;
            offers.insert(making.slug, offer.with_context(|| format!("the event type {}", making.slug))?);
        }
        let base = (engine.now().date_naive() + AHEAD).and_time(NaiveTime::MIN).and_utc();
        Ok(Self { store, engine, late_engine, principal, offers: Arc::new(offers), hosts, base })
    }

    /// The organization's slug.
    pub fn org(&self) -> String {
        self.principal.organization_slug.to_string()
    }
}

async fn sign_up(engine: &Engine, slug: &str) -> Result<Principal> {
    let form = SignUp {
        email: format!("host-0@{slug}.invalid"),
        password: password(),
        name: "Host 0".to_owned(),
        organization_name: "Selftest".to_owned(),
        organization_slug: slug.to_owned(),
        time_zone: "UTC".to_owned(),
        locale: Locale::En,
    };
    Ok(engine.sign_up(form).await?.principal)
}

/// Nobody signs in with it.
fn password() -> String {
    hex::encode(super::random::<16>())
}

async fn open_around_the_clock(engine: &Engine, owner: &Principal, member: &Member) -> Result<()> {
    let (schedule, name) = member.schedules.first().context("a member has a schedule")?;
    let whole_day = vec![LocalIntervalInput { start: "00:00".to_owned(), end: "24:00".to_owned() }];
    let input = ScheduleInput {
        name: name.clone(),
        time_zone: "UTC".to_owned(),
        weekly_hours: WeeklyHoursInput(WEEKDAYS.iter().map(|day| ((*day).to_owned(), whole_day.clone())).collect()),
        ..ScheduleInput::default()
    };
    // Everybody's schedule is their own to change.
    let themselves = Principal { user_id: member.user_id.clone(), role: member.role, ..owner.clone() };
    engine.schedule_save(&themselves, Some(schedule), input).await?;
    Ok(())
}

impl Making {
    async fn make(&self, engine: &Engine, principal: &Principal, hosts: &[UserId]) -> Result<Offer> {
        let hosts: Vec<UserId> = self.hosts.iter().map(|place| hosts[*place].clone()).collect();
        let host = |id: &UserId| EventTypeHostInput { user_id: id.to_string(), ..EventTypeHostInput::default() };
        let input = EventTypeInput {
            title: self.slug.to_owned(),
            slug: self.slug.to_owned(),
            rules: RulesInput {
                duration_minutes: self.duration,
                increment_minutes: 15,
                buffer_before_minutes: self.before,
                buffer_after_minutes: self.after,
                window: Window::RollingDays { days: 365 },
                seats: self.seats,
                ..RulesInput::default()
            },
            options: Options {
                assignment: self.assignment,
                needs_approval: self.needs_approval,
                approval_hours: APPROVAL_HOURS,
                ..Options::default()
            },
            location_kind: "address".to_owned(),
            location_detail: "Nowhere".to_owned(),
            hosts: hosts.iter().map(host).collect(),
            ..EventTypeInput::default()
        };
        let event_type = engine.event_type_save(principal, None, input).await?;
        let minutes = |minutes: u32| TimeDelta::minutes(minutes.into());
        Ok(Offer {
            id: event_type.id,
            hosts,
            assignment: self.assignment,
            duration: minutes(self.duration),
            before: minutes(self.before),
            after: minutes(self.after),
            seats: usize::try_from(self.seats)?,
        })
    }
}
