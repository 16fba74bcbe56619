//! What comparing calendars with appointments has found.

use std::fmt;

use cupo_core::{
    ids::{AppointmentId, CalendarId, ClaimId, OrganizationId},
    parse::Slug,
};

/// Which calendars are compared.
#[derive(Debug, Clone)]
pub enum ReconcileScope {
    /// Those of all organizations.
    All,
    /// Those of one, by its slug.
    Organization(Slug),
    /// One calendar.
    Calendar(OrganizationId, CalendarId),
}

/// What is done about what is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mending {
    /// Nothing.
    Report,
    /// Everything that is certain is mended. An event with our mark of which nothing is known here stays: the
    /// appointment may be lost, and the event be all that is left of it.
    Mend,
    /// Such an event is deleted too.
    MendUnknown,
}

impl From<bool> for Mending {
    fn from(mends: bool) -> Self {
        if mends { Self::Mend } else { Self::Report }
    }
}

/// What differed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FindingKind {
    /// A confirmed appointment has no event, and nothing is on its way. It is written.
    Unpushed,
    /// The event of a confirmed appointment is gone. The calendar wins: the appointment is cancelled.
    Gone,
    /// The event is at another time. The calendar wins: the appointment follows.
    Moved,
    /// An event is ours, and its claim has no appointment any more. It is deleted.
    Orphan,
    /// An appointment has a second event in the calendar. It is deleted.
    Duplicate,
    /// An appointment has a second event in another calendar than its own. It is deleted.
    Elsewhere,
    /// An appointment has changed since its event was written, and nothing is on its way. It is written again.
    Outdated,
    /// The event of an appointment was not known to be its event. Now it is.
    Unmapped,
    /// The mirror of the calendar's busy time was wrong. It is replaced.
    Mirror,
    /// An event bears our mark, and nothing is known here of its claim. A person has to look at it.
    Unknown,
}

impl FindingKind {
    /// Its name in reports, in the history and in metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unpushed => "unpushed",
            Self::Gone => "gone",
            Self::Moved => "moved",
            Self::Orphan => "orphan",
            Self::Duplicate => "duplicate",
            Self::Elsewhere => "elsewhere",
            Self::Outdated => "outdated",
            Self::Unmapped => "unmapped",
            Self::Mirror => "mirror",
            Self::Unknown => "unknown",
        }
    }
}

/// What became of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FindingOutcome {
    /// It was only to be reported.
    Found,
    /// It is mended, or the job that mends it is enqueued.
    Mended,
    /// It was left as it is, because of this: `collides` (another appointment is at the event's time), `failed` (the
    /// job that would mend it was given up, and is kept for people to see), `unknown`.
    Left(&'static str),
}

/// One difference between a calendar and the appointments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What differed.
    pub kind: FindingKind,
    /// Whose it is.
    pub organization_id: OrganizationId,
    /// The calendar that was compared.
    pub calendar_id: CalendarId,
    /// Whose event it is.
    pub claim_id: Option<ClaimId>,
    /// The first of the appointments that share the claim.
    pub appointment_id: Option<AppointmentId>,
    /// The provider's id of the event.
    pub event_id: Option<String>,
    /// How many events differed: 1 but for the mirror.
    pub count: usize,
    /// What became of it.
    pub outcome: FindingOutcome,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} calendar={}", self.kind.as_str(), self.calendar_id)?;
        if let Some(id) = &self.appointment_id {
            write!(f, " appointment={id}")?;
        }
        if let Some(id) = &self.claim_id {
            write!(f, " claim={id}")?;
        }
        if let Some(id) = &self.event_id {
            write!(f, " event={id}")?;
        }
        if self.count != 1 {
            write!(f, " events={}", self.count)?;
        }
        match self.outcome {
            FindingOutcome::Found => f.write_str(" found"),
            FindingOutcome::Mended => f.write_str(" mended"),
            FindingOutcome::Left(why) => write!(f, " left ({why})"),
        }
    }
}

/// A calendar that could not be compared. Nothing of it was touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedCalendar {
    /// Whose it is.
    pub organization_id: OrganizationId,
    /// The calendar.
    pub calendar_id: CalendarId,
    /// Why: a code of [`EngineError::code`](crate::EngineError::code), or `overtaken` where it was read by somebody
    /// else each time.
    pub code: &'static str,
}

impl fmt::Display for FailedCalendar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "failed calendar={} ({})", self.calendar_id, self.code)
    }
}

/// All that a comparison has found.
#[derive(Debug, Clone, Default)]
pub struct ReconcileReport {
    /// How many calendars were to be compared.
    pub calendars: usize,
    /// What differed.
    pub findings: Vec<Finding>,
    /// Those that could not be compared.
    pub failed: Vec<FailedCalendar>,
}

impl ReconcileReport {
    /// How many findings are mended.
    #[must_use]
    pub fn mended(&self) -> usize {
        self.findings.iter().filter(|finding| finding.outcome == FindingOutcome::Mended).count()
    }

    /// Whether every calendar was compared and nothing is left to mend.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.failed.is_empty() && self.mended() == self.findings.len()
    }
}

/// One line: `reconciled calendars=N findings=N mended=N failed=N`.
impl fmt::Display for ReconcileReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { calendars, findings, failed } = self;
        let mended = self.mended();
        write!(
            f,
            "reconciled calendars={calendars} findings={} mended={mended} failed={}",
            findings.len(),
            failed.len()
        )
    }
}
