//! Booking: from a visitor's form to a confirmed appointment, in one transaction.

mod check;
mod hold;
mod manage;
pub(crate) mod transitions;

use chrono::{DateTime, Utc};
use cupo_core::{
    appointment::AppointmentStatus,
    ids::AppointmentId,
    interval::Interval,
    parse::{EmailAddress, FieldErrors, FieldProblem, PersonName, PhoneNumber, optional_text},
    slots::claim,
    text::Locale,
    wire::{AppointmentView, BookingRequest},
    zone::TimeZoneName,
};
use cupo_store::{
    Appointment, EventType, IdempotencyKey, StoreError, Tx, appointment_insert, hold_delete, hold_get_by_token_hash,
    idempotency_get, idempotency_insert,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::{
    Engine, EngineError,
    audit::{Actor, Subject},
    availability::{Own, check_duration},
    details::Details,
    engine::{digest, transact},
    mail::MailKind,
};
use check::{Verdict, Wish};
pub(crate) use manage::parse_reason;

/// A booking that stands.
#[derive(Debug, Clone)]
pub struct Booked {
    /// The appointment.
    pub view: AppointmentView,
    /// Whether this very request had been carried out before.
    pub replayed: bool,
}

/// What a visitor wrote, parsed.
struct Visitor {
    name: PersonName,
    email: EmailAddress,
    phone: Option<PhoneNumber>,
    notes: Option<String>,
    time_zone: TimeZoneName,
    locale: Locale,
}

impl Visitor {
    fn parse(request: &BookingRequest, event_type: &EventType) -> Result<Self, FieldErrors> {
        let mut errors = FieldErrors::default();
        let name = errors.collect("name", PersonName::parse(&request.name));
        let email = errors.collect("email", EmailAddress::parse(&request.email));
        let phone = match request.phone.as_deref().map(str::trim).filter(|phone| !phone.is_empty()) {
            Some(phone) => errors.collect("phone", PhoneNumber::parse(phone)),
            None if event_type.location.needs_visitor_phone() => {
                errors.collect("phone", Err(FieldProblem::new("error.required")))
            }
            None => None,
        };
        let notes = errors.collect("notes", optional_text(request.notes.as_deref().unwrap_or_default(), 2000));
        let time_zone = errors.collect("time_zone", TimeZoneName::parse(&request.time_zone));
        match (name, email, notes, time_zone) {
            (Some(name), Some(email), Some(notes), Some(time_zone)) if errors.is_empty() => {
                let locale = request.locale.as_deref().and_then(Locale::parse).unwrap_or_default();
                Ok(Self { name, email, phone, notes, time_zone, locale })
            }
            _ => Err(errors),
        }
    }
}

/// How an attempt to book ended.
enum Attempt {
    Booked(Box<Details>),
    Replayed(IdempotencyKey),
    Taken,
}

impl Engine {
    /// Books a slot. The same key with the same request gives the same answer, and one appointment.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] names the fields; [`EngineError::SlotTaken`] when somebody was faster or the calendar is
    /// busy; [`EngineError::SlotRefused`] for a start that was never offered; [`EngineError::IdempotencyKeyReused`];
    /// [`EngineError::CalendarUnreachable`]. Nothing is written then.
    pub async fn book(&self, idempotency_key: &str, request: BookingRequest) -> Result<Booked, EngineError> {
        let booked = self.try_to_book(idempotency_key, &request).await;
        let result = booked
            .as_ref()
            .map_or_else(EngineError::code, |booked| if booked.replayed { "replayed" } else { "booked" });
        metrics::counter!("cupo_bookings_total", "result" => result).increment(1);
        booked
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
                return self.replay(&saved, &request_hash);
            }
            (organization, event_type)
        };
        let visitor = Visitor::parse(request, &event_type)?;
        check_duration(event_type.rules.duration, request.duration)?;
        let live = self.live_check(&event_type, &event_type.rules, request.start).await?;
        let attempt = transact!(self, tx => {
            if let Some(saved) = idempotency_get(tx, &organization.id, key).await? {
                Attempt::Replayed(saved)
            } else {
                let attempt = self.book_within(tx, request, &visitor, &live).await?;
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
                Ok(Booked { view: self.view(&details), replayed: false })
            }
            Attempt::Replayed(saved) => self.replay(&saved, &request_hash),
            Attempt::Taken => {
                // The check may have enqueued a pull; no slot has changed yet.
                self.0.wake.notify_one();
                Err(EngineError::SlotTaken)
            }
        }
    }

    /// The appointment, its duties and its history.
    async fn book_within(
        &self,
        tx: &mut Tx,
        request: &BookingRequest,
        visitor: &Visitor,
        live: &[Interval],
    ) -> Result<Attempt, EngineError> {
        // Read again: the host may have changed or closed it since the form was checked.
        let (organization, event_type) = self.offered(tx, &request.org, &request.event).await?;
        let (schedule, _) = self.schedule_and_host(tx, &event_type).await?;
        let hold_hash = request.hold.as_deref().map(digest);
        let own = Own { appointment: None, hold_hash: hold_hash.as_deref() };
        let (rules, start) = (&event_type.rules, request.start);
        let wish = Wish { event_type: &event_type, schedule: &schedule, rules, start, own };
        if self.check_within(tx, &wish, live).await? == Verdict::Taken {
            return Ok(Attempt::Taken);
        }
        let appointment = self.new_appointment(&event_type, visitor, start);
        appointment_insert(tx, &appointment).await?;
        if let Some(hash) = &hold_hash
            && let Some(hold) = hold_get_by_token_hash(tx, hash).await?
        {
            hold_delete(tx, &organization.id, &hold.id).await?;
        }
        self.enqueue_duties(tx, &appointment, MailKind::Confirmation, Actor::Visitor).await?;
        let detail = json!({ "start": start, "sequence": 0 });
        let subject = Subject::Appointment(&appointment.id);
        self.audit(tx, &organization.id, Actor::Visitor, "appointment.booked", subject, detail).await?;
        let details = self.details(tx, appointment).await?;
        Ok(Attempt::Booked(Box::new(details)))
    }

    fn new_appointment(&self, event_type: &EventType, visitor: &Visitor, start: DateTime<Utc>) -> Appointment {
        let id = self.fresh();
        let now = self.now();
        Appointment {
            manage_token_hash: digest(&self.manage_token(&id)),
            id,
            organization_id: event_type.organization_id.clone(),
            event_type_id: event_type.id.clone(),
            host_user_id: event_type.host_user_id.clone(),
            title: event_type.title.clone(),
            status: AppointmentStatus::Confirmed,
            start_at: start,
            end_at: start + event_type.rules.duration,
            claim: claim(&event_type.rules, start),
            visitor_name: visitor.name.to_string(),
            visitor_email: visitor.email.clone(),
            visitor_phone: visitor.phone.clone(),
            visitor_notes: visitor.notes.clone(),
            visitor_time_zone: visitor.time_zone,
            visitor_locale: visitor.locale,
            location: event_type.location.clone(),
            meeting_url: None,
            sequence: 0,
            cancel_reason: None,
            cancelled_by: None,
            created_at: now,
            updated_at: now,
        }
    }

    /// What is kept of an answer: all of it but the visitor's secret, which the store never holds.
    fn saved_answer(&self, details: &Details, key: &str, request_hash: &[u8]) -> Result<IdempotencyKey, EngineError> {
        let view = self.view(details);
        let token = view.token.clone();
        let answer = SavedAnswer { appointment_id: details.appointment.id.clone(), view };
        let body = serde_json::to_string(&answer).map_err(|e| EngineError::internal("saving an answer", e))?;
        Ok(IdempotencyKey {
            organization_id: details.organization.id.clone(),
            key: key.to_owned(),
            request_hash: request_hash.to_vec(),
            status: 201,
            body: body.replace(&token, TOKEN),
            created_at: self.now(),
        })
    }

    /// The saved answer with the visitor's secret put back.
    fn replay(&self, saved: &IdempotencyKey, request_hash: &[u8]) -> Result<Booked, EngineError> {
        if saved.request_hash != request_hash {
            return Err(EngineError::IdempotencyKeyReused);
        }
        let read = |body: &str| {
            serde_json::from_str::<SavedAnswer>(body).map_err(|e| EngineError::internal("reading a saved answer", e))
        };
        let token = self.manage_token(&read(&saved.body)?.appointment_id);
        Ok(Booked { view: read(&saved.body.replace(TOKEN, &token))?.view, replayed: true })
    }
}

/// Stands in a saved answer where the visitor's secret was.
const TOKEN: &str = "{manage-token}";

/// The body of a saved answer.
#[derive(Serialize, Deserialize)]
struct SavedAnswer {
    appointment_id: AppointmentId,
    view: AppointmentView,
}

fn hash_of(request: &BookingRequest) -> Result<Vec<u8>, EngineError> {
    let json = serde_json::to_vec(request).map_err(|e| EngineError::internal("hashing a request", e))?;
    Ok(Sha256::digest(json).to_vec())
}
