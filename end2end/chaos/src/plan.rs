//! The plan: who does what and what goes wrong, when. It is a pure function of the seed, the number of faults and the
//! store.
//!
//! A step holds dice rather than choices: which of the bookings, events or processes that exist then it concerns is
//! read from its dice when it is performed. So the plan repeats exactly; how the processes interleave does not.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

/// The mean time from one fault to the next.
const BETWEEN_FAULTS: u64 = 600;
/// The mean time from one action to the next.
const BETWEEN_ACTIONS: u64 = 240;
/// Before anything goes wrong there is something to lose.
const LEAD: Duration = Duration::from_secs(2);
/// From so many faults on there is time for those that last.
const LONG_RUN: u32 = 400;

/// Which database the product runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Store {
    Sqlite,
    Postgres,
}

/// Who can fail on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    Google,
    Microsoft,
    Caldav,
}

/// What somebody does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// A visitor books what is free.
    Book,
    /// Several visitors book the same at the same time.
    Contend,
    /// A visitor moves a booking.
    Reschedule,
    /// A visitor cancels a booking.
    Cancel,
    /// A host moves an event of ours in the calendar.
    MoveEvent,
    /// A host deletes an event of ours in the calendar.
    DeleteEvent,
    /// A host carries an event of ours into another of their calendars.
    CarryEvent,
    /// A host cancels an appointment on the dashboard.
    CancelAsHost,
    /// A host agrees to a request, or does not.
    Decide,
    /// A host adds an event of their own.
    AddForeign,
    /// A host moves an event of their own.
    MoveForeign,
    /// A host deletes an event of their own.
    DeleteForeign,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A process is killed, and started again after a pause.
    Kill { pause: Duration },
    /// A provider refuses requests and does nothing.
    Refusal { provider: Provider, status: u16, retry_after: Option<u64>, times: u32 },
    /// A provider is slow.
    Delay { provider: Provider, delay: Duration },
    /// A provider does what was asked and does not answer.
    LostAnswer { provider: Provider, times: u32, of_writes: bool },
    /// A notification is not sent.
    LostNotification { provider: Provider, times: u32 },
    /// A notification is sent twice.
    DoubledNotification { provider: Provider, times: u32 },
    /// A notification comes late, and those after it later still.
    LateNotification { provider: Provider, delay: Duration },
    /// A notification is overtaken by those after it.
    OvertakenNotification { provider: Provider, delay: Duration },
    /// No sync cursor is good any more.
    ExpiredCursors { provider: Provider },
    /// Every channel or subscription is gone without a word.
    ExpiredChannels { provider: Provider },
    /// An account's tokens are revoked; its host signs in again after a while.
    Revoked { signs_in_after: Duration },
    /// Every access token ends at once, while all are busy.
    RefreshRace { provider: Provider },
    /// The mail server refuses for now.
    MailRefusal { code: u16, times: u32 },
    /// No file of a process can grow for a while.
    FullDisk { lasts: Duration },
    /// The database is restarted without a farewell.
    DatabaseRestart,
    /// The clock of a process, or of all, jumps ahead and comes back later.
    ClockStep { seconds: i64, lasts: Duration, of_all: bool },
}

/// Something that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    Act(Act),
    Fault(u32, Fault),
}

/// Something that happens at some time after the start, and the dice that choose what it concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    pub at: Duration,
    pub what: What,
    pub dice: Dice,
}

/// Numbers that a step was given, to choose by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dice(u64);

impl Dice {
    pub fn new(number: u64) -> Self {
        Self(number)
    }

    /// A number from 0 to `sides` (exclusive); another one for each purpose.
    pub fn below(self, purpose: u64, sides: usize) -> usize {
        let mixed = StdRng::seed_from_u64(self.0 ^ purpose.wrapping_mul(0x9e37_79b9_7f4a_7c15)).random::<u64>();
        usize::try_from(mixed % u64::try_from(sides.max(1)).unwrap_or(1)).unwrap_or(0)
    }

    /// One of several, if there is any.
    pub fn choose<T>(self, purpose: u64, of: &[T]) -> Option<&T> {
        of.get(self.below(purpose, of.len()))
    }
}

/// Everything that happens, in the order of time.
pub fn plan(seed: u64, faults: u32, store: Store) -> Vec<Step> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut steps = Vec::new();
    let mut at = LEAD;
    for number in 1..=faults {
        at += pause(&mut random, BETWEEN_FAULTS);
        let fault = fault(&mut random, store, faults >= LONG_RUN);
        steps.push(Step { at, what: What::Fault(number, fault), dice: Dice(random.random()) });
    }
    let end = at;
    let mut at = Duration::ZERO;
    while at < end {
        at += pause(&mut random, BETWEEN_ACTIONS);
        steps.push(Step { at, what: What::Act(act(&mut random)), dice: Dice(random.random()) });
    }
    steps.sort_by_key(|step| step.at);
    steps
}

