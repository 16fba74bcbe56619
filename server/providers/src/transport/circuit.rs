//! Circuits: a server that is dead is not asked again for a while, so that nobody waits for its time-outs.
//!
//! A circuit belongs to one provider and host. It opens when nothing but failures came back for a while: no answer, or an
//! answer that says that the server itself is broken. Anything else is a sign of life, a refusal as well as a 429. One
//! hung mailbox does not open it for everybody: failures that a mailbox may be to blame for must come from two accounts.
//! When it has been open for its cool-down, a single request is let through; its fate decides.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// When a circuit opens, and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CircuitConfig {
    /// Failures in a row that open it.
    pub failures: usize,
    /// An older failure does not count.
    pub window: Duration,
    /// How long it stays open at first; twice as long after each probe that fails. A quarter is added or taken at random.
    pub cool_down: Duration,
    pub longest_cool_down: Duration,
}

impl Default for CircuitConfig {
    fn default() -> Self {
        Self {
            failures: 10,
            window: Duration::from_secs(60),
            cool_down: Duration::from_secs(10),
            longest_cool_down: Duration::from_secs(120),
        }
    }
}

/// How a host fares whose last answer was a failure. Of the others there is nothing to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CircuitState {
    pub provider: &'static str,
    /// With the port where it is not the scheme's own.
    pub host: String,
    pub phase: CircuitPhase,
    /// Since when it has been in this phase; a closed one, since its first failure.
    pub since: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CircuitPhase {
    /// Requests go through.
    Closed,
    /// None does.
    Open,
    /// One is under way that will tell.
    HalfOpen,
}

/// What an attempt says of the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    Alive,
    /// It accepted the request and did not answer properly: the mailbox may be to blame.
    Failed,
    /// There was no connection: no mailbox is to blame.
    Unreachable,
}

#[derive(Debug)]
pub(super) struct Circuits {
    config: CircuitConfig,
    hosts: Mutex<HashMap<Key, Circuit>>,
}

type Key = (&'static str, String);

#[derive(Debug)]
struct Circuit {
    phase: CircuitPhase,
    since: Instant,
    /// Those in a row, the latest at the end; the account that may be to blame, if one may.
    failures: VecDeque<(Instant, Option<Arc<str>>)>,
    cool_down: Duration,
    open_until: Instant,
}

/// The leave to send one request. To be told what came of it; one that is dropped before says nothing.
#[derive(Debug)]
pub(super) struct Permit<'a> {
    circuits: &'a Circuits,
    key: Key,
    is_probe: bool,
    is_settled: bool,
}

impl Circuits {
    pub(super) fn new(config: CircuitConfig) -> Self {
        Self { config, hosts: Mutex::default() }
    }

    /// Leave to send a request, or `None` while the circuit is open.
    pub(super) fn admit(&self, provider: &'static str, host: &str) -> Option<Permit<'_>> {
        let key = (provider, host.to_owned());
        let mut hosts = self.hosts();
        let is_probe = match hosts.get_mut(&key) {
            None => false,
            Some(circuit) => match circuit.phase {
                CircuitPhase::Closed => false,
                CircuitPhase::Open if circuit.open_until <= Instant::now() => {
                    circuit.enter(CircuitPhase::HalfOpen);
                    true
                }
                CircuitPhase::Open | CircuitPhase::HalfOpen => return None,
            },
        };
        Some(Permit { circuits: self, key, is_probe, is_settled: false })
    }

    pub(super) fn states(&self) -> Vec<CircuitState> {
        let hosts = self.hosts();
        let state = |((provider, host), circuit): (&Key, &Circuit)| CircuitState {
            provider,
            host: host.clone(),
            phase: circuit.phase,
            since: circuit.since,
        };
        let mut states: Vec<_> = hosts.iter().map(state).collect();
        states.sort_by(|one, other| (one.provider, &one.host).cmp(&(other.provider, &other.host)));
        states
    }

    fn hosts(&self) -> MutexGuard<'_, HashMap<Key, Circuit>> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn alive(&self, key: &Key) {
        if let Some(circuit) = self.hosts().remove(key)
            && circuit.phase != CircuitPhase::Closed
        {
            metrics::gauge!("provider_circuit_open", "provider" => key.0).decrement(1.0);
            tracing::info!(provider = key.0, host = key.1, "a provider answers again");
        }
    }

