//! Comparing what stands in the calendars with the appointments, and mending what differs.
//!
//! The sync follows changes; here a calendar is read whole, and all that an interrupted write, a lost answer or a
//! restored database can leave behind is looked for. Nothing is destroyed on partial knowledge:
//! - a calendar that cannot be read to its end is left alone and reported;
//! - an event is deleted only if Cupo made that very event (its identity follows from its mark, so it is no copy that a
//!   person made), if its claim can have no appointment any more, or has another event that the provider has just
//!   shown;
//! - an appointment is cancelled only after the provider was asked for its very event;
//! - what is decided is read in the transaction that decides it, after the provider was asked. A claim without a
//!   pending or confirmed appointment never has one again, so what is an orphan stays one; what was booked meanwhile is
//!   seen as booked.
//!
//! Writing and deleting events is left to jobs, which are enqueued in the transaction that found them necessary.

mod compare;
mod nightly;
mod orphans;
mod report;

use cupo_core::ids::{CalendarId, OrganizationId};
use cupo_store::{Calendar, Provider, account_get, calendar_get, calendar_set_reconciled, calendars_to_reconcile};
use futures::{StreamExt, stream};

use crate::{Engine, EngineError, engine::transact};
pub use report::{FailedCalendar, Finding, FindingKind, FindingOutcome, Mending, ReconcileReport, ReconcileScope};

/// How often a calendar is read anew that somebody else read meanwhile.
const ROUNDS: usize = 3;
/// How many calendars are compared at once on demand.
const AT_ONCE: usize = 4;

impl Engine {
    /// Compares calendars with the appointments now: those of active accounts into which events can be written, or
    /// whose events block slots. Mending that needs a provider is left to jobs.
    ///
    /// # Errors
    /// Only of the store, before the first calendar; a calendar that cannot be compared is told in the report.
    pub async fn reconcile(
        &self,
        scope: ReconcileScope,
        mending: impl Into<Mending>,
    ) -> Result<ReconcileReport, EngineError> {
        let mending = mending.into();
        let calendars: Vec<(OrganizationId, CalendarId)> = match scope {
            ReconcileScope::Calendar(organization_id, calendar_id) => vec![(organization_id, calendar_id)],
            ReconcileScope::All => self.all_to_reconcile(None).await?,
            ReconcileScope::Organization(slug) => self.all_to_reconcile(Some(&slug)).await?,
        };
        let mut report = ReconcileReport { calendars: calendars.len(), ..ReconcileReport::default() };
        let compared = stream::iter(calendars).map(|(organization_id, calendar_id)| async move {
            let outcome = self.reconcile_calendar(&organization_id, &calendar_id, mending).await;
            (organization_id, calendar_id, outcome)
        });
        let mut compared = compared.buffered(AT_ONCE);
        while let Some((organization_id, calendar_id, outcome)) = compared.next().await {
            let code = match outcome {
                Ok(Some(findings)) => {
                    report.findings.extend(findings);
                    continue;
                }
                Ok(None) => "overtaken",
                Err(error) => {
                    tracing::warn!(calendar = %calendar_id, %error, "a calendar could not be compared");
                    error.code()
                }
            };
            report.failed.push(FailedCalendar { organization_id, calendar_id, code });
        }
        Ok(report)
    }

    async fn all_to_reconcile(
        &self,
        organization: Option<&cupo_core::parse::Slug>,
    ) -> Result<Vec<(OrganizationId, CalendarId)>, EngineError> {
        let tx = &mut self.0.store.read().await?;
        if let Some(slug) = organization
            && cupo_store::organization_get_by_slug(tx, slug).await?.is_none()
        {
            return Err(EngineError::NotFound("organization"));
        }
        let all = calendars_to_reconcile(tx, organization).await?;
        Ok(all.into_iter().map(|calendar| (calendar.organization_id, calendar.calendar_id)).collect())
    }

    /// Compares one calendar; `None` when somebody else read it each time it was asked.
    pub(crate) async fn reconcile_calendar(
        &self,
        organization_id: &OrganizationId,
        calendar_id: &CalendarId,
        mending: Mending,
    ) -> Result<Option<Vec<Finding>>, EngineError> {
        for _ in 0..ROUNDS {
            let Some(compared) = self.compared(organization_id, calendar_id).await? else {
                return Ok(Some(Vec::new()));
            };
            let mut round = self.whole_round(&compared.calendar).await?;
            let marked = self.marked_events(&compared, &mut round).await?;
            let Some(findings) = self.compare(&compared, &round, &marked, mending).await? else { continue };
            if mending != Mending::Report {
                self.committed(organization_id);
            }
            for finding in &findings {
                let kind = finding.kind.as_str();
                metrics::counter!("cupo_reconcile_findings_total", "kind" => kind).increment(finding.count as u64);
                tracing::warn!(%finding, "a calendar and the appointments differed");
            }
            return Ok(Some(findings));
        }
        Ok(None)
    }

    async fn compared(
        &self,
        organization_id: &OrganizationId,
        calendar_id: &CalendarId,
    ) -> Result<Option<Compared>, EngineError> {
        let tx = &mut self.0.store.read().await?;
        let Some(calendar) = calendar_get(tx, organization_id, calendar_id).await? else { return Ok(None) };
        let Some(account) = account_get(tx, organization_id, &calendar.account_id).await? else { return Ok(None) };
        let is_in_use = self.is_in_use(tx, &calendar).await?;
        Ok(Some(Compared { calendar, provider: account.provider, is_in_use }))
    }

    /// Says that a calendar was not compared and is not tried again tonight.
    pub(crate) async fn reconcile_skipped(
        &self,
        organization_id: &OrganizationId,
        calendar_id: &CalendarId,
    ) -> Result<(), EngineError> {
        transact!(self, tx => {
            calendar_set_reconciled(tx, organization_id, calendar_id, self.now()).await?;
        })
    }
}

/// A calendar that is compared.
struct Compared {
    /// As it was before its provider was asked.
    calendar: Calendar,
    provider: Provider,
    /// Whether it is mirrored. Of another one only our own events matter.
    is_in_use: bool,
}
