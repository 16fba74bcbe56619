//! Which tests failed, by each runner's own words.

use serde_json::Value;

/// The lines after nextest's summary: `FAIL [   0.005s] (3/5) cupo-core tests::name`.
pub fn nextest(output: &str) -> Vec<String> {
    let name = |line: &str| {
        let (_, name) = line.split_once("] ")?;
        let name = name.trim();
        // Newer versions count along.
        let name = name.strip_prefix('(').and_then(|it| it.split_once(") ")).map_or(name, |(_, name)| name.trim());
        Some(name.to_owned())
    };
    let lines = output.lines().skip_while(|line| !line.trim_start().starts_with("Summary [")).skip(1);
    lines.filter(|line| line.contains(" [")).filter_map(name).collect()
}

/// Cargo's own runner heads the words of a failed test with `---- tests::name stdout ----`.
pub fn cargo_test(output: &str) -> Vec<String> {
    let name = |line: &str| Some(line.strip_prefix("---- ")?.strip_suffix(" stdout ----")?.to_owned());
    output.lines().filter_map(name).collect()
}

/// Of Playwright's JSON report the tests that did not pass at once, with their files, and errors outside of tests.
pub fn playwright(report: &str) -> Vec<String> {
    let Ok(report) = serde_json::from_str::<Value>(report) else { return Vec::new() };
    let mut failing = Vec::new();
    for suite in items(&report["suites"]) {
        gather(suite, text(&suite["file"]), &mut failing);
    }
    let first_line = |error: &Value| text(&error["message"]).lines().next().unwrap_or_default().to_owned();
    failing.extend(items(&report["errors"]).iter().map(first_line));
    failing
}

/// The failing tests of a suite and of the suites within it. The outermost is the file.
fn gather(suite: &Value, path: &str, failing: &mut Vec<String>) {
    for spec in items(&suite["specs"]) {
        let has_passed = |test: &Value| matches!(text(&test["status"]), "expected" | "skipped");
        if !items(&spec["tests"]).iter().all(has_passed) {
            failing.push(format!("{path} › {}", text(&spec["title"])));
        }
    }
    for inner in items(&suite["suites"]) {
        gather(inner, &format!("{path} › {}", text(&inner["title"])), failing);
    }
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nextest_names_what_failed_after_its_summary() {
        let output = "        FAIL [   0.1s] (1/9) cupo-core tests::told_while_it_ran\n  stdout ───\n    a[1] b\n\
                      ────────────\n     Summary [   1.2s] 9 tests run: 6 passed, 2 failed, 1 timed out, 0 skipped\n\
                      \x20       FAIL [   0.005s] (3/9) cupo-core slots::tests::one\n\
                      \x20     SIGABRT [   0.005s] cupo-server::server worker::two\n\
                      \x20    TIMEOUT [  60.005s] (9/9) cupo-store::store three\n\
                      error: test run failed\n";
        assert_eq!(
            nextest(output),
            ["cupo-core slots::tests::one", "cupo-server::server worker::two", "cupo-store::store three"]
        );
        assert!(nextest("error: could not compile").is_empty());
    }

    #[test]
    fn cargos_own_runner_names_what_failed_above_its_words() {
        let output = "failures:\n\n---- tests::one stdout ----\nthread panicked\n\n\
                      ---- src/lib.rs - zone (line 3) stdout ----\nx\n\nfailures:\n    tests::one\n";
        assert_eq!(cargo_test(output), ["tests::one", "src/lib.rs - zone (line 3)"]);
    }

    #[test]
    fn playwright_names_what_failed_with_its_file_and_what_broke_outside_of_tests() {
        let test = |title: &str, status: &str| format!(r#"{{"title":"{title}","tests":[{{"status":"{status}"}}]}}"#);
        let inner = format!(r#"{{"title":"below","specs":[{},{}]}}"#, test("a", "flaky"), test("b", "skipped"));
        let specs = [test("good", "expected"), test("bad", "unexpected")].join(",");
        let report = format!(
            r#"{{"errors":[{{"message":"no browser\nat x"}}],"suites":[{{"title":"a.spec.ts","file":"a.spec.ts",
            "specs":[{specs}],"suites":[{inner}]}}]}}"#
        );
        assert_eq!(playwright(&report), ["a.spec.ts › bad", "a.spec.ts › below › a", "no browser"]);
        assert!(playwright("").is_empty());
    }
}