    fn failed(&self, key: &Key, account: Option<Arc<str>>, is_probe: bool) {
        let now = Instant::now();
        let mut hosts = self.hosts();
        // A host that nobody has called since is forgotten: hosts are whatever users type in.
        let is_recent = |at: &Instant| now - *at <= self.config.window;
        hosts.retain(|known, circuit| {
            known == key
                || circuit.phase != CircuitPhase::Closed
                || circuit.failures.back().is_some_and(|(at, _)| is_recent(at))
        });
        let circuit = hosts.entry(key.clone()).or_insert_with(|| Circuit {
            phase: CircuitPhase::Closed,
            since: now,
            failures: VecDeque::new(),
            cool_down: self.config.cool_down,
            open_until: now,
        });
        if circuit.phase != CircuitPhase::Closed {
            // Only the probe's fate counts; the others were sent before the circuit opened.
            if is_probe {
                circuit.cool_down = (circuit.cool_down * 2).min(self.config.longest_cool_down);
                circuit.open();
            }
            return;
        }
        circuit.failures.retain(|(at, _)| is_recent(at));
        circuit.failures.push_back((now, account));
        if circuit.failures.len() > self.config.failures {
            circuit.failures.pop_front();
        }
        circuit.since = circuit.failures[0].0;
        if circuit.failures.len() >= self.config.failures && circuit.is_the_hosts_fault() {
            circuit.open();
            metrics::gauge!("provider_circuit_open", "provider" => key.0).increment(1.0);
            tracing::warn!(provider = key.0, host = key.1, "a provider does not answer and is left alone for a while");
        }
    }

    /// The probe ended without a word: the next request is one.
    fn untold(&self, key: &Key) {
        if let Some(circuit) = self.hosts().get_mut(key)
            && circuit.phase == CircuitPhase::HalfOpen
        {
            circuit.enter(CircuitPhase::Open);
            circuit.open_until = Instant::now();
        }
    }
}

impl Circuit {
    fn enter(&mut self, phase: CircuitPhase) {
        (self.phase, self.since) = (phase, Instant::now());
    }

    fn open(&mut self) {
        self.enter(CircuitPhase::Open);
        self.open_until = Instant::now() + self.cool_down.mul_f64(rand::random_range(0.75..1.25));
    }

    fn is_the_hosts_fault(&self) -> bool {
        let (_, first) = &self.failures[0];
        self.failures.iter().any(|(_, account)| account.is_none() || account != first)
    }
}

