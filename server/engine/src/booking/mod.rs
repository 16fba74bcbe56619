//! Booking: from a visitor's form to an appointment that stands, in one transaction.

mod approval;
mod check;
mod hold;
mod manage;
mod moving;
pub(crate) mod transitions;
mod visitor;

use chrono::{DateTime, TimeDelta, Utc};
use cupo_core::{
    appointment::AppointmentStatus,
    event_type::{Assignment, Rules},
    ids::{AppointmentId, ClaimId, SeriesId, UserId},
    interval::Interval,
    parse::FieldProblem,
    recurrence::{Frequency, Recurrence},
    slots::claim,
    tracking,
    wire::{AppointmentView, BookingRequest, RecurrenceRequest},
};
use cupo_store::{
    Appointment, EventType, Hold, IdempotencyKey, StoreError, Tx, appointment_insert, booking_link_use, hold_delete,
    hold_get_by_token_hash, idempotency_get, idempotency_insert,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::{
    Engine, EngineError,
    audit::{Actor, Subject},
    availability::{Own, Situation, chosen_host, rules_for, starts_around},
    details::Details,
    engine::{digest, transact},
    mail::MailKind,
};
use check::{Asked, Place, Providers, Verdict, Want};
pub(crate) use manage::parse_reason;
use visitor::Visitor;

/// How often a booking may turn out to need a host who has not been asked about.
const ROUNDS: usize = 3;

/// A booking that stands.
#[derive(Debug, Clone)]
pub struct Booked {
    /// The appointment; of a series the first one.
    pub view: AppointmentView,
    /// Whether this very request had been carried out before.
    pub replayed: bool,
}

/// How an attempt to book ended.
enum Attempt {
    Booked(Box<Details>),
    Replayed(IdempotencyKey),
    Taken,
    Ask(Vec<UserId>),
}

/// A booking form with everything in it read.
struct Order<'a> {
    request: &'a BookingRequest,
    visitor: Visitor,
    rules: Rules,
    recurrence: Option<Recurrence>,
    hold_hash: Option<Vec<u8>>,
}

impl Order<'_> {
    /// The start on each date; the first one is the request's.
    fn starts(&self, situation: &Situation) -> Vec<Option<DateTime<Utc>>> {
        match self.recurrence {
            Some(recurrence) => recurrence.starts(situation.tz(), self.request.start),
            None => vec![Some(self.request.start)],
        }
    }
}

/// Reads what a request says of a series.
///
/// # Errors
/// [`EngineError::Invalid`] with `recurrence.frequency` or `recurrence.count`.
pub(crate) fn parse_recurrence(event_type: &EventType, frequency: &str, count: u32) -> Result<Recurrence, EngineError> {
    let frequency = Frequency::parse(frequency)
        .ok_or_else(|| FieldProblem::new("error.frequency").with("value", frequency).at("recurrence.frequency"))?;
    match event_type.options.most_occurrences {
        1 => Err(FieldProblem::new("error.no_series").at("recurrence").into()),
        most if count > most => {
            Err(FieldProblem::new("error.out_of_range").with("min", 2).with("max", most).at("recurrence.count").into())
        }
        _ => Ok(Recurrence::new(frequency, count)?),
    }
}

impl Engine {
    /// Books a slot, or one on each of several dates. The same key with the same request gives the same answer, and the same
    /// appointments.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] names the fields; [`EngineError::SlotTaken`] when somebody was faster or the calendar is
    /// busy; [`EngineError::SlotRefused`] for a start that was never offered; [`EngineError::IdempotencyKeyReused`];
    /// [`EngineError::CalendarUnreachable`]; [`EngineError::Conflict`] for a single-use link that was used. Nothing is
    /// written then.
    pub async fn book(&self, idempotency_key: &str, request: BookingRequest) -> Result<Booked, EngineError> {
        let booked = match self.try_to_book(idempotency_key, &request).await {
            // It may stand in its own way: the very same request was carried out since it was looked for.
            Err(refusal) => match self.carried_out(idempotency_key, &request).await {
                Ok(Some(booked)) => Ok(booked),
                _ => Err(refusal),
            },
            booked => booked,
        };
        let result = booked
            .as_ref()
            .map_or_else(EngineError::code, |booked| if booked.replayed { "replayed" } else { "booked" });
        metrics::counter!("cupo_bookings_total", "result" => result).increment(1);
        booked
    }

    /// The answer of the very same request, if there was one.
    async fn carried_out(&self, key: &str, request: &BookingRequest) -> Result<Option<Booked>, EngineError> {
        let request_hash = hash_of(request)?;
        let tx = &mut self.0.store.read().await?;
        let (organization, _) = self.offered(tx, &request.org, &request.event).await?;
        let saved = idempotency_get(tx, &organization.id, key).await?.filter(|it| it.request_hash == request_hash);
        saved.map(|saved| self.saved_booking(&saved, &request_hash)).transpose()
    }

