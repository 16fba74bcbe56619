//! The targets of `fuzz/` for a bounded time: their seeds, seeds changed at random, and random bytes. Nothing panics, and no
//! input becomes much larger in memory than it was. How to look further: `fuzz/README.md`, or with `CUPO_FUZZ_TIMES` as many
//! inputs here.

use std::collections::BTreeSet;
use std::path::Path;

use cupo_providers::fuzzing;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};

type Target = fn(&[u8]) -> usize;

const TARGETS: [(&str, Target); 11] = [
    ("caldav_discovery", fuzzing::caldav_discovery),
    ("caldav_multistatus", fuzzing::caldav_multistatus),
    ("google_answer", fuzzing::google_answer),
    ("google_notification", fuzzing::google_notification),
    ("graph_answer", fuzzing::graph_answer),
    ("graph_notification", fuzzing::graph_notification),
    ("ics_events", fuzzing::ics_events),
    ("ics_holidays", fuzzing::ics_holidays),
    ("oauth_answer", fuzzing::oauth_answer),
    ("retry_after", fuzzing::retry_after),
    ("zone_name", fuzzing::zone_name),
];

/// No input of this test is longer.
const LONGEST_INPUT: usize = 64 * 1024;
/// What a target may hold at the end, in bytes: what one calendar file may weigh, and as much again for the other questions.
const MOST_HELD: usize = 2 * 64 * 1024 * 1024;

/// What parsers stumble over.
const WORDS: [&str; 24] = [
    "9999-12-31T23:59:59Z",
    "0000-01-01T00:00:00Z",
    "+262142-12-31",
    "99991231T235960Z",
    "00000101",
    "PT99999999999999999999S",
    "-P1D",
    "RRULE:FREQ=SECONDLY\r\n",
    "RRULE:FREQ=DAILY;INTERVAL=4294967295;COUNT=4294967295\r\n",
    "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30\r\n",
    "RDATE:20261105T100000Z,20261106T100000Z\r\n",
    "BEGIN:VEVENT\r\n",
    "END:VEVENT\r\n",
    "TZID=Nowhere/Land",
    "18446744073709551616",
    "-9223372036854775808",
    "null",
    "[[[[[[[[",
    "{\"a\":",
    "\u{feff}",
    "\u{202e}",
    "&#0;",
    "<![CDATA[",
    "\0",
];

#[derive(Debug, Clone)]
enum Change {
    Flip(Index, u8),
    Cut(Index),
    Remove(Index, Index),
    Repeat(Index, Index, u8),
    Splice(Index, Index, Index),
    Insert(Index, Index),
}

fn change() -> impl Strategy<Value = Change> {
    let at = any::<Index>;
    prop_oneof![
        (at(), 0..8_u8).prop_map(|(at, bit)| Change::Flip(at, bit)),
        at().prop_map(Change::Cut),
        (at(), at()).prop_map(|(from, to)| Change::Remove(from, to)),
        (at(), at(), 2..40_u8).prop_map(|(from, to, times)| Change::Repeat(from, to, times)),
        (at(), at(), at()).prop_map(|(at, seed, from)| Change::Splice(at, seed, from)),
        (at(), at()).prop_map(|(at, word)| Change::Insert(at, word)),
    ]
}

fn range(from: &Index, to: &Index, length: usize) -> std::ops::Range<usize> {
    let (from, to) = (from.index(length + 1), to.index(length + 1));
    from.min(to)..from.max(to)
}

fn changed(seeds: &[Vec<u8>], seed: &Index, changes: &[Change]) -> Vec<u8> {
    let mut bytes = seed.get(seeds).clone();
    for change in changes {
        match change {
            Change::Flip(at, bit) if !bytes.is_empty() => {
                let at = at.index(bytes.len());
                bytes[at] ^= 1 << bit;
            }
            Change::Flip(..) => {}
            Change::Cut(at) => bytes.truncate(at.index(bytes.len() + 1)),
            Change::Remove(from, to) => drop(bytes.drain(range(from, to, bytes.len()))),
            Change::Repeat(from, to, times) => {
                let part = bytes[range(from, to, bytes.len())].repeat(usize::from(*times));
                let end = range(from, to, bytes.len()).end;
                bytes.splice(end..end, part);
            }
            Change::Splice(at, seed, from) => {
                let other = seed.get(seeds);
                bytes.truncate(at.index(bytes.len() + 1));
                bytes.extend_from_slice(&other[from.index(other.len() + 1)..]);
            }
            Change::Insert(at, word) => {
                let at = at.index(bytes.len() + 1);
                bytes.splice(at..at, word.get(&WORDS).bytes());
            }
        }
        bytes.truncate(LONGEST_INPUT);
    }
    bytes
}

/// The seeds of a target, always in the same order.
fn seeds(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|file| std::fs::read(file).unwrap()).collect()
}

fn held_is_bounded(name: &str, target: Target, bytes: &[u8]) -> Result<(), TestCaseError> {
    let held = target(bytes);
    prop_assert!(held <= MOST_HELD, "{name} holds {held} bytes for {}", bytes.len());
    Ok(())
}

