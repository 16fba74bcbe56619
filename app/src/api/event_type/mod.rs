//! One event type: making it, changing it, looking what that would bring.

#[cfg(feature = "ssr")]
mod convert;
#[cfg(feature = "ssr")]
mod meetings;
#[cfg(feature = "ssr")]
mod states;

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::booking_links::BookingLinkRow;
use super::changes::ChangesView;
use super::rows::Rows;
use crate::error::AppError;

/// Everything that the page of an event type shows.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventTypeView {
    /// What is stored, or what was typed.
    pub form: EventTypeForm,
    /// Its stored title; empty for a new one.
    pub title: String,
    /// The public page's address; `None` for a new event type.
    pub url: Option<String>,
    /// What the slug is put behind, such as `https://cupo.example/studio/`.
    pub url_base: String,
    /// The video meetings that the calendars of its hosts cannot make.
    pub meeting_gaps: Vec<MeetingGap>,
    /// Who can be its host.
    pub members: Vec<MemberView>,
    /// What its folded parts are set to.
    pub states: EventTypeStates,
    /// Its single-use links.
    pub links: Vec<BookingLinkRow>,
    /// The link that was just made, where no script could show it; it is told once.
    pub made_link: Option<String>,
    /// What was done last without a script, such as `questions.add`.
    pub step: String,
    /// What would change, where that was asked for without a script.
    pub changes: Option<Vec<ChangesView>>,
    /// Why that could not be told.
    pub refused: Option<AppError>,
}

cupo_core::shown_in_debug!(EventTypeView { form, title, step, refused });

/// Somebody who can be a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberView {
    /// Names the row of the form.
    pub key: String,
    /// The user's name.
    pub name: String,
    /// The user's schedules: id and name.
    pub schedules: Vec<(String, String)>,
    /// The user's calendars.
    pub calendars: Vec<MemberCalendar>,
}

/// A calendar of somebody who can be a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberCalendar {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether events can be written to it.
    pub can_write: bool,
    /// Whether it receives events where no other is chosen.
    pub receives_events: bool,
    /// The kinds of video meetings that it makes: `meet`, `teams`.
    pub meetings: Vec<String>,
}

/// A kind of video meeting that not every host's calendar can make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeetingGap {
    /// `meet` or `teams`.
    pub kind: String,
    /// Whose calendar cannot, as a sentence.
    pub text: String,
}

/// What the folded parts of the form are set to, in a few words.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventTypeStates {
    /// Lengths, starts, which slots of a day.
    pub times: String,
    /// How much may be booked.
    pub limits: String,
    /// Seats and series.
    pub seats: String,
    /// Approval.
    pub approval: String,
    /// What happens while a calendar cannot be read.
    pub freshness: String,
    /// Who can see it.
    pub listing: String,
    /// Deadlines for changes.
    pub deadlines: String,
    /// Who is booked.
    pub hosts: String,
    /// What is asked.
    pub questions: String,
}

