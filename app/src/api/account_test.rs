//! Trying an account out, step by step.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::AppError;

/// What a test found, ready to show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountTestView {
    /// The account's id.
    pub account: String,
    /// What was tried, in this order.
    pub steps: Vec<TestStepView>,
    /// How many more steps there were, all of them good.
    pub more: usize,
    /// What it comes to.
    pub sum: String,
    /// Whether every step was good.
    pub is_good: bool,
}

/// How a step went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum StepOutcome {
    /// Well.
    Good,
    /// It cannot be had here, and is not needed.
    Without,
    /// Not well.
    Wrong,
}

/// One step of a test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestStepView {
    /// What was tried.
    pub what: String,
    /// Of which calendar, where it is one of several.
    pub calendar: Option<String>,
    /// How it went.
    pub outcome: StepOutcome,
    /// The same as a sentence.
    pub result: String,
    /// How long it took, such as `120 ms` or `< 1 ms`.
    pub took: String,
}

/// Tries an account out: its access, its calendars, its busy times. Without a script the page shows what came of it, once.
#[server(prefix = "/dashboard/api", endpoint = "account_test")]
pub async fn account_test(id: String) -> Result<AccountTestView, AppError> {
    use super::request::{answer, host, is_plain_form};
    let (engine, principal) = host()?;
    let account: cupo_core::ids::AccountId = super::request::id(&id, "account")?;
    let test =
        answer(engine.account_test(&principal, &account).await).map_err(|error| error.with_typed(&[("id", &id)]))?;
    let found = view::found(&account, test);
    if is_plain_form() {
        view::tell_once(&found);
        leptos_axum::redirect(&format!("/dashboard/calendars#test-{account}"));
    }
    Ok(view::told(found))
}

#[cfg(feature = "ssr")]
pub(super) mod view {
    use cupo_core::ids::AccountId;
    use cupo_engine::AccountTest;
    use serde::{Deserialize, Serialize};

    use super::{AccountTestView, StepOutcome, TestStepView};
    use crate::api::once;
    use crate::text::{t, text_of, tf};

    /// The code of a step that this server cannot make: nobody outside can reach it.
    const NO_WEBHOOK: &str = "no_webhook";
    const COOKIE: &str = "cupo_account_test";
    /// A browser keeps 4,096 bytes of a cookie with its name and attributes.
    const MOST_BYTES: usize = 3_600;

