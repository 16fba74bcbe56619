//! The event type form.

use cupo_core::{
    event_type::{Assignment, Location, MOST_HOSTS, Options, Rules, RulesInput},
    ids::{CalendarId, ScheduleId, UserId},
    parse::{FieldErrors, FieldProblem, Slug, number_between, optional_text, required_text},
};
use serde::{Deserialize, Serialize};

/// An event type, as it was filled in.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct EventTypeInput {
    /// What visitors book, such as "First visit".
    pub title: String,
    /// The last part of its public address.
    pub slug: String,
    /// What it is about.
    pub description: String,
    /// The rules of its slots.
    pub rules: RulesInput,
    /// Everything else that it decides.
    pub options: Options,
    /// `meet`, `phone`, `address` or `link`.
    pub location_kind: String,
    /// The number, place or address.
    pub location_detail: String,
    /// Whether it can be booked.
    pub is_active: bool,
    /// Who is booked, in the order in which they are shown. None: those who are, or, for a new one, who makes it.
    pub hosts: Vec<EventTypeHostInput>,
}

/// An active event type at a Meet link, without a name yet.
impl Default for EventTypeInput {
    fn default() -> Self {
        Self {
            title: String::new(),
            slug: String::new(),
            description: String::new(),
            rules: RulesInput::default(),
            options: Options::default(),
            location_kind: "meet".to_owned(),
            location_detail: String::new(),
            is_active: true,
            hosts: Vec::new(),
        }
    }
}

/// A host of an event type, as it was filled in.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct EventTypeHostInput {
    /// A member of the organization.
    pub user_id: String,
    /// One of the member's schedules; empty for the default one.
    pub schedule_id: String,
    /// Where all take part: whether it cannot take place without this host.
    pub is_required: bool,
    /// A host of weight 2 gets twice as many appointments as one of weight 1: 1 to 100.
    pub weight: u32,
    /// Hosts of a lower number come first: 1 to 10.
    pub priority: u32,
    /// The member's calendars whose events are conflicts; `None` for those that the member chose for everything.
    pub conflict_calendar_ids: Option<Vec<String>>,
    /// The calendar that receives the events; `None`: the one chosen for everything.
    pub target_calendar_id: Option<String>,
}

/// A required host by the default schedule, who is nobody yet.
impl Default for EventTypeHostInput {
    fn default() -> Self {
        Self {
            user_id: String::new(),
            schedule_id: String::new(),
            is_required: true,
            weight: 1,
            priority: 1,
            conflict_calendar_ids: None,
            target_calendar_id: None,
        }
    }
}

/// An event type that can be stored, but for its hosts, who may not be there.
#[derive(Debug, Clone)]
pub(crate) struct ParsedEventType {
    pub(super) title: String,
    pub(super) slug: Slug,
    pub(super) description: String,
    pub(super) rules: Rules,
    pub(super) options: Options,
    pub(super) location: Location,
    pub(super) is_active: bool,
    pub(super) hosts: Vec<ParsedHost>,
}

#[derive(Debug, Clone)]
pub(super) struct ParsedHost {
    pub(super) user_id: UserId,
    /// `None` for the default one.
    pub(super) schedule_id: Option<ScheduleId>,
    pub(super) is_required: bool,
    pub(super) weight: u32,
    pub(super) priority: u32,
    pub(super) conflict_calendar_ids: Option<Vec<CalendarId>>,
    pub(super) target_calendar_id: Option<CalendarId>,
}