/// The form of an event type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EventTypeForm {
    /// Empty for a new one.
    pub id: String,
    /// Its title.
    pub title: String,
    /// The last part of its address; made from the title when empty.
    pub slug: String,
    /// What it is about.
    pub description: String,
    /// Whole minutes.
    pub duration_minutes: String,
    /// Whole minutes, separated by commas.
    pub other_durations: String,
    /// Whole minutes.
    pub increment_minutes: String,
    /// `interval` or `hour`.
    pub alignment: String,
    /// Whole minutes.
    pub buffer_before_minutes: String,
    /// Whole minutes.
    pub buffer_after_minutes: String,
    /// A whole number of `notice_unit`.
    pub notice: String,
    /// `minutes`, `hours` or `days`.
    pub notice_unit: String,
    /// `rolling_days`, `business_days`, `dates` or `open`.
    pub window_kind: String,
    /// Whole days.
    pub window_days: String,
    /// The first date.
    pub window_first: String,
    /// The last date.
    pub window_last: String,
    /// A whole number, or empty where there is no limit; so are those that follow.
    pub limit_day_count: String,
    /// Whole minutes.
    pub limit_day_minutes: String,
    /// A whole number.
    pub limit_week_count: String,
    /// Whole minutes.
    pub limit_week_minutes: String,
    /// A whole number.
    pub limit_month_count: String,
    /// Whole minutes.
    pub limit_month_minutes: String,
    /// `all`, `first_free` or `first_only`.
    pub daily: String,
    /// A whole number.
    pub seats: String,
    /// `on` where visitors see how many are left; a browser leaves an unticked box out.
    pub seats_shown: String,
    /// A whole number.
    pub most_occurrences: String,
    /// `on` where a host has to agree.
    pub needs_approval: String,
    /// Whole hours.
    pub approval_hours: String,
    /// `offer`, `ask` or `approve`: while a calendar cannot be read.
    pub when_stale: String,
    /// `public`, `unlisted` or `link_only`.
    pub listing: String,
    /// A whole number of `cancel_notice_unit`.
    pub cancel_notice: String,
    /// See `notice_unit`.
    pub cancel_notice_unit: String,
    /// A whole number of `reschedule_notice_unit`.
    pub reschedule_notice: String,
    /// See `notice_unit`.
    pub reschedule_notice_unit: String,
    /// `single`, `round_robin` or `collective`.
    pub assignment: String,
    /// The row of the one host.
    pub single_host: String,
    /// `on` where visitors choose the host.
    pub host_choice: String,
    /// `on` where a rescheduled appointment may change its host.
    pub reschedule_to_any_host: String,
    /// Everybody who can be a host, taking part or not.
    pub hosts: Rows<HostRow>,
    /// What visitors are asked.
    pub questions: Rows<QuestionRow>,
    /// `meet`, `teams`, `phone`, `address` or `link`.
    pub location_kind: String,
    /// The number, place or address.
    pub location_detail: String,
    /// `on` when it can be booked.
    pub is_active: String,
}

/// A host of the event type, or somebody who could be one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HostRow {
    /// `on` for one of several hosts.
    pub takes_part: String,
    /// `required` or `optional`, where all hosts are needed.
    pub presence: String,
    /// A whole number.
    pub weight: String,
    /// A whole number.
    pub priority: String,
    /// Empty for the host's default one.
    pub schedule_id: String,
    /// `on` where other calendars block than those that the host has chosen for everything.
    pub own_calendars: String,
    /// Ids of those calendars.
    pub calendar_ids: Vec<String>,
    /// Where its events go; empty for the calendar that the host has chosen for everything.
    pub target_calendar_id: String,
}

/// A question to visitors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct QuestionRow {
    /// Its place among the questions, from 0.
    pub place: String,
    /// Names its answers; empty for a new one.
    pub id: String,
    /// `short_text` and so on.
    pub kind: String,
    /// What is asked.
    pub label: String,
    /// What helps to answer.
    pub help: String,
    /// `on` where nobody books without an answer.
    pub is_required: String,
    /// One a line.
    pub choices: String,
    /// The least number; empty for none.
    pub least: String,
    /// The greatest number; empty for none.
    pub most: String,
}

impl Default for HostRow {
    fn default() -> Self {
        Self {
            takes_part: String::new(),
            presence: "required".to_owned(),
            weight: "1".to_owned(),
            priority: "1".to_owned(),
            schedule_id: String::new(),
            own_calendars: String::new(),
            calendar_ids: Vec::new(),
            target_calendar_id: String::new(),
        }
    }
}

impl Default for QuestionRow {
    fn default() -> Self {
        Self {
            place: String::new(),
            id: String::new(),
            kind: "short_text".to_owned(),
            label: String::new(),
            help: String::new(),
            is_required: String::new(),
            choices: String::new(),
            least: String::new(),
            most: String::new(),
        }
    }
}

impl EventTypeForm {
    /// Whether this row's host is one of those who are booked.
    #[cfg(feature = "ssr")]
    fn takes_part(&self, key: &str, row: &HostRow) -> bool {
        match self.assignment.as_str() {
            "round_robin" | "collective" => row.takes_part == "on",
            _ => key == self.single_host,
        }
    }

    /// The questions with their keys, as visitors are asked them.
    pub fn questions_in_order(&self) -> Vec<(String, QuestionRow)> {
        let mut rows: Vec<_> = self.questions.clone().into_iter().collect();
        rows.sort_by_key(|(_, row)| row.place.parse().unwrap_or(usize::MAX));
        rows
    }
}

