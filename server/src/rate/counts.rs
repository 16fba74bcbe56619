//! The counts of one limit: an arrival time for each client, in memory that is bounded whoever comes.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::client::Client;
use super::gcra::Gcra;

/// Clients are spread over so many locks.
const SHARDS: usize = 16;
/// So many clients of a shard are remembered in any case, and twice as many at most: 65,536 of a limit in all, in some 4 MiB.
/// One who floods with more addresses than that is forgotten as fast as they come, which no limit by client can help.
const GENERATION: usize = 2_048;

/// Whoever used a limit lately.
#[derive(Debug)]
pub struct Counts {
    gcra: Gcra,
    /// Whether others are told what was admitted.
    is_shared: bool,
    shards: [Mutex<Shard>; SHARDS],
}

#[derive(Debug, Default)]
struct Shard {
    /// Who came since this was empty.
    young: HashMap<Client, Count>,
    /// Who came before, and not since. It is dropped when `young` is full, and takes its place.
    old: HashMap<Client, Count>,
    /// Who has an `untold` count.
    untold: Vec<Client>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Count {
    arrival: Duration,
    /// What was admitted since the others were told.
    untold: u32,
}

impl Shard {
    fn count(&mut self, client: Client) -> &mut Count {
        if self.young.len() >= GENERATION && !self.young.contains_key(&client) {
            // Before the client is looked for among those who now are dropped.
            let known = self.old.remove(&client);
            self.old = std::mem::take(&mut self.young);
            self.young.insert(client, known.unwrap_or_default());
        }
        let old = &mut self.old;
        self.young.entry(client).or_insert_with(|| old.remove(&client).unwrap_or_default())
    }
}

impl Counts {
    /// No client has used it yet.
    pub fn new(gcra: Gcra, is_shared: bool) -> Self {
        Self { gcra, is_shared, shards: Default::default() }
    }

    /// Counts a request.
    ///
    /// # Errors
    /// How long to wait, when the client has used its burst; then the request does not count.
    pub fn admit(&self, client: Client, now: Duration) -> Result<(), Duration> {
        let mut shard = self.shard(client);
        let count = shard.count(client);
        count.arrival = self.gcra.admit(count.arrival, now)?;
        if !self.is_shared {
            return Ok(());
        }
        if count.untold > 0 {
            count.untold += 1;
        } else if shard.untold.len() < GENERATION {
            shard.count(client).untold = 1;
            shard.untold.push(client);
        }
        Ok(())
    }

    /// What was admitted since the last call, by client.
    pub fn take_untold(&self) -> Vec<(Client, u32)> {
        let mut told = Vec::new();
        for shard in &self.shards {
            let mut shard = lock(shard);
            for client in std::mem::take(&mut shard.untold) {
                let Shard { young, old, .. } = &mut *shard;
                if let Some(count) = young.get_mut(&client).or_else(|| old.get_mut(&client)) {
                    told.push((client, std::mem::take(&mut count.untold)));
                }
            }
        }
        told.retain(|(_, count)| *count > 0);
        told
    }

    /// Others have admitted so many of the client's requests.
    pub fn owe(&self, client: Client, now: Duration, admitted: u32, bursts: u32) {
        let mut shard = self.shard(client);
        let count = shard.count(client);
        count.arrival = self.gcra.owe(count.arrival, now, admitted, bursts);
    }

    /// Forgets clients that have been quiet long enough to have their whole burst again.
    pub fn forget_quiet_clients(&self, now: Duration) {
        for shard in &self.shards {
            let mut shard = lock(shard);
            let Shard { young, old, .. } = &mut *shard;
            for clients in [young, old] {
                clients.retain(|_, count| count.untold > 0 || !self.gcra.is_quiet(count.arrival, now));
                clients.shrink_to(GENERATION / 8);
            }
        }
    }

    fn shard(&self, client: Client) -> MutexGuard<'_, Shard> {
        lock(&self.shards[client.index() % SHARDS])
    }

    #[cfg(test)]
    pub fn clients(&self) -> usize {
        self.shards.iter().map(lock).map(|shard| shard.young.len() + shard.old.len()).sum()
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rate::client::ClientKey;

    const NOW: Duration = Duration::from_secs(1_000);

    fn client(number: u32) -> Client {
        ClientKey::of_secret("a secret").of_account(&number.to_string())
    }

    fn counts(per_minute: u32) -> Counts {
        Counts::new(Gcra::per_minute(per_minute), true)
    }

    #[test]
    fn clients_are_counted_apart() {
        let counts = counts(2);
        for number in 0..100 {
            assert_eq!(counts.admit(client(number), NOW), Ok(()));
            assert_eq!(counts.admit(client(number), NOW), Ok(()));
            assert!(counts.admit(client(number), NOW).is_err());
        }
    }

    #[test]
    fn only_what_was_admitted_is_told_and_only_once() {
        let counts = counts(2);
        for _ in 0..5 {
            _ = counts.admit(client(1), NOW);
        }
        _ = counts.admit(client(2), NOW);
        let mut told = counts.take_untold();
        told.sort_by_key(|(_, count)| *count);
        assert_eq!(told, [(client(2), 1), (client(1), 2)]);
        assert_eq!(counts.take_untold(), []);
        counts.owe(client(3), NOW, 1, 2);
        assert_eq!(counts.take_untold(), [], "a debt is nothing that was admitted here");
        assert_eq!(counts.admit(client(3), NOW), Ok(()));
        assert!(counts.admit(client(3), NOW).is_err());
        assert_eq!(counts.take_untold(), [(client(3), 1)]);
    }

    #[test]
    fn a_flood_of_clients_takes_bounded_memory_and_whoever_goes_on_is_not_forgotten() {
        let counts = counts(1_000);
        let steady = client(u32::MAX);
        for number in 0..300_000 {
            _ = counts.admit(client(number), NOW);
            if u32::is_multiple_of(number, 1_000) {
                assert_eq!(counts.admit(steady, NOW), Ok(()));
            }
        }
        assert!(counts.clients() <= 2 * SHARDS * GENERATION, "{}", counts.clients());
        assert!(counts.take_untold().len() <= SHARDS * GENERATION);
        for _ in 0..700 {
            assert_eq!(counts.admit(steady, NOW), Ok(()));
        }
        assert!(counts.admit(steady, NOW).is_err(), "the 300 of the flood's time count");
    }

    #[test]
    fn quiet_clients_are_forgotten_and_others_are_not() {
        let counts = counts(60);
        for number in 0..10 {
            _ = counts.admit(client(number), NOW);
        }
        counts.owe(client(10), NOW, 100, 2);
        counts.take_untold();
        counts.forget_quiet_clients(NOW + Duration::from_millis(999));
        assert_eq!(counts.clients(), 11);
        counts.forget_quiet_clients(NOW + Duration::from_secs(1));
        assert_eq!(counts.clients(), 1);
    }
}
