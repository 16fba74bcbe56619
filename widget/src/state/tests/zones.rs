//! Choosing another zone.

use super::*;

const NOW: &str = "2026-11-16T12:30:00Z";

/// The list is open, and the browser knows four zones.
fn open() -> State {
    let mut state = picking();
    state.zone = zone("Europe/Madrid", 60);
    let effects = state.apply(Action::OpenZones(at(NOW)));
    assert_eq!(effects, [Effect::ReadZones(at(NOW)), Effect::Focus(Target::ZoneSearch), Effect::RevealZone],);
    let zones = [("America/Bogota", -300), ("America/Lima", -300), ("Asia/Tokyo", 540), ("Europe/Madrid", 60)];
    let choice = |(name, offset): (&str, i32)| ZoneChoice { name: name.to_owned(), offset };
    assert_eq!(state.apply(Action::ZonesRead(zones.map(choice).to_vec())), [Effect::RevealZone]);
    state
}

fn search(state: &mut State, text: &str) -> Vec<Effect> {
    state.apply(Action::SearchZone(text.to_owned()))
}

fn found(state: &State) -> Vec<&str> {
    state.found_zones().iter().map(|zone| zone.name.as_str()).collect()
}

fn active(state: &State) -> usize {
    state.zone_search.as_ref().unwrap().active
}

#[test]
fn the_list_opens_at_the_visitors_own_zone_and_tells_the_times_of_now() {
    let state = open();
    assert_eq!((state.now, active(&state)), (at(NOW), 3));
    assert_eq!(found(&state).len(), 4);
}

#[test]
fn what_is_typed_before_the_zones_are_known_is_found_when_they_are() {
    let mut state = picking();
    state.apply(Action::OpenZones(at(NOW)));
    search(&mut state, "lima");
    let zones = ["Europe/Madrid", "America/Lima"].map(|name| ZoneChoice { name: name.to_owned(), offset: 0 });
    state.apply(Action::ZonesRead(zones.to_vec()));
    assert_eq!((found(&state), active(&state)), (vec!["America/Lima"], 0));
    let effects = state.apply(Action::ChooseZone(String::new()));
    assert_eq!(effects[0], Effect::LearnZone("America/Lima".to_owned()));
}

#[test]
fn zones_are_asked_for_once() {
    let mut state = open();
    state.apply(Action::CloseZones);
    let effects = state.apply(Action::OpenZones(at(NOW)));
    assert_eq!(effects, [Effect::Focus(Target::ZoneSearch), Effect::RevealZone]);
    assert_eq!(active(&state), 3);
}

#[test]
fn what_is_typed_narrows_the_list_and_enter_takes_the_first() {
    let mut state = open();
    assert_eq!(search(&mut state, "gmt-5"), [Effect::RevealZone]);
    assert_eq!((found(&state), active(&state)), (vec!["America/Bogota", "America/Lima"], 0));
    search(&mut state, "lim");
    let effects = state.apply(Action::ChooseZone(String::new()));
    assert_eq!(effects, [Effect::LearnZone("America/Lima".to_owned()), Effect::Focus(Target::Zone)]);
    assert_eq!(state.zone_search, None);
}

#[test]
fn arrow_keys_go_around_the_list() {
    let mut state = open();
    state.apply(Action::MoveZone(1));
    assert_eq!(active(&state), 0);
    assert_eq!(state.apply(Action::MoveZone(-1)), [Effect::RevealZone]);
    assert_eq!(active(&state), 3);
    search(&mut state, "america");
    state.apply(Action::MoveZone(1));
    let effects = state.apply(Action::ChooseZone(String::new()));
    assert_eq!(effects[0], Effect::LearnZone("America/Lima".to_owned()));
}

#[test]
fn a_zone_that_is_pressed_is_taken_whatever_is_pointed_at() {
    let mut state = open();
    let effects = state.apply(Action::ChooseZone("Asia/Tokyo".to_owned()));
    assert_eq!(effects[0], Effect::LearnZone("Asia/Tokyo".to_owned()));
}

#[test]
fn where_nothing_is_found_nothing_is_taken() {
    let mut state = open();
    search(&mut state, "atlantis");
    assert_eq!(state.apply(Action::MoveZone(1)), []);
    assert_eq!(state.apply(Action::ChooseZone(String::new())), []);
    assert!(state.zone_search.is_some());
}

#[test]
fn the_list_is_closed_by_key_by_what_opened_it_and_when_the_focus_goes_elsewhere() {
    let mut state = open();
    assert_eq!(state.apply(Action::CloseZones), [Effect::Focus(Target::Zone)]);
    assert_eq!(state.zone_search, None);
    assert_eq!(state.apply(Action::CloseZones), []);
    for closing in [Action::OpenZones(at(NOW)), Action::LeaveZones] {
        state.apply(Action::OpenZones(at(NOW)));
        assert_eq!(state.apply(closing), []);
        assert_eq!(state.zone_search, None);
    }
}
