//! Who works in the demo's studio, when, and what can be booked there: something of every kind.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use chrono::{Days, NaiveDate};
use cupo_core::event_type::{Assignment, Limit, Limits, Options, RulesInput, Window};
use cupo_core::question::{Question, QuestionKind};
use cupo_engine::{
    DateOverrideInput, Engine, EventTypeHostInput, EventTypeInput, LocalIntervalInput, Member, MemberInput, Principal,
    ScheduleInput, WeeklyHoursInput,
};

use super::{EMAIL, TIME_ZONE};

const BEN: &str = "ben@example.com";
const CLEO: &str = "cleo@example.com";
/// Ana's second schedule.
const STUDIO_HOURS: &str = "Studio hours";
const DAYS_AT_THE_STUDIO: [&str; 5] = ["monday", "tuesday", "wednesday", "thursday", "friday"];
const PLACE: &str = "Calle Mayor 1, 28013 Madrid";

/// The people of the studio.
pub struct Studio {
    ana: EventTypeHostInput,
    /// Ana by her second schedule.
    ana_at_the_studio: EventTypeHostInput,
    ben: EventTypeHostInput,
    cleo: EventTypeHostInput,
}

impl Studio {
    /// The members and schedules, those that are missing made. Everybody has the password of the demo.
    pub async fn found_or_made(engine: &Engine, principal: &Principal, password: &str) -> Result<Self> {
        let known = engine.members(principal).await?;
        for (name, email, time_zone) in [("Ben Demo", BEN, TIME_ZONE), ("Cleo Demo", CLEO, "Europe/London")] {
            if known.iter().all(|member| member.email.as_str() != email) {
                let member = MemberInput {
                    name: name.to_owned(),
                    email: email.to_owned(),
                    password: password.to_owned(),
                    time_zone: time_zone.to_owned(),
                };
                engine.member_add(principal, member).await.with_context(|| format!("the member {email}"))?;
            }
        }
        let members = engine.members(principal).await?;
        let host = |email: &str| {
            let found = members.iter().find(|member: &&Member| member.email.as_str() == email);
            let found = found.with_context(|| format!("there is no member {email}"))?;
            anyhow::Ok(EventTypeHostInput { user_id: found.user_id.to_string(), ..EventTypeHostInput::default() })
        };
        let ana = host(EMAIL)?;
        let schedule_id = studio_hours(engine, principal).await?;
        let ana_at_the_studio = EventTypeHostInput { schedule_id, ..ana.clone() };
        Ok(Self { ana, ana_at_the_studio, ben: host(BEN)?, cleo: host(CLEO)? })
    }

    /// Makes the event types that are missing. Those that are there stay as they have become.
    pub async fn offer(&self, engine: &Engine, principal: &Principal) -> Result<()> {
        let existing: BTreeSet<_> =
            engine.event_types(principal).await?.into_iter().map(|it| it.slug.to_string()).collect();
        for wanted in self.with_one_host().into_iter().chain(self.with_several()) {
            if !existing.contains(&wanted.slug) {
                let slug = wanted.slug.clone();
                let made = engine.event_type_save(principal, None, wanted).await;
                made.with_context(|| format!("the event type {slug}"))?;
            }
        }
        Ok(())
    }

    fn with_one_host(&self) -> [EventTypeInput; 5] {
        [
            EventTypeInput {
                title: "Introduction".to_owned(),
                slug: "intro".to_owned(),
                description: "Half an hour to get to know each other.".to_owned(),
                rules: rules(30),
                hosts: vec![self.ana.clone()],
                ..EventTypeInput::default()
            },
            EventTypeInput {
                title: "Consultation".to_owned(),
                slug: "consult".to_owned(),
                description: "An hour by telephone: we call you.".to_owned(),
                rules: RulesInput { increment_minutes: 30, buffer_after_minutes: 15, ..rules(60) },
                location_kind: "phone".to_owned(),
                hosts: vec![self.ana.clone()],
                ..EventTypeInput::default()
            },
            EventTypeInput {
                title: "Coaching".to_owned(),
                slug: "coaching".to_owned(),
                description: "As long as you need it.".to_owned(),
                rules: RulesInput { increment_minutes: 15, ..rules(30) },
                options: Options { other_durations: vec![45, 60], ..Options::default() },
                hosts: vec![self.ana_at_the_studio.clone()],
                ..EventTypeInput::default()
            },
            EventTypeInput {
                title: "Portrait session".to_owned(),
                slug: "portrait".to_owned(),
                description: "Tell us what you have in mind. We look at every request before it is confirmed."
                    .to_owned(),
                rules: RulesInput { increment_minutes: 60, buffer_before_minutes: 30, ..rules(120) },
                options: Options {
                    needs_approval: true,
                    approval_hours: 24,
                    cancel_notice_minutes: 24 * 60,
                    reschedule_notice_minutes: 24 * 60,
                    questions: questions(),
                    ..Options::default()
                },
                location_kind: "address".to_owned(),
                location_detail: PLACE.to_owned(),
                hosts: vec![self.ana_at_the_studio.clone()],
                ..EventTypeInput::default()
            },
            EventTypeInput {
                title: "Drawing lesson".to_owned(),
                slug: "lesson".to_owned(),
                description: "One hour, once or every week.".to_owned(),
                rules: RulesInput { window: Window::RollingDays { days: 180 }, ..rules(60) },
                options: Options { most_occurrences: 12, ..Options::default() },
                location_kind: "address".to_owned(),
                location_detail: PLACE.to_owned(),
                hosts: vec![self.ben.clone()],
                ..EventTypeInput::default()
            },
        ]
    }

