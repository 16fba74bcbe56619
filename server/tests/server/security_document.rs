//! What `server/docs/security.md` names is there.

use std::fs;

use crate::sources::{root, rust_files};

const DOCUMENT: &str = "server/docs/security.md";
/// Where tests are.
const FOLDERS: [&str; 4] = ["app", "widget", "server", "end2end"];

/// What stands in backquotes.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

fn document() -> String {
    let text = fs::read_to_string(root().join(DOCUMENT)).unwrap();
    assert_eq!(text.matches('`').count() % 2, 0, "a backquote is left open");
    text
}

#[test]
fn every_file_that_is_named_exists() {
    let text = document();
    let is_path = |name: &&&str| name.contains('/') && !name.contains([' ', '{', '<', '*']) && !name.starts_with('/');
    let quoted = quoted(&text);
    let paths: Vec<_> = quoted.iter().filter(is_path).map(|path| path.trim_end_matches('/').to_owned()).collect();
    assert!(paths.len() > 25, "the document names too little: {paths:?}");
    let missing: Vec<_> = paths.iter().filter(|path| !root().join(path).exists()).collect();
    assert!(missing.is_empty(), "{DOCUMENT} names what is not there: {missing:#?}");
}

#[test]
fn every_link_leads_to_a_heading() {
    let text = document();
    let links: Vec<_> = text.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect();
    assert!(links.len() > 3, "the document has too few links: {links:?}");
    for link in links {
        let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
        let file = if file.is_empty() { "security.md" } else { file };
        let there = fs::read_to_string(root().join("server/docs").join(file)).unwrap_or_else(|_| panic!("no {link}"));
        let mut headings = there.lines().filter_map(|line| line.trim_start_matches('#').strip_prefix(' '));
        assert!(anchor.is_empty() || headings.any(|heading| slug_of(heading) == anchor), "no heading is {link}");
    }
}

/// How a heading is named in an address.
fn slug_of(heading: &str) -> String {
    let kept = heading.chars().filter(|letter| letter.is_alphanumeric() || *letter == ' ' || *letter == '-');
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

#[test]
fn every_test_that_is_named_exists() {
    let text = document();
    // Tests are named by sentences.
    let is_test = |name: &&&str| {
        name.matches('_').count() >= 3 && name.chars().all(|letter| letter.is_alphanumeric() || letter == '_')
    };
    let quoted = quoted(&text);
    let tests: Vec<_> = quoted.iter().filter(is_test).collect();
    assert!(tests.len() > 40, "the document names too few tests: {tests:?}");
    let sources: Vec<String> = rust_files(&FOLDERS).into_iter().map(|(_, text)| text).collect();
    let exists = |test: &str| {
        let wanted = format!("fn {test}(");
        sources.iter().any(|text| text.contains(&wanted))
    };
    let missing: Vec<_> = tests.iter().filter(|test| !exists(test)).collect();
    assert!(missing.is_empty(), "{DOCUMENT} names tests that are not there: {missing:#?}");
}