impl Permit<'_> {
    /// `account` is the one that the request was for; what is for none is about the host.
    pub(super) fn settle(mut self, sign: Sign, account: Option<&Arc<str>>) {
        self.is_settled = true;
        match sign {
            Sign::Alive => self.circuits.alive(&self.key),
            Sign::Failed => self.circuits.failed(&self.key, account.cloned(), self.is_probe),
            Sign::Unreachable => self.circuits.failed(&self.key, None, self.is_probe),
        }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if self.is_probe && !self.is_settled {
            self.circuits.untold(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "api.example";

    fn circuits() -> Circuits {
        Circuits::new(CircuitConfig { failures: 4, ..CircuitConfig::default() })
    }

    fn one(circuits: &Circuits, sign: Sign, account: &str) {
        circuits.admit("google", HOST).expect("the circuit is closed").settle(sign, Some(&Arc::from(account)));
    }

    fn phase(circuits: &Circuits) -> Option<CircuitPhase> {
        circuits.states().first().map(|state| state.phase)
    }

    /// Past any cool-down that has not been doubled.
    async fn cool_down(circuits: &Circuits) {
        tokio::time::advance(circuits.config.cool_down.mul_f64(1.25)).await;
    }

    fn open(circuits: &Circuits) {
        for account in ["ana", "ben", "ana", "ben"] {
            one(circuits, Sign::Failed, account);
        }
        assert_eq!(phase(circuits), Some(CircuitPhase::Open));
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_that_fails_everybody_is_left_alone_until_its_cool_down_is_over() {
        let circuits = circuits();
        one(&circuits, Sign::Failed, "ana");
        one(&circuits, Sign::Failed, "ben");
        one(&circuits, Sign::Failed, "ana");
        assert_eq!(phase(&circuits), Some(CircuitPhase::Closed));
        one(&circuits, Sign::Failed, "ben");
        assert_eq!(phase(&circuits), Some(CircuitPhase::Open));
        tokio::time::advance(circuits.config.cool_down.mul_f64(0.7)).await;
        assert!(circuits.admit("google", HOST).is_none());
        assert!(circuits.admit("google", "other.example").is_some());
        assert!(circuits.admit("microsoft", HOST).is_some());
        cool_down(&circuits).await;
        assert!(circuits.admit("google", HOST).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_single_probe_is_let_through_and_its_success_closes_the_circuit() {
        let circuits = circuits();
        open(&circuits);
        cool_down(&circuits).await;
        let probe = circuits.admit("google", HOST).unwrap();
        assert_eq!(phase(&circuits), Some(CircuitPhase::HalfOpen));
        assert!(circuits.admit("google", HOST).is_none());
        probe.settle(Sign::Alive, None);
        assert_eq!(circuits.states(), []);
        assert!(circuits.admit("google", HOST).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn each_probe_that_fails_doubles_the_cool_down_up_to_its_limit() {
        let circuits = circuits();
        open(&circuits);
        let mut longest = circuits.config.cool_down;
        for _ in 0..8 {
            tokio::time::advance(longest.mul_f64(1.25)).await;
            circuits.admit("google", HOST).unwrap().settle(Sign::Failed, None);
            longest = (longest * 2).min(circuits.config.longest_cool_down);
            tokio::time::advance(longest.mul_f64(0.7)).await;
            assert!(circuits.admit("google", HOST).is_none());
        }
        assert_eq!(longest, circuits.config.longest_cool_down);
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_is_given_up_leaves_the_next_one_to_tell() {
        let circuits = circuits();
        open(&circuits);
        cool_down(&circuits).await;
        drop(circuits.admit("google", HOST).unwrap());
        assert_eq!(phase(&circuits), Some(CircuitPhase::Open));
        circuits.admit("google", HOST).unwrap().settle(Sign::Alive, None);
        assert_eq!(circuits.states(), []);
    }

    #[tokio::test(start_paused = true)]
    async fn a_sign_of_life_starts_the_count_anew() {
        let circuits = circuits();
        for _ in 0..10 {
            for account in ["ana", "ben", "carla"] {
                one(&circuits, Sign::Failed, account);
            }
            one(&circuits, Sign::Alive, "dora");
        }
        assert_eq!(circuits.states(), []);
    }

    #[tokio::test(start_paused = true)]
    async fn a_hung_mailbox_does_not_open_the_circuit_but_the_first_other_one_that_fails_does() {
        let circuits = circuits();
        for _ in 0..20 {
            one(&circuits, Sign::Failed, "ana");
        }
        assert_eq!(phase(&circuits), Some(CircuitPhase::Closed));
        one(&circuits, Sign::Failed, "ben");
        assert_eq!(phase(&circuits), Some(CircuitPhase::Open));
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_that_cannot_be_reached_needs_no_second_account() {
        let circuits = circuits();
        for _ in 0..4 {
            one(&circuits, Sign::Unreachable, "ana");
        }
        assert_eq!(phase(&circuits), Some(CircuitPhase::Open));
    }

    #[tokio::test(start_paused = true)]
    async fn failures_that_lie_far_apart_do_not_add_up_and_are_forgotten() {
        let circuits = circuits();
        for account in ["ana", "ben", "ana", "ben", "ana", "ben"] {
            one(&circuits, Sign::Failed, account);
            tokio::time::advance(circuits.config.window / 2).await;
        }
        assert_eq!(phase(&circuits), Some(CircuitPhase::Closed));
        tokio::time::advance(circuits.config.window).await;
        circuits.admit("caldav", "other.example").unwrap().settle(Sign::Failed, None);
        assert_eq!(circuits.states().len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_under_way_when_the_circuit_opened_does_not_lengthen_it_but_may_close_it() {
        let circuits = circuits();
        let late = [circuits.admit("google", HOST).unwrap(), circuits.admit("google", HOST).unwrap()];
        open(&circuits);
        let [failing, succeeding] = late;
        failing.settle(Sign::Failed, None);
        cool_down(&circuits).await;
        let probe = circuits.admit("google", HOST).expect("the cool-down was not doubled");
        succeeding.settle(Sign::Alive, None);
        assert_eq!(circuits.states(), []);
        drop(probe);
        assert_eq!(circuits.states(), []);
    }
}