impl EventTypeInput {
    pub(crate) fn parse(&self) -> Result<ParsedEventType, FieldErrors> {
        let mut errors = FieldErrors::default();
        let title = errors.collect("title", required_text(&self.title, 120));
        let slug = errors.collect("slug", Slug::parse(&self.slug));
        let description = errors.collect("description", optional_text(&self.description, 2000));
        let rules = Rules::parse(self.rules).map_err(|more| errors.0.extend(more.0)).ok();
        let options = rules
            .as_ref()
            .and_then(|rules| self.options.clone().checked(rules).map_err(|more| errors.0.extend(more.0)).ok());
        let location = Location::parse(&self.location_kind, &self.location_detail);
        let location = location.map_err(|more| errors.0.extend(more.0)).ok();
        let hosts = self.hosts().map_err(|more| errors.0.extend(more.0)).ok();
        match (title, slug, description, rules, options, location, hosts) {
            (Some(title), Some(slug), Some(description), Some(rules), Some(options), Some(location), Some(hosts)) => {
                Ok(ParsedEventType {
                    title,
                    slug,
                    description: description.unwrap_or_default(),
                    rules,
                    options,
                    location,
                    is_active: self.is_active,
                    hosts,
                })
            }
            _ => Err(errors),
        }
    }

    fn hosts(&self) -> Result<Vec<ParsedHost>, FieldErrors> {
        if self.hosts.len() > MOST_HOSTS {
            return Err(FieldProblem::new("error.too_many").with("max", MOST_HOSTS).at("hosts").into());
        }
        let mut errors = FieldErrors::default();
        let mut parsed: Vec<ParsedHost> = Vec::new();
        for (number, input) in self.hosts.iter().enumerate() {
            match input.parse() {
                Ok(host) if parsed.iter().any(|other| other.user_id == host.user_id) => {
                    errors.0.push(FieldProblem::new("error.host_twice").at(format!("hosts.{number}.user_id")));
                }
                Ok(host) => parsed.push(host),
                Err(more) => errors.0.extend(
                    more.0.into_iter().map(|error| error.problem.at(format!("hosts.{number}.{}", error.field))),
                ),
            }
        }
        errors.into_result().map(|()| parsed)
    }
}

impl EventTypeHostInput {
    fn parse(&self) -> Result<ParsedHost, FieldErrors> {
        let mut errors = FieldErrors::default();
        let unknown = || FieldProblem::new("error.not_found");
        let user_id = errors.collect("user_id", UserId::parse(&self.user_id).map_err(|_| unknown()));
        let schedule_id = Some(self.schedule_id.trim()).filter(|id| !id.is_empty());
        let schedule_id = schedule_id.map(|id| ScheduleId::parse(id).map_err(|_| unknown())).transpose();
        let schedule_id = errors.collect("schedule_id", schedule_id);
        let weight = errors.collect("weight", number_between(self.weight, 1, 100));
        let priority = errors.collect("priority", number_between(self.priority, 1, 10));
        let calendars = self.conflict_calendar_ids.as_ref().map(|ids| {
            ids.iter().map(|id| CalendarId::parse(id).map_err(|_| unknown())).collect::<Result<Vec<_>, _>>()
        });
        let calendars = errors.collect("conflict_calendar_ids", calendars.transpose());
        let target = self.target_calendar_id.as_ref().map(|id| CalendarId::parse(id).map_err(|_| unknown()));
        let target = errors.collect("target_calendar_id", target.transpose());
        match (user_id, schedule_id, weight, priority, calendars, target) {
            (Some(user_id), Some(schedule_id), Some(weight), Some(priority), Some(calendars), Some(target)) => {
                Ok(ParsedHost {
                    user_id,
                    schedule_id,
                    is_required: self.is_required,
                    weight,
                    priority,
                    conflict_calendar_ids: calendars,
                    target_calendar_id: target,
                })
            }
            _ => Err(errors),
        }
    }
}

/// Whether so many hosts, so many of them required, go with the assignment.
pub(super) fn check_number(assignment: Assignment, hosts: usize, required: usize) -> Result<(), FieldProblem> {
    match assignment {
        Assignment::Single if hosts != 1 => Err(FieldProblem::new("error.hosts_single")),
        Assignment::Collective if required == 0 => Err(FieldProblem::new("error.hosts_none_required")),
        _ if hosts == 0 => Err(FieldProblem::new("error.required")),
        _ => Ok(()),
    }
}
