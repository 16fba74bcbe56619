//! What a visitor chooses before a time: how long, and with whom.

use cupo_core::wire::HostView;
use leptos::prelude::*;

use super::BookingState;
use super::address::Address;
use super::fields::chips;
use crate::parts::icons;
use crate::text::{language, t};
use crate::time;

/// More hosts than this are folded into a list that opens.
const IN_SIGHT: usize = 8;

/// The choices that there are; each is a link to the same day with another wish.
pub(super) fn wishes(state: &BookingState, address: &Address, day: &[(&'static str, String)]) -> impl IntoView + use<> {
    let event = &state.event;
    let length = (event.durations.len() > 1).then(|| lengths(state, address, day));
    let host = (event.hosts.len() > 1).then(|| hosts(state, address, day));
    let is_any = length.is_some() || host.is_some();
    is_any.then(|| view! { <div class="wishes">{length} {host}</div> })
}

fn lengths(state: &BookingState, address: &Address, day: &[(&'static str, String)]) -> AnyView {
    let current = state.query.duration(&state.event);
    let address = address.without("duration");
    let mut durations = state.event.durations.clone();
    durations.sort_unstable();
    let options = durations.into_iter().map(|minutes| {
        let picks: Vec<_> = std::iter::once(("duration", minutes.to_string())).chain(day.iter().cloned()).collect();
        (time::duration(minutes, language()), address.with(&picks), Some(minutes) == current)
    });
    chips(t("public.length"), "length", options.collect())
}

fn hosts(state: &BookingState, address: &Address, day: &[(&'static str, String)]) -> AnyView {
    let current = state.query.host(&state.event);
    let address = address.without("host");
    if state.event.hosts.len() > IN_SIGHT {
        return host_list(&state.event.hosts, current, &address, day);
    }
    let anyone = (t("public.anyone").to_owned(), address.with(day), current.is_none());
    let options = state.event.hosts.iter().map(|host| {
        let picks: Vec<_> = std::iter::once(("host", host.id.clone())).chain(day.iter().cloned()).collect();
        (host.name.clone(), address.with(&picks), current == Some(host))
    });
    chips(t("public.with_whom"), "with-whom", std::iter::once(anyone).chain(options).collect())
}

fn host_list(
    hosts: &[HostView],
    current: Option<&HostView>,
    address: &Address,
    day: &[(&'static str, String)],
) -> AnyView {
    let options = hosts
        .iter()
        .map(|host| view! { <option value=host.id.clone() selected=current == Some(host)>{host.name.clone()}</option> })
        .collect_view();
    let day =
        day.iter().map(|(name, value)| view! { <input type="hidden" name=*name value=value.clone()/> }).collect_view();
    view! {
        <form method="get" action=address.path.clone() class="zone">
            {address.hidden_fields("host")}
            {day}
            <label for="host">{t("public.with_whom")}</label>
            <div class="zone-row">
                <div class="select">
                    <select id="host" name="host">
                        <option value="">{t("public.anyone")}</option>
                        {options}
                    </select>
                    {icons::chevron_down()}
                </div>
                <button type="submit" class="button">{t("public.change")}</button>
            </div>
        </form>
    }
    .into_any()
}