/// Half to one and a half times the mean.
fn pause(random: &mut StdRng, mean: u64) -> Duration {
    Duration::from_millis(random.random_range(mean / 2..=mean + mean / 2))
}

fn seconds(random: &mut StdRng, from: u64, to: u64) -> Duration {
    Duration::from_millis(random.random_range(from * 1_000..=to * 1_000))
}

fn act(random: &mut StdRng) -> Act {
    match random.random_range(0..100) {
        0..37 => Act::Book,
        37..45 => Act::Contend,
        45..56 => Act::Reschedule,
        56..65 => Act::Cancel,
        65..72 => Act::MoveEvent,
        72..75 => Act::DeleteEvent,
        75 => Act::CarryEvent,
        76..79 => Act::CancelAsHost,
        79..86 => Act::Decide,
        86..94 => Act::AddForeign,
        94..97 => Act::MoveForeign,
        _ => Act::DeleteForeign,
    }
}

fn any_provider(random: &mut StdRng) -> Provider {
    match random.random_range(0..5) {
        0..2 => Provider::Google,
        2..4 => Provider::Microsoft,
        _ => Provider::Caldav,
    }
}

/// One that sends notifications and gives tokens.
fn big_provider(random: &mut StdRng) -> Provider {
    if random.random() { Provider::Google } else { Provider::Microsoft }
}

fn fault(random: &mut StdRng, store: Store, is_long: bool) -> Fault {
    let times = |random: &mut StdRng| random.random_range(1..=4);
    match random.random_range(0..100) {
        0..12 => Fault::Kill { pause: seconds(random, 0, 3) },
        12..22 => Fault::Refusal {
            provider: any_provider(random),
            status: 429,
            retry_after: Some(random.random_range(1..=5)),
            times: times(random),
        },
        22..32 => Fault::Refusal {
            provider: any_provider(random),
            status: [500, 502, 503, 504][random.random_range(0..4)],
            retry_after: None,
            times: times(random),
        },
        32..38 => {
            // Beyond the transport's time-out of 10 seconds now and then, where there is time.
            let longest = if is_long && random.random_ratio(1, 4) { 12 } else { 4 };
            Fault::Delay { provider: any_provider(random), delay: seconds(random, 1, longest) }
        }
        38..51 => Fault::LostAnswer {
            provider: any_provider(random),
            times: random.random_range(1..=3),
            of_writes: random.random_ratio(2, 3),
        },
        51..57 => Fault::LostNotification { provider: big_provider(random), times: times(random) },
        57..61 => Fault::DoubledNotification { provider: big_provider(random), times: times(random) },
        61..65 => Fault::LateNotification { provider: big_provider(random), delay: seconds(random, 1, 4) },
        65..69 => Fault::OvertakenNotification { provider: big_provider(random), delay: seconds(random, 1, 4) },
        69..74 => Fault::ExpiredCursors { provider: any_provider(random) },
        74..77 => Fault::ExpiredChannels { provider: big_provider(random) },
        77..80 => Fault::Revoked { signs_in_after: seconds(random, 1, 6) },
        80..86 => Fault::RefreshRace { provider: big_provider(random) },
        86..91 => Fault::MailRefusal { code: [421, 450, 451, 452][random.random_range(0..4)], times: times(random) },
        91..95 => match store {
            Store::Sqlite => Fault::FullDisk { lasts: seconds(random, 1, 2) },
            Store::Postgres => Fault::DatabaseRestart,
        },
        _ => Fault::ClockStep {
            seconds: if is_long { random.random_range(60..=240) } else { random.random_range(20..=45) },
            lasts: seconds(random, 2, 8),
            of_all: random.random(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plan_is_a_pure_function_of_the_seed() {
        assert_eq!(plan(7, 100, Store::Sqlite), plan(7, 100, Store::Sqlite));
        assert_ne!(plan(7, 100, Store::Sqlite), plan(8, 100, Store::Sqlite));
    }

    #[test]
    fn every_fault_is_numbered_once_and_a_long_run_knows_every_kind() {
        let steps = plan(1, 1_000, Store::Postgres);
        let mut kinds = std::collections::BTreeSet::new();
        let mut numbers = Vec::new();
        for step in steps {
            if let What::Fault(number, fault) = step.what {
                numbers.push(number);
                kinds.insert(std::mem::discriminant(&fault).hash_of());
            }
        }
        assert_eq!(numbers, (1..=1_000).collect::<Vec<_>>());
        // Of the sixteen kinds one belongs to the other store.
        assert_eq!(kinds.len(), 15);
    }

    trait HashOf {
        fn hash_of(&self) -> u64;
    }

    impl<T: std::hash::Hash> HashOf for T {
        fn hash_of(&self) -> u64 {
            use std::hash::{DefaultHasher, Hasher as _};
            let mut hasher = DefaultHasher::new();
            self.hash(&mut hasher);
            hasher.finish()
        }
    }
}