    /// A test as short as it can be kept.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    pub(super) struct Found {
        account: String,
        #[serde(default)]
        steps: Vec<Step>,
        more: usize,
    }

    /// One step: what, of which calendar (empty for none), the code of what went wrong (empty for nothing), milliseconds.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    struct Step {
        what: String,
        of: String,
        code: String,
        ms: u64,
    }

    pub(super) fn found(account: &AccountId, test: AccountTest) -> Found {
        let steps = test.steps.into_iter().map(|step| Step {
            what: step.what.as_str().to_owned(),
            of: step.calendar.unwrap_or_default(),
            code: step.outcome.err().unwrap_or_default(),
            ms: u64::try_from(step.took.as_millis()).unwrap_or(u64::MAX),
        });
        Found { account: account.to_string(), steps: steps.collect(), more: 0 }
    }

    impl Step {
        fn outcome(&self) -> StepOutcome {
            match self.code.as_str() {
                "" => StepOutcome::Good,
                NO_WEBHOOK => StepOutcome::Without,
                _ => StepOutcome::Wrong,
            }
        }
    }

    pub(super) fn tell_once(found: &Found) {
        once::tell(COOKIE, &kept(found));
    }

    /// As a cookie holds it. What does not fit is left out, what went well first.
    fn kept(found: &Found) -> String {
        let mut found = found.clone();
        loop {
            let text = serde_qs::to_string(&found).unwrap_or_default();
            let last = found
                .steps
                .iter()
                .rposition(|step| step.outcome() == StepOutcome::Good)
                .or(found.steps.len().checked_sub(1));
            match last {
                Some(last) if text.len() > MOST_BYTES => {
                    found.steps.remove(last);
                    found.more += 1;
                }
                _ => return text,
            }
        }
    }

    pub(in crate::api) fn just_made() -> Option<AccountTestView> {
        let kept = once::told(COOKIE)?;
        read(&kept).map(told)
    }

    fn read(kept: &str) -> Option<Found> {
        serde_qs::Config::new(5, false).deserialize_str(kept).ok()
    }

    pub(super) fn told(found: Found) -> AccountTestView {
        let wrong = found.steps.iter().filter(|step| step.outcome() == StepOutcome::Wrong).count();
        let all = found.steps.len() + found.more;
        AccountTestView {
            account: found.account,
            more: found.more,
            sum: match wrong {
                0 => t("dashboard.test_good").to_owned(),
                _ => tf("dashboard.test_wrong", &[("wrong", &wrong), ("all", &all)]),
            },
            is_good: wrong == 0,
            steps: found.steps.into_iter().map(step).collect(),
        }
    }

    fn step(step: Step) -> TestStepView {
        TestStepView {
            what: text_of("dashboard.test_of_", &step.what).unwrap_or_default(),
            calendar: (!step.of.is_empty()).then(|| step.of.clone()),
            outcome: step.outcome(),
            result: match step.outcome() {
                StepOutcome::Good => t("dashboard.test_step_good").to_owned(),
                _ => text_of("dashboard.trouble_", &step.code)
                    .unwrap_or_else(|| tf("dashboard.test_step_wrong", &[("code", &step.code)])),
            },
            took: match step.ms {
                0 => tf("dashboard.milliseconds", &[("count", &"< 1")]),
                ms => tf("dashboard.milliseconds", &[("count", &ms)]),
            },
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        fn step(of: &str, code: &str) -> Step {
            Step { what: "free_busy".to_owned(), of: of.to_owned(), code: code.to_owned(), ms: 120 }
        }

        #[test]
        fn a_test_survives_the_cookie() {
            let found = Found {
                account: "a".to_owned(),
                steps: vec![step("", ""), step("Reuniones; con «ñ» & =", "timeout")],
                more: 0,
            };
            let text = kept(&found);
            assert!(text.bytes().all(|byte| byte.is_ascii_graphic() && !b";,\"\\".contains(&byte)), "{text}");
            assert_eq!(read(&text), Some(found));
        }

        #[test]
        fn what_does_not_fit_is_counted_and_what_went_wrong_stays() {
            let mut steps: Vec<_> =
                (0..60).map(|number| step(&format!("{number} {}", "long ".repeat(10)), "")).collect();
            steps[3].code = "not_found".to_owned();
            let read = read(&kept(&Found { account: "a".to_owned(), steps: steps.clone(), more: 0 })).unwrap();
            assert!(read.more > 0 && read.steps.len() > 10 && read.steps.len() + read.more == 60);
            assert_eq!(read.steps, steps[..read.steps.len()], "in their order");
            assert!(read.steps.iter().any(|step| step.code == "not_found"));
            let told = told(read);
            assert!(!told.is_good && told.sum.contains("60"), "{}", told.sum);
        }

        #[test]
        fn a_server_that_nobody_can_reach_is_no_failure() {
            let told = told(Found { account: "a".to_owned(), steps: vec![step("", NO_WEBHOOK)], more: 0 });
            assert!(told.is_good && told.steps[0].outcome == StepOutcome::Without);
        }

        #[test]
        fn every_step_and_what_can_go_wrong_in_it_has_a_text() {
            for what in cupo_engine::TestWhat::ALL {
                assert!(text_of("dashboard.test_of_", what.as_str()).is_some(), "{}", what.as_str());
            }
            for code in [
                "grant_revoked",
                "missing_scope",
                "wrong_password",
                "claims_challenge",
                "consent_needed",
                "operator_needed",
                "throttled",
                "transient",
                "not_found",
                "rejected",
                "timeout",
                "no_webhook",
                "no_channel",
                "calendar_gone",
                "late",
            ] {
                assert!(text_of("dashboard.trouble_", code).is_some(), "{code}");
            }
        }
    }
}
