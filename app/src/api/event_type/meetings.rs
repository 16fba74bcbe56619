//! Whether the calendars that receive the events can make the video meetings.

use super::{EventTypeForm, HostRow, MeetingGap, MemberView};
use crate::api::calendars::services::meeting_service;
use crate::text::tf;

/// The kinds of meetings that a calendar can be asked to make.
const KINDS: [&str; 2] = ["meet", "teams"];

/// For which kinds of meetings a host who takes part has no calendar that makes them.
pub(super) fn gaps(form: &EventTypeForm, members: &[MemberView]) -> Vec<MeetingGap> {
    let taking_part: Vec<_> = members
        .iter()
        .filter_map(|member| Some((member, form.hosts.get(&member.key)?)))
        .filter(|(member, row)| form.takes_part(&member.key, row))
        .collect();
    KINDS.into_iter().filter_map(|kind| gap(kind, &taking_part)).collect()
}

fn gap(kind: &'static str, hosts: &[(&MemberView, &HostRow)]) -> Option<MeetingGap> {
    let lacking: Vec<_> = hosts
        .iter()
        .filter(|(member, row)| !can_make(kind, member, row))
        .map(|(member, _)| member.name.as_str())
        .collect();
    let names = lacking.join(", ");
    let service = meeting_service(kind)?;
    let text = tf("dashboard.meeting_needs_calendar", &[("service", &service), ("hosts", &names)]);
    (!lacking.is_empty()).then(|| MeetingGap { kind: kind.to_owned(), text })
}

/// Whether the calendar that receives this host's events makes such meetings.
fn can_make(kind: &str, member: &MemberView, row: &HostRow) -> bool {
    let target = member.calendars.iter().find(|calendar| match row.target_calendar_id.as_str() {
        "" => calendar.receives_events,
        id => calendar.id == id,
    });
    target.is_some_and(|calendar| calendar.meetings.iter().any(|made| made == kind))
}

#[cfg(test)]
mod tests {
    use super::super::MemberCalendar;
    use super::*;
    use crate::api::rows::Rows;

    fn calendar(id: &str, receives_events: bool, meetings: &[&str]) -> MemberCalendar {
        MemberCalendar {
            id: id.to_owned(),
            name: id.to_owned(),
            can_write: true,
            receives_events,
            meetings: meetings.iter().map(|kind| (*kind).to_owned()).collect(),
        }
    }

    fn member(key: &str, calendars: Vec<MemberCalendar>) -> MemberView {
        MemberView { key: key.to_owned(), name: key.to_owned(), schedules: Vec::new(), calendars }
    }

    fn kinds(form: &EventTypeForm, members: &[MemberView]) -> Vec<String> {
        gaps(form, members).into_iter().map(|gap| gap.kind).collect()
    }

    #[test]
    fn the_calendar_that_receives_the_events_decides() {
        let both = vec![calendar("work", true, &["meet"]), calendar("office", false, &["teams"])];
        let members = [member("h-ana", both)];
        let mut form = EventTypeForm {
            single_host: "h-ana".to_owned(),
            hosts: Rows::from([("h-ana".to_owned(), HostRow::default())]),
            ..EventTypeForm::default()
        };
        assert_eq!(kinds(&form, &members), ["teams"]);
        form.hosts.get_mut("h-ana").unwrap().target_calendar_id = "office".to_owned();
        assert_eq!(kinds(&form, &members), ["meet"]);
    }

    #[test]
    fn only_hosts_who_take_part_are_named() {
        let members = [member("h-ana", vec![calendar("work", true, &["meet", "teams"])]), member("h-ben", Vec::new())];
        let row = |takes_part: &str| HostRow { takes_part: takes_part.to_owned(), ..HostRow::default() };
        let mut form = EventTypeForm {
            assignment: "round_robin".to_owned(),
            hosts: Rows::from([("h-ana".to_owned(), row("on")), ("h-ben".to_owned(), row(""))]),
            ..EventTypeForm::default()
        };
        assert!(gaps(&form, &members).is_empty());
        form.hosts.insert("h-ben".to_owned(), row("on"));
        let found = gaps(&form, &members);
        assert!(found.iter().all(|gap| gap.text.contains("h-ben") && !gap.text.contains("h-ana")));
        assert_eq!(found.len(), 2);
    }
}
