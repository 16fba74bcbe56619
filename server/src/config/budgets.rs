//! The budgets of requests to a provider, in its own section: `google.requests_per_minute_per_account` and the like.

use std::time::Duration;

use cupo_providers::{Budget, ProviderBudget};

use super::reader::Reader;

/// How many requests a minute; 0 is no limit. The inner `None` leaves a provider's documented limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RequestBudget {
    pub per_account: Option<u32>,
    pub per_project: Option<u32>,
}

impl RequestBudget {
    /// The provider's own budget with what is configured in its place.
    #[must_use]
    pub fn over(self, budget: ProviderBudget) -> ProviderBudget {
        let minute = |requests: Option<u32>, usual: Option<Budget>| match requests {
            None => usual,
            Some(0) => None,
            Some(requests) => Some(Budget { requests, per: Duration::from_secs(60) }),
        };
        ProviderBudget {
            per_account: minute(self.per_account, budget.per_account),
            per_project: minute(self.per_project, budget.per_project),
            ..budget
        }
    }
}

/// Reads the keys; a provider at which the installation has no client of its own has none of the project's.
pub fn read(reader: &Reader, per_account: &'static str, per_project: Option<&'static str>) -> Option<RequestBudget> {
    let rate = |key| {
        let right = "give requests per minute from 0 (no limit) to 1000000, or leave it out for the provider's own";
        let parse = |text: &str| text.parse().ok().filter(|rate| *rate <= 1_000_000);
        reader.optional(key, right, super::reader::Show::Value, parse)
    };
    let (per_account, per_project) = (rate(per_account), per_project.map_or(Some(None), rate));
    Some(RequestBudget { per_account: per_account?, per_project: per_project? })
}
