//! What the database holds afterwards, read row by row.

use anyhow::{Context, Result};
use chrono::{DateTime, TimeDelta, Utc};
use cupo_core::appointment::AppointmentStatus;
use cupo_core::ids::{ClaimId, EventTypeId, UserId};
use cupo_core::interval::Interval;
use cupo_store::{Appointment, AppointmentCursor, AppointmentFilter, Tx, appointment_list, claim_list, hold_list};

use super::scene::{Offers, Scene};

const PAGE: u32 = 500;
/// Everything of the race lies within so many days after its base.
const REACH: TimeDelta = TimeDelta::days(400);

/// The rows of the organization.
#[derive(Debug, Clone, Default)]
pub struct Records {
    pub appointments: Vec<AppointmentRow>,
    pub claims: Vec<ClaimRow>,
    pub holds: Vec<HoldRow>,
}

#[derive(Debug, Clone)]
pub struct AppointmentRow {
    pub offer: &'static str,
    pub email: String,
    pub token_hash: Vec<u8>,
    /// The first of its hosts.
    pub host: UserId,
    pub status: AppointmentStatus,
    pub start: DateTime<Utc>,
    pub end: DateTime<Utc>,
    pub claim: Interval,
    pub claim_id: ClaimId,
    pub sequence: i64,
}

#[derive(Debug, Clone)]
pub struct ClaimRow {
    pub id: ClaimId,
    pub host: UserId,
    pub offer: &'static str,
    pub start: DateTime<Utc>,
    pub claim: Interval,
    pub seats: usize,
    pub seats_taken: usize,
}

#[derive(Debug, Clone)]
pub struct HoldRow {
    pub offer: &'static str,
    pub start: DateTime<Utc>,
    pub host: UserId,
}

impl Records {
    /// The appointments that take place, or may.
    pub fn standing(&self) -> impl Iterator<Item = &AppointmentRow> {
        self.appointments.iter().filter(|row| row.status.claims_time())
    }
}

/// Reads everything in one transaction.
pub async fn read(scene: &Scene) -> Result<Records> {
    let tx = &mut scene.store.read().await?;
    let organization_id = &scene.principal.organization_id;
    let range = Interval { start: scene.base - REACH, end: scene.base + REACH };
    let mut records = Records::default();
    use AppointmentFilter::{Cancelled, Past, Pending, Upcoming};
    for filter in [Pending, Upcoming, Past, Cancelled] {
        for appointment in appointments(tx, scene, filter).await? {
            records.appointments.push(appointment_row(&scene.offers, appointment)?);
        }
    }
    for host in &scene.hosts {
        for claim in claim_list(tx, organization_id, host, range).await? {
            records.claims.push(ClaimRow {
                offer: slug_of(&scene.offers, &claim.event_type_id)?,
                id: claim.id,
                host: claim.host_user_id,
                start: claim.start_at,
                claim: claim.claim,
                seats: usize::try_from(claim.seats)?,
                seats_taken: usize::try_from(claim.seats_taken)?,
            });
        }
        for hold in hold_list(tx, organization_id, host, range, scene.engine.now()).await? {
            let offer = slug_of(&scene.offers, &hold.event_type_id)?;
            records.holds.push(HoldRow { offer, start: hold.start_at, host: host.clone() });
        }
    }
    Ok(records)
}

async fn appointments(tx: &mut Tx, scene: &Scene, filter: AppointmentFilter) -> Result<Vec<Appointment>> {
    let (organization_id, now) = (&scene.principal.organization_id, scene.engine.now());
    let mut all: Vec<Appointment> = Vec::new();
    loop {
        let last = all.last().map(|row| AppointmentCursor { start_at: row.start_at, id: row.id.clone() });
        let page = appointment_list(tx, organization_id, filter, now, PAGE, last.as_ref()).await?;
        let is_last = page.len() < usize::try_from(PAGE)?;
        all.extend(page);
        if is_last {
            return Ok(all);
        }
    }
}

fn appointment_row(offers: &Offers, row: Appointment) -> Result<AppointmentRow> {
    Ok(AppointmentRow {
        offer: slug_of(offers, &row.event_type_id)?,
        email: row.visitor_email.as_str().to_owned(),
        token_hash: row.manage_token_hash,
        host: row.host_user_id,
        status: row.status,
        start: row.start_at,
        end: row.end_at,
        claim: row.claim,
        claim_id: row.claim_id,
        sequence: row.sequence,
    })
}

fn slug_of(offers: &Offers, id: &EventTypeId) -> Result<&'static str> {
    let found = offers.iter().find(|(_, offer)| offer.id == *id);
    found.map(|(slug, _)| *slug).with_context(|| format!("a row names an event type {id} that was not made here"))
}
