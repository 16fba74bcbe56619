//! Budgets: how many requests a provider allows, kept to before it has to say so.
//!
//! A request over the budget waits where that is short; otherwise it is not sent, and the caller is told when to come back.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use tokio::time::Instant;

/// A request that would have to wait longer is refused.
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// Requests after which what is known of idle accounts and hosts is forgotten.
const SWEEP: u32 = 1024;

/// At most so many requests in any stretch of time of this length. Half of them may come at once; the others are spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    pub requests: u32,
    pub per: Duration,
}

impl Budget {
    pub const fn per_minute(requests: u32) -> Self {
        Self { requests, per: Duration::from_secs(60) }
    }

    /// A bucket that holds one half and is filled with the other over the whole stretch: what is in it at the start and
    /// what is added meanwhile are never more than the budget. One request is the least.
    fn quota(self) -> Quota {
        let at_once = (self.requests / 2).max(1);
        let added = (self.requests - self.requests.min(at_once)).max(1);
        let each = (self.per / added).max(Duration::from_nanos(1));
        let quota = Quota::with_period(each).expect("a period of at least a nanosecond");
        quota.allow_burst(NonZeroU32::new(at_once).expect("at least one"))
    }
}

/// The budgets of one provider; what is `None` is not limited.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ProviderBudget {
    /// Of the mailbox of an account.
    pub per_account: Option<Budget>,
    /// Of the installation's client at the provider, over all accounts.
    pub per_project: Option<Budget>,
    /// Of a server, whoever calls it.
    pub per_host: Option<Budget>,
}

/// The budgets by the provider's name: `google`, `microsoft`, `caldav`. A provider without an entry is not limited.
#[derive(Debug, Clone)]
pub struct Budgets(HashMap<String, ProviderBudget>);

impl Budgets {
    pub fn unlimited() -> Self {
        Self(HashMap::new())
    }

    /// The provider's; nothing is limited where it has none.
    pub fn of(&self, provider: &str) -> ProviderBudget {
        self.0.get(provider).copied().unwrap_or_default()
    }

    #[must_use]
    pub fn with(mut self, provider: impl Into<String>, budget: ProviderBudget) -> Self {
        self.0.insert(provider.into(), budget);
        self
    }
}

impl Default for Budgets {
    /// What the providers document: Google's Calendar API 600 a minute per user and 10,000 a minute per project
    /// (<https://developers.google.com/workspace/calendar/api/guides/quota>), Microsoft Graph 10,000 in ten minutes per
    /// application and mailbox (<https://learn.microsoft.com/graph/throttling-limits>). A CalDAV server is somebody's
    /// own and gets a modest share.
    fn default() -> Self {
        let google = ProviderBudget {
            per_account: Some(Budget::per_minute(600)),
            per_project: Some(Budget::per_minute(10_000)),
            per_host: None,
        };
        let ten_minutes = Duration::from_secs(600);
        let microsoft = ProviderBudget {
            per_account: Some(Budget { requests: 10_000, per: ten_minutes }),
            ..ProviderBudget::default()
        };
        let caldav = ProviderBudget {
            per_account: Some(Budget::per_minute(300)),
            per_project: None,
            per_host: Some(Budget::per_minute(1_200)),
        };
        Self::unlimited().with("google", google).with("microsoft", microsoft).with("caldav", caldav)
    }
}

/// The buckets. Each is as full as the requests that went before leave it.
#[derive(Debug)]
pub(super) struct Buckets(HashMap<String, ProviderBuckets>);

#[derive(Debug)]
struct ProviderBuckets {
    accounts: Option<Keyed>,
    project: Option<Keyed>,
    hosts: Option<Keyed>,
}

impl Buckets {
    pub(super) fn new(budgets: &Budgets) -> Self {
        let keyed = |budget: &Option<Budget>| budget.map(Keyed::new);
        let of = |budget: &ProviderBudget| ProviderBuckets {
            accounts: keyed(&budget.per_account),
            project: keyed(&budget.per_project),
            hosts: keyed(&budget.per_host),
        };
        Self(budgets.0.iter().map(|(provider, budget)| (provider.clone(), of(budget))).collect())
    }

    /// Takes a request out of every bucket that it belongs to. The error is the time to wait that was too long.
    ///
    /// A request without an account (a token, a discovery) is not counted by the provider's own quotas either.
    pub(super) async fn take(&self, provider: &str, account: Option<&Arc<str>>, host: &str) -> Result<(), Duration> {
        let Some(buckets) = self.0.get(provider) else { return Ok(()) };
        let deadline = Instant::now() + LONGEST_WAIT;
        if let Some(account) = account {
            for (bucket, key) in [(&buckets.accounts, account.clone()), (&buckets.project, Arc::from(""))] {
                if let Some(bucket) = bucket {
                    bucket.take(&key, deadline).await?;
                }
            }
        }
        match &buckets.hosts {
            Some(bucket) => bucket.take(&Arc::from(host), deadline).await,
            None => Ok(()),
        }
    }
}

type Limiter =
    RateLimiter<Arc<str>, HashMapStateStore<Arc<str>>, RuntimeClock, NoOpMiddleware<<RuntimeClock as Clock>::Instant>>;

#[derive(Debug)]
struct Keyed {
    limiter: Limiter,
    clock: RuntimeClock,
    taken: AtomicU32,
}

impl Keyed {
    fn new(budget: Budget) -> Self {
        let clock = RuntimeClock(Instant::now());
        let limiter = RateLimiter::new(budget.quota(), HashMapStateStore::default(), clock);
        Self { limiter, clock, taken: AtomicU32::new(0) }
    }