    async fn try_to_book(&self, key: &str, request: &BookingRequest) -> Result<Booked, EngineError> {
        if key.is_empty() || key.len() > 200 || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(FieldProblem::new("error.idempotency_key").at("idempotency_key").into());
        }
        let request_hash = hash_of(request)?;
        let (organization, event_type) = {
            let tx = &mut self.0.store.read().await?;
            let (organization, event_type) = self.offered(tx, &request.org, &request.event).await?;
            if let Some(saved) = idempotency_get(tx, &organization.id, key).await? {
                return self.saved_booking(&saved, &request_hash);
            }
            self.booking_link(tx, &event_type, request.link.as_deref()).await?;
            (organization, event_type)
        };
        let read = |RecurrenceRequest { frequency, count, .. }: &RecurrenceRequest| {
            parse_recurrence(&event_type, frequency, *count)
        };
        let order = Order {
            request,
            visitor: Visitor::parse(request, &event_type)?,
            rules: rules_for(&event_type, request.duration)?,
            recurrence: request.recurrence.as_ref().map(read).transpose()?,
            hold_hash: request.hold.as_deref().map(digest),
        };
        let mut asked = Asked::default();
        let (mut to_ask, range) = self.whom_to_ask(&order).await?;
        for round in 1..=ROUNDS {
            if !to_ask.is_empty() {
                self.ask_providers(&event_type, &to_ask, range, &mut asked).await?;
            }
            let providers = if round < ROUNDS { Providers::MustBeAsked(&asked) } else { Providers::Were(&asked) };
            let attempt = transact!(self, tx => {
                if let Some(saved) = idempotency_get(tx, &organization.id, key).await? {
                    Attempt::Replayed(saved)
                } else {
                    let attempt = self.book_within(tx, &order, providers).await?;
                    if let Attempt::Booked(details) = &attempt {
                        let saved = self.saved_answer(details, key, &request_hash)?;
                        idempotency_insert(tx, &saved).await.map_err(|error| match error {
                            // The same request won elsewhere: the next attempt finds its answer.
                            StoreError::Unique(_) => StoreError::Retry,
                            other => other,
                        })?;
                    }
                    attempt
                }
            })?;
            match attempt {
                Attempt::Booked(details) => {
                    self.committed(&organization.id);
                    return Ok(Booked { view: self.view(&details), replayed: false });
                }
                Attempt::Replayed(saved) => return self.saved_booking(&saved, &request_hash),
                Attempt::Taken => break,
                Attempt::Ask(hosts) => to_ask = hosts,
            }
        }
        // The check may have enqueued a pull; no slot has changed yet.
        self.enqueued();
        Err(EngineError::SlotTaken)
    }

    /// Whose providers are to be asked about which time, before anything is written.
    async fn whom_to_ask(&self, order: &Order<'_>) -> Result<(Vec<UserId>, Interval), EngineError> {
        let request = order.request;
        let tx = &mut self.0.store.read().await?;
        let situation = self.situation_of_order(tx, order, request.start).await?;
        let nobody = Asked::default();
        let range = order
            .starts(&situation)
            .into_iter()
            .flatten()
            .map(|start| claim(&order.rules, start))
            .reduce(|all, next| Interval { start: all.start.min(next.start), end: all.end.max(next.end) })
            .unwrap_or_else(|| claim(&order.rules, request.start));
        match self.place_of_order(tx, &situation, order, Providers::MustBeAsked(&nobody)).await? {
            Verdict::Free(_) => Ok((Vec::new(), range)),
            Verdict::Taken => Err(EngineError::SlotTaken),
            Verdict::Ask(hosts) => Ok((hosts, range)),
        }
    }

    async fn situation_of_order(
        &self,
        tx: &mut Tx,
        order: &Order<'_>,
        start: DateTime<Utc>,
    ) -> Result<Situation, EngineError> {
        // Read in the transaction that books: the host may have changed or closed it since the form was checked.
        let (organization, event_type) = self.offered(tx, &order.request.org, &order.request.event).await?;
        let tz = self.schedule_of(tx, &event_type).await?.time_zone.tz();
        self.situation(tx, organization, event_type, starts_around(&order.rules, tz, start)).await
    }

    /// Where the first date of an order can be had.
    async fn place_of_order(
        &self,
        tx: &mut Tx,
        situation: &Situation,
        order: &Order<'_>,
        providers: Providers<'_>,
    ) -> Result<Verdict, EngineError> {
        let host = chosen_host(situation, order.request.host.as_deref())?;
        let hold = self.hold_of_order(tx, situation, order).await?;
        let start = order.request.start;
        // Whoever keeps the time for the visitor shall get the appointment.
        let kept = hold.filter(|hold| hold.start_at == start).map(|hold| hold.host_user_ids).unwrap_or_default();
        let own = Own { appointment: None, hold_hash: order.hold_hash.as_deref() };
        let want = Want { rules: &order.rules, start, host: host.as_ref(), preferred: &kept, own };
        self.check_within(tx, situation, &want, providers).await
    }

    async fn hold_of_order(
        &self,
        tx: &mut Tx,
        situation: &Situation,
        order: &Order<'_>,
    ) -> Result<Option<Hold>, EngineError> {
        let Some(hash) = &order.hold_hash else { return Ok(None) };
        let hold = hold_get_by_token_hash(tx, hash).await?;
        Ok(hold.filter(|hold| hold.organization_id == situation.organization.id))
    }

    /// The appointments, their duties and their history.
    async fn book_within(
        &self,
        tx: &mut Tx,
        order: &Order<'_>,
        providers: Providers<'_>,
    ) -> Result<Attempt, EngineError> {
        let situation = self.situation_of_order(tx, order, order.request.start).await?;
        let place = match self.place_of_order(tx, &situation, order, providers).await? {
            Verdict::Free(place) => place,
            Verdict::Taken => return Ok(Attempt::Taken),
            Verdict::Ask(hosts) => return Ok(Attempt::Ask(hosts)),
        };
        let link = self.booking_link(tx, &situation.event_type, order.request.link.as_deref()).await?;
        if let Some(hold) = self.hold_of_order(tx, &situation, order).await? {
            hold_delete(tx, &hold.organization_id, &hold.id, self.now()).await?;
        }
        let series_id = order.recurrence.map(|_| self.fresh::<SeriesId>());
        let first =
            self.new_appointment(&situation, order, order.request.start, &place, series_id.clone().map(|id| (id, 0)));
        self.insert(tx, &situation, &first, &place).await?;
        let rest = order.starts(&situation).into_iter().enumerate().skip(1);
        for (position, start) in rest {
            let taken = match start {
                Some(start) => {
                    let at = (series_id.clone(), u32::try_from(position).unwrap_or(u32::MAX));
                    self.book_one_more(tx, order, start, &place, at, providers).await?
                }
                None => true,
            };
            let skips = order.request.recurrence.as_ref().is_some_and(|recurrence| recurrence.skip_taken);
            if taken && !skips {
                let problem = FieldProblem::new("error.series_taken").with("number", position + 1);
                return Err(problem.at("recurrence").into());
            }
        }
        if let Some(link) = link
            && !booking_link_use(tx, &link.organization_id, &link.id, &first.id, self.now()).await?
        {
            return Err(EngineError::Conflict("error.link_used"));
        }
        let kind = match first.status {
            AppointmentStatus::Pending => MailKind::Request,
            _ => MailKind::Confirmation,
        };
        self.enqueue_mails(tx, &first, kind).await?;
        let details = self.details(tx, first).await?;
        Ok(Attempt::Booked(Box::new(details)))
    }

    /// Books a further date of a series with the hosts of the first; says whether the date is taken.
    async fn book_one_more(
        &self,
        tx: &mut Tx,
        order: &Order<'_>,
        start: DateTime<Utc>,
        first: &Place,
        (series_id, position): (Option<SeriesId>, u32),
        providers: Providers<'_>,
    ) -> Result<bool, EngineError> {
        let situation = self.situation_of_order(tx, order, start).await?;
        let same = first.hosts.first().filter(|_| situation.assignment() == Assignment::RoundRobin);
        let want = Want { rules: &order.rules, start, host: same, preferred: &[], own: Own::default() };
        match self.check_within(tx, &situation, &want, providers).await {
            Ok(Verdict::Free(place)) => {
                let series = series_id.map(|id| (id, position));
                let appointment = self.new_appointment(&situation, order, start, &place, series);
                self.insert(tx, &situation, &appointment, &place).await?;
                Ok(false)
            }
            // The hosts of the first date were asked about all dates; somebody optional was not, and need not come.
            Ok(Verdict::Taken | Verdict::Ask(_)) | Err(EngineError::SlotRefused(_)) => Ok(true),
            Err(error) => Err(error),
        }
    }

    async fn insert(
        &self,
        tx: &mut Tx,
        situation: &Situation,
        appointment: &Appointment,
        place: &Place,
    ) -> Result<(), EngineError> {
        let seats = situation.event_type.rules.seats;
        appointment_insert(tx, appointment, &place.hosts, seats).await.map_err(look_again)?;
        self.enqueue_push(tx, appointment).await?;
        let mut detail = json!({ "start": appointment.start_at, "sequence": 0, "status": appointment.status });
        if place.is_unsure {
            detail["unsure"] = json!(true);
        }
        let subject = Subject::Appointment(&appointment.id);
        self.audit(tx, &appointment.organization_id, Actor::Visitor, "appointment.booked", subject, detail).await
    }

    fn new_appointment(
        &self,
        situation: &Situation,
        order: &Order<'_>,
        start: DateTime<Utc>,
        place: &Place,
        series: Option<(SeriesId, u32)>,
    ) -> Appointment {
        let Situation { event_type, .. } = situation;
        let (visitor, rules) = (&order.visitor, &order.rules);
        let id: AppointmentId = self.fresh();
        let now = self.now();
        let (series_id, series_position) = series.unzip();
        let needs_approval = event_type.options.needs_approval || place.is_unsure;
        Appointment {
            manage_token_hash: digest(&self.manage_token(&id)),
            claim_id: place.joins.clone().unwrap_or_else(|| ClaimId::from(&id)),
            id,
            organization_id: event_type.organization_id.clone(),
            event_type_id: event_type.id.clone(),
            host_user_id: place.hosts.first().unwrap_or(&event_type.host_user_id).clone(),
            title: event_type.title.clone(),
            status: if needs_approval { AppointmentStatus::Pending } else { AppointmentStatus::Confirmed },
            start_at: start,
            end_at: start + rules.duration,
            claim: claim(rules, start),
            visitor_name: visitor.name.to_string(),
            visitor_email: visitor.email.clone(),
            visitor_phone: visitor.phone.clone(),
            visitor_notes: visitor.notes.clone(),
            visitor_time_zone: visitor.time_zone,
            visitor_language: visitor.language,
            answers: visitor.answers.clone(),
            tracking: tracking::kept(&order.request.tracking),
            location: event_type.location.clone(),
            meeting_url: None,
            series_id,
            series_position,
            expires_at: needs_approval.then(|| approval_ends(event_type, start, now)),
            sequence: 0,
            cancel_reason: None,
            cancelled_by: None,
            created_at: now,
            updated_at: now,
        }
    }

    /// What is kept of an answer: all of it but the visitor's secrets, which the store never holds.
    fn saved_answer(&self, details: &Details, key: &str, request_hash: &[u8]) -> Result<IdempotencyKey, EngineError> {
        let mut appointments = vec![details.appointment.id.clone()];
        appointments.extend(details.series.iter().map(|other| other.id.clone()));
        let answer = SavedAnswer { view: self.view(details), appointments };
        let mut body = serde_json::to_string(&answer).map_err(|e| EngineError::internal("saving an answer", e))?;
        for id in &answer.appointments {
            body = body.replace(&self.manage_token(id), &placeholder(id));
        }
        Ok(IdempotencyKey {
            organization_id: details.organization.id.clone(),
            key: key.to_owned(),
            request_hash: request_hash.to_vec(),
            status: 201,
            body,
            created_at: self.now(),
        })
    }

    /// The saved answer with the visitor's secrets put back.
    fn saved_booking(&self, saved: &IdempotencyKey, request_hash: &[u8]) -> Result<Booked, EngineError> {
        if saved.request_hash != request_hash {
            return Err(EngineError::IdempotencyKeyReused);
        }
        let read = |body: &str| {
            serde_json::from_str::<SavedAnswer>(body).map_err(|e| EngineError::internal("reading a saved answer", e))
        };
        let mut body = saved.body.clone();
        for id in read(&saved.body)?.appointments {
            body = body.replace(&placeholder(&id), &self.manage_token(&id));
        }
        Ok(Booked { view: read(&body)?.view, replayed: true })
    }
}

/// A claim that was free when the transaction looked was taken by another one that committed meanwhile: look again, another
/// host or another seat may be free.
fn look_again(error: StoreError) -> StoreError {
    match error {
        StoreError::ClaimTaken => StoreError::Retry,
        other => other,
    }
}

/// Until when a host may agree to an appointment.
fn approval_ends(event_type: &EventType, start: DateTime<Utc>, now: DateTime<Utc>) -> DateTime<Utc> {
    start.min(now + TimeDelta::hours(event_type.options.approval_hours.into()))
}

/// Stands in a saved answer where a visitor's secret was.
fn placeholder(id: &AppointmentId) -> String {
    format!("{{manage-token:{id}}}")
}

/// The body of a saved answer.
#[derive(Serialize, Deserialize)]
struct SavedAnswer {
    appointments: Vec<AppointmentId>,
    view: AppointmentView,
}

fn hash_of(request: &BookingRequest) -> Result<Vec<u8>, EngineError> {
    let json = serde_json::to_vec(request).map_err(|e| EngineError::internal("hashing a request", e))?;
    Ok(Sha256::digest(json).to_vec())
}