fn run(name: &str, cases: u32) {
    let (_, target) = TARGETS.into_iter().find(|(known, _)| *known == name).unwrap();
    let seeds = seeds(name);
    for seed in &seeds {
        held_is_bounded(name, target, seed).unwrap();
    }
    let times = std::env::var("CUPO_FUZZ_TIMES").ok().map_or(1, |times| times.parse().unwrap());
    let config = Config { cases: cases * times, failure_persistence: None, ..Config::default() };
    let inputs = (any::<Index>(), vec(change(), 1..8));
    let tried = TestRunner::new(config.clone())
        .run(&inputs, |(seed, changes)| held_is_bounded(name, target, &changed(&seeds, &seed, &changes)));
    tried.unwrap();
    let tried = TestRunner::new(config).run(&vec(any::<u8>(), 0..600), |bytes| held_is_bounded(name, target, &bytes));
    tried.unwrap();
}

macro_rules! bounded_runs {
    ($($name:ident $cases:literal)*) => {$(
        #[test]
        fn $name() {
            run(stringify!($name), $cases);
        }
    )*};
}

bounded_runs! {
    caldav_discovery 1_000
    caldav_multistatus 500
    google_answer 500
    google_notification 1_000
    graph_answer 300
    graph_notification 1_000
    ics_events 1_000
    ics_holidays 300
    oauth_answer 500
    retry_after 1_000
    zone_name 1_000
}

#[test]
fn what_asks_for_much_is_cut_short_or_refused() {
    let text = "x".repeat(100);
    let hourly = |index: usize| {
        format!(
            "BEGIN:VEVENT\r\nUID:{index}\r\nDTSTART:20200101T000000Z\r\nRRULE:FREQ=HOURLY\r\nSUMMARY:{text}\r\nEND:VEVENT\r\n"
        )
    };
    let resource = |index: usize| {
        format!(
            "<D:response><D:href>/calendars/ana/work/{index}.ics</D:href><D:propstat><D:prop><C:calendar-data>\
             BEGIN:VCALENDAR\r\n{}END:VCALENDAR\r\n</C:calendar-data></D:prop></D:propstat></D:response>",
            hourly(index)
        )
    };
    let namespaces = r#"xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav""#;
    let home = "<D:response><D:href>/calendars/ana/work/</D:href></D:response>";
    let multistatus = |inner: &str| format!("<D:multistatus {namespaces}>{inner}</D:multistatus>");
    // The state of the calendar and what is asked of its owner come before the events.
    let answers = |count: usize| {
        let resources = multistatus(&(0..count).map(resource).collect::<String>());
        [&multistatus(home), &multistatus(home), &resources, &resources].map(String::as_str).join("\0")
    };
    assert!(fuzzing::caldav_multistatus(answers(2).as_bytes()) > 2 * 2_000 * text.len(), "a few are read");
    let events: String = (0..1_000).map(hourly).collect();

    let body = "x".repeat(500_000);
    let occurrence = |index: usize| {
        let at = |hour: usize| format!(r#"{{"dateTime":"2026-11-02T{hour:02}:00:00","timeZone":"UTC"}}"#);
        let (start, end) = (at(9), at(10));
        format!(r#",{{"id":"o{index}","type":"occurrence","seriesMasterId":"m","start":{start},"end":{end}}}"#)
    };
    let occurrences: String = (0..3_000).map(occurrence).collect();
    let start = r#"{"dateTime":"2026-11-02T09:00:00","timeZone":"UTC"}"#;
    let master = format!(
        r#"{{"id":"m","type":"seriesMaster","showAs":"busy","body":{{"contentType":"text","content":"{body}"}},"start":{start},"end":{start}}}"#
    );
    let link = "https://graph.microsoft.com/v1.0/me/calendarView/delta?$deltatoken=t";
    let delta = format!(r#"{{"value":[{master}{occurrences}],"@odata.deltaLink":"{link}"}}"#);

    for (target, input) in [
        ("caldav_multistatus", answers(1_000)),
        ("ics_events", format!("BEGIN:VCALENDAR\r\n{events}END:VCALENDAR\r\n")),
        ("ics_holidays", format!("BEGIN:VCALENDAR\r\n{events}END:VCALENDAR\r\n")),
        ("graph_answer", delta),
    ] {
        let (name, target) = TARGETS.into_iter().find(|(known, _)| *known == target).unwrap();
        held_is_bounded(name, target, input.as_bytes()).unwrap();
    }
}

#[test]
fn every_target_has_seeds_of_which_something_is_read() {
    for (name, target) in TARGETS {
        let seeds = seeds(name);
        assert!(seeds.len() >= 2, "{name}");
        assert!(seeds.iter().any(|seed| target(seed) > 0), "{name} reads nothing");
    }
}

/// The stems of the names in a folder of `fuzz/`.
fn stems(folder: &str) -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(folder);
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

#[test]
fn the_fuzzer_and_this_test_have_the_same_targets() {
    let targets: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(stems("fuzz_targets"), targets);
    assert_eq!(stems("corpus"), targets);
    let manifest = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/Cargo.toml")).unwrap();
    let bins = manifest.split("[[bin]]").skip(1).map(|bin| {
        let of = |key: &str| bin.lines().find_map(|line| line.strip_prefix(key)?.strip_suffix('"')).unwrap().to_owned();
        let name = of("name = \"");
        assert_eq!(of("path = \""), format!("fuzz_targets/{name}.rs"));
        name
    });
    assert_eq!(bins.collect::<BTreeSet<_>>(), targets);
}