    async fn take(&self, key: &Arc<str>, deadline: Instant) -> Result<(), Duration> {
        if self.taken.fetch_add(1, Ordering::Relaxed) % SWEEP == SWEEP - 1 {
            self.limiter.retain_recent();
        }
        loop {
            let Err(refused) = self.limiter.check_key(key) else { return Ok(()) };
            let wait = refused.wait_time_from(self.clock.now());
            if Instant::now() + wait > deadline {
                return Err(wait);
            }
            // The timer counts in milliseconds and must not ring early, or the bucket is asked in vain.
            tokio::time::sleep(wait.max(Duration::from_millis(1))).await;
        }
    }
}

/// The clock of the runtime, by which tests can let the time pass.
#[derive(Debug, Clone, Copy)]
struct RuntimeClock(Instant);

impl Clock for RuntimeClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn account(name: &str) -> Arc<str> {
        Arc::from(name)
    }

    fn buckets(budget: ProviderBudget) -> Buckets {
        Buckets::new(&Budgets::unlimited().with("google", budget))
    }

    fn per_account(requests: u32, per: Duration) -> Buckets {
        buckets(ProviderBudget { per_account: Some(Budget { requests, per }), ..ProviderBudget::default() })
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_within_the_budget_does_not_wait_and_a_short_wait_is_waited_out() {
        let buckets = per_account(20, Duration::from_secs(10));
        let (ana, started) = (account("ana"), Instant::now());
        for _ in 0..10 {
            buckets.take("google", Some(&ana), "host").await.unwrap();
        }
        assert_eq!(started.elapsed(), Duration::ZERO);
        buckets.take("google", Some(&ana), "host").await.unwrap();
        assert_eq!(started.elapsed(), Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_that_is_long_is_told_and_not_waited() {
        let buckets = per_account(4, Duration::from_secs(60));
        let (ana, started) = (account("ana"), Instant::now());
        buckets.take("google", Some(&ana), "host").await.unwrap();
        buckets.take("google", Some(&ana), "host").await.unwrap();
        assert_eq!(buckets.take("google", Some(&ana), "host").await, Err(Duration::from_secs(30)));
        assert_eq!(started.elapsed(), Duration::ZERO);
        tokio::time::advance(Duration::from_secs(30)).await;
        buckets.take("google", Some(&ana), "host").await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn many_who_wait_together_are_let_through_one_by_one_or_refused_after_two_seconds() {
        let buckets = per_account(20, Duration::from_secs(10));
        let (ana, started) = (account("ana"), Instant::now());
        let outcomes = futures::future::join_all((0..20).map(|_| buckets.take("google", Some(&ana), "host"))).await;
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 12);
        assert!(started.elapsed() <= LONGEST_WAIT);
    }

    #[tokio::test(start_paused = true)]
    async fn one_account_does_not_use_up_the_budget_of_another_but_all_share_the_projects() {
        let minute = Duration::from_secs(60);
        let buckets = buckets(ProviderBudget {
            per_account: Some(Budget { requests: 2, per: minute }),
            per_project: Some(Budget { requests: 6, per: minute }),
            per_host: None,
        });
        for name in ["ana", "ben", "carla"] {
            buckets.take("google", Some(&account(name)), "host").await.unwrap();
        }
        assert_eq!(buckets.take("google", Some(&account("ana")), "host").await, Err(minute));
        assert_eq!(buckets.take("google", Some(&account("dora")), "host").await, Err(Duration::from_secs(20)));
        // Neither a token request nor another provider is meant.
        buckets.take("google", None, "host").await.unwrap();
        buckets.take("microsoft", Some(&account("ana")), "host").await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_is_spared_whoever_calls_it() {
        let budget = Budget { requests: 2, per: Duration::from_secs(60) };
        let buckets = buckets(ProviderBudget { per_host: Some(budget), ..ProviderBudget::default() });
        buckets.take("google", Some(&account("ana")), "one.example").await.unwrap();
        buckets.take("google", None, "two.example").await.unwrap();
        assert!(buckets.take("google", Some(&account("ben")), "one.example").await.is_err());
        assert!(buckets.take("google", None, "two.example").await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn accounts_that_rest_are_forgotten() {
        let budget = Budget { requests: 2, per: Duration::from_secs(1) };
        let keyed = Keyed::new(budget);
        for index in 0..10 * SWEEP {
            tokio::time::advance(Duration::from_millis(100)).await;
            keyed.take(&account(&index.to_string()), Instant::now()).await.unwrap();
        }
        assert!(keyed.limiter.len() <= SWEEP as usize + 10, "{}", keyed.limiter.len());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_stretch_of_time_holds_more_than_the_budget(
            requests in 2..40_u32,
            seconds in 1..100_u64,
            pauses in proptest::collection::vec(0..20_000_u64, 1..300),
        ) {
            let per = Duration::from_secs(seconds);
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
            let sent = runtime.block_on(async {
                let keyed = Keyed::new(Budget { requests, per });
                let (key, mut sent) = (account("ana"), Vec::new());
                for pause in pauses {
                    tokio::time::advance(Duration::from_millis(pause * seconds / 100)).await;
                    if keyed.take(&key, Instant::now()).await.is_ok() {
                        sent.push(Instant::now());
                    }
                }
                sent
            });
            for (index, first) in sent.iter().enumerate() {
                let within = sent[index..].iter().take_while(|at| **at - *first < per).count();
                prop_assert!(within <= requests as usize, "{within} of {requests}");
            }
        }
    }
}
