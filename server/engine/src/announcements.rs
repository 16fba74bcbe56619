//! What this process tells the others on the same database, and what it does when it hears them.
//!
//! After a commit the organization is announced: the others turn its cached answers out and look for jobs. Announcements are
//! gathered while the one before is under way, so that a busy process makes a few a second, however much it writes. One that is
//! lost costs little: a cached answer is good for a minute at most and a booking always checks again, and workers look for
//! jobs every few seconds anyway.
//!
//! Where something may have been missed, everything cached is void. While nothing can be heard that is told again within
//! [`DEAF`], so that no cached answer is older than that.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use cupo_core::ids::OrganizationId;
use cupo_store::{Admitted, Announcement, DEAF, Heard};
use tokio::{
    sync::Notify,
    time::{MissedTickBehavior, interval, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::Engine;

/// Between two announcements at least.
const REST: Duration = Duration::from_millis(20);
/// Between two announcements when the database refuses them.
const PAUSE: Duration = Duration::from_secs(1);
/// How often it is told what was admitted.
pub const ADMISSIONS_EVERY: Duration = Duration::from_millis(250);

/// Counts of requests that were admitted, of which all processes together admit so many a minute.
pub trait Admissions: Send + Sync {
    /// What this process has admitted since the last call.
    fn take(&self) -> Vec<Admitted>;
    /// Another process has admitted this.
    fn elsewhere(&self, process: &str, admitted: &Admitted);
}

/// What is still to be announced.
#[derive(Debug, Default)]
struct Waiting {
    written: BTreeSet<OrganizationId>,
    work: bool,
}

/// Gathers what is to be announced, while somebody announces it.
#[derive(Debug, Default)]
pub(crate) struct Announcer {
    waiting: Mutex<Option<Waiting>>,
    ring: Notify,
}

impl Announcer {
    /// The organization was written to.
    pub(crate) fn written(&self, organization_id: &OrganizationId) {
        self.note(|waiting| {
            waiting.written.insert(organization_id.clone());
        });
    }

    /// Jobs wait.
    pub(crate) fn work(&self) {
        self.note(|waiting| waiting.work = true);
    }

    fn note(&self, note: impl FnOnce(&mut Waiting)) {
        if let Some(waiting) = self.lock().as_mut() {
            note(waiting);
            self.ring.notify_one();
        }
    }

    /// What waits, if anything does.
    fn take(&self) -> Vec<Announcement> {
        let Waiting { written, work } = self.lock().as_mut().map(std::mem::take).unwrap_or_default();
        let work = work.then_some(Announcement::Work);
        written.into_iter().map(Announcement::Written).chain(work).collect()
    }

    /// It could not be told.
    fn give_back(&self, announcements: Vec<Announcement>) {
        for announcement in announcements {
            match announcement {
                Announcement::Written(organization_id) => self.written(&organization_id),
                Announcement::Work => self.work(),
                // What the others do not learn in time is no use to them.
                Announcement::Admitted(_) => {}
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine {
    /// Tells the other processes on the database what this one commits, and minds what they tell, until `stop`. Stop it after
    /// all else, so that the last commits are told too.
    pub async fn run_announcements(&self, stop: CancellationToken) {
        self.run_announcements_with(stop, None).await;
    }

    /// As [`Self::run_announcements`]; what is admitted is told too, every [`ADMISSIONS_EVERY`].
    pub async fn run_announcements_with(&self, stop: CancellationToken, admissions: Option<Arc<dyn Admissions>>) {
        let process = self.0.process.as_str();
        let announcer = &self.0.announcer;
        let announces = self.0.store.announces();
        if announces {
            *announcer.lock() = Some(Waiting::default());
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.announce(process, admissions.as_deref()), if announces => {}
            () = self.listen(process, admissions.as_deref()) => {}
        }
        let last = announcer.take();
        *announcer.lock() = None;
        match timeout(PAUSE, self.0.store.announce(process, &last)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the last commits could not be announced to the other processes"),
            Err(_) => tracing::warn!("the last commits could not be announced to the other processes in time"),
        }
    }

    async fn announce(&self, process: &str, admissions: Option<&dyn Admissions>) {
        let announcer = &self.0.announcer;
        let mut tick = interval(ADMISSIONS_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut is_mute = false;
        loop {
            let admitted = tokio::select! {
                () = announcer.ring.notified() => Vec::new(),
                _ = tick.tick(), if admissions.is_some() => admissions.map(Admissions::take).unwrap_or_default(),
            };
            let mut batch = announcer.take();
            batch.extend(admitted.into_iter().map(Announcement::Admitted));
            if batch.is_empty() {
                continue;
            }
            match self.0.store.announce(process, &batch).await {
                Ok(()) => {
                    is_mute = false;
                    sleep(REST).await;
                }
                Err(error) => {
                    if !std::mem::replace(&mut is_mute, true) {
                        tracing::warn!(%error, "nothing can be announced to the other processes");
                    }
                    announcer.give_back(batch);
                    sleep(PAUSE).await;
                }
            }
        }
    }

    async fn listen(&self, process: &str, admissions: Option<&dyn Admissions>) {
        let mut announcements = self.0.store.announcements(process);
        let mut is_deaf = false;
        loop {
            match announcements.next().await {
                Heard::Announced { from, announcements } => {
                    for announcement in announcements {
                        self.heed(&from, announcement, admissions);
                    }
                }
                Heard::Missed => {
                    if std::mem::take(&mut is_deaf) {
                        tracing::info!("the other processes can be heard again");
                    }
                    self.heed_anything();
                }
                Heard::Deaf(error) => {
                    if !std::mem::replace(&mut is_deaf, true) {
                        let seconds = DEAF.as_secs();
                        tracing::warn!(%error, seconds, "other processes cannot be heard: nothing is cached for longer");
                    }
                    self.heed_anything();
                }
            }
        }
    }

    fn heed(&self, process: &str, announcement: Announcement, admissions: Option<&dyn Admissions>) {
        match announcement {
            Announcement::Written(organization_id) => {
                self.invalidate(&organization_id);
                self.0.wake.notify_one();
            }
            Announcement::Work => self.0.wake.notify_one(),
            Announcement::Admitted(admitted) => {
                if let Some(admissions) = admissions {
                    admissions.elsewhere(process, &admitted);
                }
            }
        }
    }

    /// Anything may have happened.
    fn heed_anything(&self) {
        self.0.availability.invalidate_all();
        self.0.wake.notify_one();
    }
}