    fn with_several(&self) -> [EventTypeInput; 3] {
        [
            EventTypeInput {
                title: "Studio visit".to_owned(),
                slug: "visit".to_owned(),
                description: "One of us shows you around.".to_owned(),
                rules: rules(45),
                options: Options {
                    assignment: Assignment::RoundRobin,
                    host_choice: true,
                    reschedule_to_any_host: true,
                    ..Options::default()
                },
                location_kind: "address".to_owned(),
                location_detail: PLACE.to_owned(),
                hosts: vec![
                    EventTypeHostInput { weight: 2, ..self.ana_at_the_studio.clone() },
                    self.ben.clone(),
                    self.cleo.clone(),
                ],
                ..EventTypeInput::default()
            },
            EventTypeInput {
                title: "Project kick-off".to_owned(),
                slug: "kick-off".to_owned(),
                description: "Ana and Ben together, and Cleo if she can.".to_owned(),
                rules: RulesInput {
                    increment_minutes: 30,
                    window: Window::BusinessDays { days: 30 },
                    limits: Limits { day: Limit { count: Some(2), minutes: None }, ..Limits::default() },
                    ..rules(60)
                },
                options: Options { assignment: Assignment::Collective, ..Options::default() },
                hosts: vec![
                    self.ana.clone(),
                    self.ben.clone(),
                    EventTypeHostInput { is_required: false, ..self.cleo.clone() },
                ],
                ..EventTypeInput::default()
            },
            EventTypeInput {
                title: "Life drawing class".to_owned(),
                slug: "class".to_owned(),
                description: "Eight easels, one model. Bring your own paper.".to_owned(),
                rules: RulesInput { seats: 8, ..rules(120) },
                options: Options { seats_shown: true, ..Options::default() },
                location_kind: "address".to_owned(),
                location_detail: PLACE.to_owned(),
                hosts: vec![self.cleo.clone()],
                ..EventTypeInput::default()
            },
        ]
    }
}

/// One slot after the other, from an hour ahead on.
fn rules(duration_minutes: u32) -> RulesInput {
    RulesInput { duration_minutes, increment_minutes: duration_minutes, notice_minutes: 60, ..RulesInput::default() }
}

fn questions() -> Vec<Question> {
    let question = |id: &str, label: &str, is_required, kind| Question {
        id: id.to_owned(),
        label: label.to_owned(),
        help: String::new(),
        is_required,
        kind,
    };
    let sizes = ["Small", "Medium", "Large"].map(str::to_owned).to_vec();
    vec![
        question("occasion", "What is the portrait for?", true, QuestionKind::LongText),
        question("size", "Which size?", true, QuestionKind::Choice { choices: sizes }),
        question("people", "How many people?", true, QuestionKind::Number { least: Some(1), most: Some(4) }),
        question("terms", "I agree to be drawn from life", true, QuestionKind::Checkbox),
    ]
}

/// The id of Ana's second schedule: hours with a lunch break, a date on which the studio is closed, a Saturday on which it
/// is open.
async fn studio_hours(engine: &Engine, principal: &Principal) -> Result<String> {
    let schedules = engine.schedules(principal).await?;
    if let Some(found) = schedules.iter().find(|it| it.schedule.name == STUDIO_HOURS) {
        return Ok(found.schedule.id.to_string());
    }
    let hours = |start: &str, end: &str| LocalIntervalInput { start: start.to_owned(), end: end.to_owned() };
    let day = || vec![hours("10:00", "13:30"), hours("15:00", "19:00")];
    let weekly: BTreeMap<_, _> = DAYS_AT_THE_STUDIO.into_iter().map(|name| (name.to_owned(), day())).collect();
    let today = engine.now().date_naive();
    let date = |date: NaiveDate, hours| DateOverrideInput { date: date.to_string(), hours };
    let saturday = today.iter_days().skip(7).find(|date| chrono::Datelike::weekday(date) == chrono::Weekday::Sat);
    let closed = today + Days::new(10);
    let input = ScheduleInput {
        name: STUDIO_HOURS.to_owned(),
        time_zone: TIME_ZONE.to_owned(),
        weekly_hours: WeeklyHoursInput(weekly),
        overrides: saturday
            .into_iter()
            .filter(|saturday| *saturday != closed)
            .map(|saturday| date(saturday, vec![hours("10:00", "14:00")]))
            .chain([date(closed, Vec::new())])
            .collect(),
        ..ScheduleInput::default()
    };
    let saved = engine.schedule_save(principal, None, input).await.context("Ana's second schedule")?;
    Ok(saved.id.to_string())
}
