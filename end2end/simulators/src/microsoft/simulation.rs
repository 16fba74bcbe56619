//! The running simulator: what it has beside the world that every simulated provider has.

use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::deliveries::{Delivery, Queues};
use super::faults::Fault;
use super::graph::error::GraphError;
use super::options::MicrosoftOptions;
use super::throttle::Throttle;
use super::world::World;
use crate::faults::{Strike, Struck};
use crate::recorder::{Exchange, Recording};
use crate::simulation::{Simulation, lock};

/// Everything that the handlers share.
#[derive(Debug)]
pub struct Microsoft {
    simulation: Simulation<World, Fault, Delivery>,
    pub delivery_retry: Duration,
    pub validation_patience: Duration,
    pub requests_per_ten_minutes: Option<usize>,
    pub concurrent_requests: Option<usize>,
    pub throttle: Throttle,
    options: MicrosoftOptions,
    queues: Mutex<Queues>,
}

/// Clock, world and logs are reached as its own.
impl Deref for Microsoft {
    type Target = Simulation<World, Fault, Delivery>;

    fn deref(&self) -> &Self::Target {
        &self.simulation
    }
}

impl Microsoft {
    /// The world of `options`, or the one kept in its state file.
    pub fn new(options: MicrosoftOptions, base_url: String) -> anyhow::Result<Arc<Self>> {
        let simulation = Simulation::new(base_url, options.state_file.clone(), |now| World::new(&options, now))?;
        simulation.change(|world| world.register(&options.clients));
        Ok(Arc::new(Self {
            simulation,
            delivery_retry: options.delivery_retry,
            validation_patience: options.validation_patience,
            requests_per_ten_minutes: options.requests_per_ten_minutes,
            concurrent_requests: options.concurrent_requests,
            throttle: Throttle::default(),
            options,
            queues: Mutex::default(),
        }))
    }

    pub(super) fn queues(&self) -> MutexGuard<'_, Queues> {
        lock(&self.queues)
    }

    /// Writes to events; the subscriptions are told what changed.
    pub fn write<T>(
        self: &Arc<Self>,
        apply: impl FnOnce(&mut World) -> Result<T, GraphError>,
    ) -> Result<T, GraphError> {
        let (result, journal) = {
            let mut world = self.world();
            let result = apply(&mut world);
            (result, world.take_journal())
        };
        if !journal.is_empty() {
            self.count_change();
            self.tell(&journal);
        }
        result
    }

    /// Back to the world of the options, with the machine's time and without faults and logs.
    pub fn reset(&self) -> anyhow::Result<()> {
        self.start_over(|now| World::new(&self.options, now))?;
        self.throttle.clear();
        *self.queues() = Queues::default();
        Ok(())
    }
}

impl Recording for Microsoft {
    fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    fn account(&self, access_token: &str, now: DateTime<Utc>) -> Option<String> {
        self.world().tokens.grant(access_token, now).and_then(|grant| grant.account.clone())
    }

    fn record(&self, exchange: Exchange) {
        self.record_exchange(exchange);
    }
}

impl Struck for Microsoft {
    fn strike(&self, method: &str, path: &str) -> Option<Strike> {
        self.faults().for_request(method, path).map(|fault| fault.strike(path, self.clock.now()))
    }
}
