//! The running simulator: its world behind one lock, and what happens around every change.

use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use chrono::{DateTime, Utc};
use http::{HeaderMap, StatusCode};

use super::channels::{Delivery, Queues};
use super::faults::Fault;
use super::quota::{Quota, QuotaSettings};
use super::scopes::Method;
use super::wire::ApiError;
use super::world::World;
use super::{GoogleOptions, conference};
use crate::faults::{Strike, Struck};
use crate::recorder::{Exchange, Recording, bearer};
use crate::simulation::{Simulation, lock};

/// Everything that the handlers share.
#[derive(Debug)]
pub struct Google {
    simulation: Simulation<World, Fault, Delivery>,
    pub delivery_retry: Duration,
    options: GoogleOptions,
    queues: Mutex<Queues>,
    quota: Mutex<Quota>,
}

/// Clock, world and logs are reached as its own.
impl Deref for Google {
    type Target = Simulation<World, Fault, Delivery>;

    fn deref(&self) -> &Self::Target {
        &self.simulation
    }
}

impl Google {
    /// The world of `options`, or the one kept in its state file.
    pub fn new(options: GoogleOptions, base_url: String) -> anyhow::Result<Arc<Self>> {
        options.quota.check()?;
        let simulation = Simulation::new(base_url, options.state_file.clone(), |now| World::new(&options, now))?;
        simulation.change(|world| world.register(&options))?;
        Ok(Arc::new(Self {
            simulation,
            delivery_retry: options.delivery_retry,
            quota: Mutex::new(Quota::new(options.quota)),
            options,
            queues: Mutex::default(),
        }))
    }

    pub(super) fn queues(&self) -> MutexGuard<'_, Queues> {
        lock(&self.queues)
    }

    /// Writes to the events of one calendar; when something changed there, its channels are told.
    pub fn write<T>(
        self: &Arc<Self>,
        calendar_id: &str,
        apply: impl FnOnce(&mut World) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        self.settle_conferences();
        let (result, changed) = {
            let mut world = self.world();
            let change = |world: &World| world.calendars.get(calendar_id).map(|calendar| calendar.change);
            let before = change(&world);
            let result = apply(&mut world);
            (result, change(&world) != before)
        };
        if changed {
            self.calendar_changed(calendar_id);
        }
        result
    }

    /// Brings pending conferences up to the clock.
    pub fn settle_conferences(self: &Arc<Self>) {
        let changed = conference::settle(&mut self.world(), self.clock.now());
        for calendar_id in changed {
            self.calendar_changed(&calendar_id);
        }
    }

    fn calendar_changed(self: &Arc<Self>, calendar_id: &str) {
        self.count_change();
        self.notify_calendar(calendar_id);
        let now = self.clock.now();
        let next = {
            let world = self.world();
            let events = world.calendars.get(calendar_id).map(|calendar| calendar.events.values());
            events.into_iter().flatten().filter_map(|event| event.conference_ready_at).min()
        };
        if let Some(ready_at) = next {
            let pause = (ready_at - now).to_std().unwrap_or_default() + Duration::from_millis(2);
            let google = Arc::clone(self);
            self.spawn(async move {
                tokio::time::sleep(pause).await;
                google.settle_conferences();
            });
        }
    }

    /// The account that sent a request, if its token is live and opens `method`, and its quota is not used up.
    pub fn caller(&self, headers: &HeaderMap, method: Method) -> Result<String, ApiError> {
        let unauthorized = |reason: &str, message: &str| {
            ApiError::new(StatusCode::UNAUTHORIZED, reason, message).at("header", "Authorization")
        };
        let token = bearer(headers).ok_or_else(|| unauthorized("required", "Login Required."))?;
        let now = self.clock.now();
        let grant = self.world().tokens.grant(token, now);
        let (account, scopes) = grant.ok_or_else(|| unauthorized("authError", "Invalid Credentials"))?;
        if !method.is_open_to(scopes.iter().map(String::as_str)) {
            let message = "Request had insufficient authentication scopes.";
            return Err(ApiError::new(StatusCode::FORBIDDEN, "insufficientPermissions", message));
        }
        lock(&self.quota).spend(&account, now)?;
        Ok(account)
    }

    /// The quotas from now on; what was spent in this minute is forgotten.
    pub fn set_quota(&self, settings: QuotaSettings) -> anyhow::Result<()> {
        settings.check()?;
        *lock(&self.quota) = Quota::new(settings);
        Ok(())
    }

    /// Back to the world of the options, with the machine's time and without faults and logs.
    pub fn reset(&self) -> anyhow::Result<()> {
        self.start_over(|now| World::new(&self.options, now))?;
        *lock(&self.quota) = Quota::new(self.options.quota);
        *self.queues() = Queues::default();
        Ok(())
    }
}

impl Recording for Google {
    fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    fn account(&self, access_token: &str, now: DateTime<Utc>) -> Option<String> {
        self.world().tokens.account(access_token, now)
    }

    fn record(&self, exchange: Exchange) {
        self.record_exchange(exchange);
    }
}

impl Struck for Google {
    fn strike(&self, method: &str, path: &str) -> Option<Strike> {
        self.faults().for_request(method, path).map(|fault| fault.strike(path))
    }
}