impl Default for EventTypeForm {
    fn default() -> Self {
        let text = str::to_owned;
        Self {
            id: String::new(),
            title: String::new(),
            slug: String::new(),
            description: String::new(),
            duration_minutes: text("30"),
            other_durations: String::new(),
            increment_minutes: text("30"),
            alignment: text("interval"),
            buffer_before_minutes: text("0"),
            buffer_after_minutes: text("0"),
            notice: text("4"),
            notice_unit: text("hours"),
            window_kind: text("rolling_days"),
            window_days: text("60"),
            window_first: String::new(),
            window_last: String::new(),
            limit_day_count: String::new(),
            limit_day_minutes: String::new(),
            limit_week_count: String::new(),
            limit_week_minutes: String::new(),
            limit_month_count: String::new(),
            limit_month_minutes: String::new(),
            daily: text("all"),
            seats: text("1"),
            seats_shown: String::new(),
            most_occurrences: text("1"),
            needs_approval: String::new(),
            approval_hours: text("48"),
            when_stale: text("ask"),
            listing: text("public"),
            cancel_notice: text("0"),
            cancel_notice_unit: text("hours"),
            reschedule_notice: text("0"),
            reschedule_notice_unit: text("hours"),
            assignment: text("single"),
            single_host: String::new(),
            host_choice: String::new(),
            reschedule_to_any_host: String::new(),
            hosts: Rows::new(),
            questions: Rows::new(),
            location_kind: text("meet"),
            location_detail: String::new(),
            is_active: String::new(),
        }
    }
}

/// One event type; a form with defaults for a new one. `query` holds what was typed without a script.
#[server(prefix = "/dashboard/api", endpoint = "event_type")]
pub async fn event_type(
    #[server(default)] id: String,
    #[server(default)] query: String,
) -> Result<EventTypeView, AppError> {
    use super::event_types::convert::public_url;
    use super::request::{answer, host, id_or_new};

    let (engine, principal) = host()?;
    let id = id_or_new(&id, "event type")?;
    let members = answer(engine.members(&principal).await)?;
    let stored = match &id {
        Some(id) => Some(answer(engine.event_type(&principal, id).await)?),
        None => None,
    };
    let mut form = match &stored {
        Some(stored) => convert::form(stored, &answer(engine.event_type_hosts(&principal, &stored.id).await)?),
        None => convert::new_form(&principal),
    };
    let (mut step, mut changes, mut refused) = (String::new(), None, None);
    if let Some(draft) = super::draft::read::<EventTypeForm>(&query) {
        step.clone_from(&draft.step);
        let is_check = draft.is_check();
        form = convert::after_step(draft);
        if is_check {
            match convert::preview(&engine, &principal, &form).await {
                Ok(found) => changes = Some(found),
                Err(error) => refused = Some(error),
            }
        }
    }
    let states = states::of(&form, &members);
    let members: Vec<_> = members.into_iter().map(convert::member).collect();
    let meeting_gaps = meetings::gaps(&form, &members);
    let links = match &id {
        Some(id) => super::booking_links::convert::rows(&engine, &principal, id).await?,
        None => Vec::new(),
    };
    let org = principal.organization_slug.as_str();
    Ok(EventTypeView {
        form,
        title: stored.as_ref().map(|stored| stored.title.clone()).unwrap_or_default(),
        url: stored.as_ref().map(|stored| public_url(&engine, org, stored.slug.as_str())),
        url_base: public_url(&engine, org, ""),
        meeting_gaps,
        members,
        states,
        links,
        made_link: super::booking_links::convert::just_made(),
        step,
        changes,
        refused,
    })
}

/// Makes or changes an event type.
#[server(prefix = "/dashboard/api", endpoint = "event_type_save")]
pub async fn event_type_save(form: EventTypeForm) -> Result<(), AppError> {
    use super::request::{answer, done, host, id_or_new};
    let (engine, principal) = host()?;
    let id = id_or_new(&form.id, "event type")?;
    let read = convert::read(&form);
    let saved = match read.input {
        Ok(input) => engine.event_type_save(&principal, id.as_ref(), input).await,
        Err(errors) => Err(cupo_engine::EngineError::Invalid(errors)),
    };
    answer(saved).map_err(|error| read.keys.name(error).with_form(&form))?;
    done("/dashboard/event-types", "saved");
    Ok(())
}

/// What an event type would bring if it were saved.
#[server(prefix = "/dashboard/api", endpoint = "event_type_preview")]
pub async fn event_type_preview(form: EventTypeForm) -> Result<Vec<ChangesView>, AppError> {
    use super::request::host;
    let (engine, principal) = host()?;
    convert::preview(&engine, &principal, &form).await
}
