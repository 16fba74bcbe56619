//! How many tests passed and failed, by each runner's own words.

use std::fmt;
use std::iter::Sum;

use serde_json::Value;

/// What a runner came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub passed: u64,
    pub failed: u64,
    /// Left out by the tests themselves.
    pub skipped: u64,
}

impl Totals {
    pub fn success() -> Self {
        Self { passed: 1, ..Self::default() }
    }

    pub fn failure() -> Self {
        Self { failed: 1, ..Self::default() }
    }

    /// Trusts a runner's totals only as far as its exit status agrees; a runner that ran nothing has failed.
    pub fn of_runner(counted: Option<Self>, succeeded: bool) -> Self {
        match counted {
            Some(totals) if totals.failed > 0 || (succeeded && totals.passed > 0) => totals,
            Some(totals) => Self { failed: 1, ..totals },
            None => Self::failure(),
        }
    }
}

impl Sum for Totals {
    fn sum<I: Iterator<Item = Self>>(totals: I) -> Self {
        totals.fold(Self::default(), |sum, one| Self {
            passed: sum.passed + one.passed,
            failed: sum.failed + one.failed,
            skipped: sum.skipped + one.skipped,
        })
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = format!("{} passed, {} failed", self.passed, self.failed);
        if self.skipped > 0 {
            text.push_str(&format!(", {} skipped", self.skipped));
        }
        f.pad(&text)
    }
}

/// `Summary [   1.2s] 7/9 tests run: 6 passed (1 slow), 1 failed, 2 skipped`.
pub fn nextest(output: &str) -> Option<Totals> {
    let line = output.lines().rfind(|line| line.trim_start().starts_with("Summary ["))?;
    let (run, counts) = line.split_once(" run: ")?;
    // Of a broken-off run, `7/9`, the tests that were never run have not passed either.
    let planned = run.split_whitespace().rev().nth(1)?.rsplit('/').next()?.parse().ok()?;
    let passed = count_before(counts, " passed").unwrap_or(0);
    let skipped = count_before(counts, " skipped").unwrap_or(0);
    Some(Totals { passed, failed: u64::checked_sub(planned, passed)?, skipped })
}

/// The sum of `test result: ok. 3 passed; 0 failed; 1 ignored; …` over all test binaries.
pub fn cargo_test(output: &str) -> Option<Totals> {
    let mut results = output.lines().filter(|line| line.starts_with("test result: ")).peekable();
    results.peek()?;
    results
        .map(|line| {
            Some(Totals {
                passed: count_before(line, " passed")?,
                failed: count_before(line, " failed")?,
                skipped: count_before(line, " ignored")?,
            })
        })
        .sum()
}

/// The `stats` of Playwright's JSON report; a test that passes only when repeated has not passed.
pub fn playwright(report: &str) -> Option<Totals> {
    let report: Value = serde_json::from_str(report).ok()?;
    let count = |name: &str| report["stats"][name].as_u64();
    let errors = report["errors"].as_array().map_or(0, |errors| errors.len() as u64);
    Some(Totals {
        passed: count("expected")?,
        failed: count("unexpected")? + count("flaky")? + errors,
        skipped: count("skipped")?,
    })
}

/// The number that stands right before a word.
fn count_before(text: &str, word: &str) -> Option<u64> {
    let before = &text[..text.find(word)?];
    let digits = before.rfind(|c: char| !c.is_ascii_digit()).map_or(0, |end| end + 1);
    before[digits..].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn totals(passed: u64, failed: u64, skipped: u64) -> Option<Totals> {
        Some(Totals { passed, failed, skipped })
    }

    #[test]
    fn a_nextest_summary_is_read() {
        let all = "  ------------\n     Summary [   0.012s] 5 tests run: 5 passed, 0 skipped\n";
        assert_eq!(nextest(all), totals(5, 0, 0));
        let mixed = "     Summary [   1.2s] 9 tests run: 6 passed (1 slow), 2 failed, 1 timed out, 3 skipped";
        assert_eq!(nextest(mixed), totals(6, 3, 3));
        assert_eq!(nextest("     Summary [   1.2s] 1 test run: 1 passed, 0 skipped"), totals(1, 0, 0));
    }

    #[test]
    fn the_rest_of_a_broken_off_nextest_run_counts_as_failed() {
        assert_eq!(nextest("     Summary [   1.2s] 3/9 tests run: 2 passed, 1 failed, 0 skipped"), totals(2, 7, 0));
    }

    #[test]
    fn results_of_several_test_binaries_add_up() {
        let output = "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.1s\n\
                      test result: FAILED. 2 passed; 4 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.1s\n";
        assert_eq!(cargo_test(output), totals(5, 4, 1));
        assert_eq!(cargo_test("error: could not compile"), None);
    }

    #[test]
    fn a_playwright_report_is_read_and_a_flaky_test_or_an_error_outside_tests_has_failed() {
        let report = r#"{"errors":[{}],"stats":{"expected":4,"unexpected":1,"flaky":1,"skipped":2}}"#;
        assert_eq!(playwright(report), totals(4, 3, 2));
        assert_eq!(playwright("{}"), None);
    }

    #[test]
    fn a_runner_that_ran_nothing_or_whose_exit_status_disagrees_has_failed() {
        assert_eq!(Totals::of_runner(totals(0, 0, 3), true).failed, 1);
        assert_eq!(Totals::of_runner(totals(3, 0, 0), false).failed, 1);
        assert_eq!(Totals::of_runner(None, true), Totals::failure());
        assert_eq!(Totals::of_runner(totals(3, 2, 0), false).failed, 2);
        assert_eq!(Some(Totals::of_runner(totals(3, 0, 1), true)), totals(3, 0, 1));
    }
}
