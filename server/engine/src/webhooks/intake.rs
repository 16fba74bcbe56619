//! The queue in which deliveries wait for the transaction before theirs.

use std::{
    collections::VecDeque,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use cupo_store::StoreError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::{Delivery, NotificationOutcome};
use crate::{Engine, EngineError};

/// So many notifications wait or are being written, at most: a second's worth on a slow disk.
const PLACES: usize = 4_096;
/// So many are written together, but a delivery is never divided.
const BATCH: usize = 256;

type Answer = Result<Vec<NotificationOutcome>, EngineError>;

/// A delivery that somebody waits for.
struct Waiting {
    delivery: Delivery,
    answer: oneshot::Sender<Answer>,
    _places: OwnedSemaphorePermit,
}

/// The deliveries that wait. A task that takes them runs for as long as there are any.
pub(crate) struct Intake {
    places: Arc<Semaphore>,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    is_served: bool,
}

impl Default for Intake {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(PLACES)), queue: Mutex::default() }
    }
}

impl Intake {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whoever learns `true` has to serve.
    fn push(&self, waiting: Waiting) -> bool {
        let mut queue = self.lock();
        queue.waiting.push_back(waiting);
        !mem::replace(&mut queue.is_served, true)
    }

    /// Some of what waits; nothing, and nobody serves any more.
    fn take(&self) -> Vec<Waiting> {
        let mut queue = self.lock();
        let (mut taken, mut notifications) = (Vec::new(), 0);
        while let Some(next) = queue.waiting.front() {
            notifications += next.delivery.notifications.len();
            if notifications > BATCH && !taken.is_empty() {
                break;
            }
            taken.extend(queue.waiting.pop_front());
        }
        queue.is_served = !taken.is_empty();
        taken
    }
}

/// Lets another one serve when this one breaks.
struct Serving<'a>(&'a Intake);

impl Drop for Serving<'_> {
    fn drop(&mut self) {
        self.0.lock().is_served = false;
    }
}

impl Engine {
    /// Waits until the delivery is on disk.
    pub(super) async fn take_in(&self, delivery: Delivery) -> Answer {
        let intake = &self.0.intake;
        let count = u32::try_from(delivery.notifications.len()).unwrap_or(u32::MAX);
        let places = intake.places.clone().try_acquire_many_owned(count).map_err(|_| EngineError::Busy)?;
        let (answer, answered) = oneshot::channel();
        if intake.push(Waiting { delivery, answer, _places: places }) {
            let engine = self.clone();
            // A task of its own: the request that began it may be given up while others wait for its outcome.
            tokio::spawn(async move { engine.serve_intake().await });
        }
        answered.await.unwrap_or_else(|error| Err(EngineError::internal("taking notifications", error)))
    }

    async fn serve_intake(&self) {
        let serving = Serving(&self.0.intake);
        loop {
            let taken = self.0.intake.take();
            if taken.is_empty() {
                // That nobody serves is noted already, and perhaps somebody does again.
                return mem::forget(serving);
            }
            self.answer_all(taken).await;
        }
    }

    async fn answer_all(&self, waiting: Vec<Waiting>) {
        let (deliveries, answers): (Vec<_>, Vec<_>) =
            waiting.into_iter().map(|one| (one.delivery, (one.answer, one._places))).unzip();
        // Whoever does not wait any more need not be told.
        let tell = |(answer, _places): (oneshot::Sender<Answer>, _), told: Answer| drop(answer.send(told));
        match self.take_deliveries(&deliveries).await {
            Ok(outcomes) => answers.into_iter().zip(outcomes).for_each(|(answer, outcome)| tell(answer, Ok(outcome))),
            Err(EngineError::Store(StoreError::Retry)) => {
                answers.into_iter().for_each(|answer| tell(answer, Err(StoreError::Retry.into())));
            }
            Err(EngineError::Store(StoreError::Unavailable(why))) => {
                let unavailable = || StoreError::Unavailable(why.clone()).into();
                answers.into_iter().for_each(|answer| tell(answer, Err(unavailable())));
            }
            // One of them harms itself only.
            Err(error) if deliveries.len() > 1 => {
                tracing::warn!(%error, "notifications are taken one by one");
                for (answer, delivery) in answers.into_iter().zip(&deliveries) {
                    let outcomes = self.take_deliveries(std::slice::from_ref(delivery)).await;
                    tell(answer, outcomes.map(|mut outcomes| outcomes.pop().unwrap_or_default()));
                }
            }
            Err(error) => {
                if let Some(answer) = answers.into_iter().next() {
                    tell(answer, Err(error));
                }
            }
        }
    }
}
