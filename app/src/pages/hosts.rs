//! Who works here.

use leptos::form::ActionForm;
use leptos::prelude::*;

use super::calendars::ForAdmins;
use crate::api::hosts::{HostsView, MemberAdd, MemberRow, hosts};
use crate::parts::fields::{FormEnd, SelectField, TextField};
use crate::parts::form::{FormState, successes};
use crate::parts::frame::PageHead;
use crate::parts::loaded::loaded;
use crate::parts::notices::PageNotice;
use crate::text::{t, tf};

#[component]
pub(crate) fn HostsPage() -> impl IntoView {
    let add = ServerAction::<MemberAdd>::new();
    let added = successes(add);
    let data = Resource::new_blocking(move || added.get(), |_| hosts());
    view! {
        <PageHead title=t("dashboard.hosts") lead=t("dashboard.hosts_lead")/>
        <PageNotice form=FormState::of(add)/>
        {loaded(data, move |view: HostsView| {
            let HostsView { members, min_password, time_zones, time_zone } = view;
            view! {
                <Members members/>
                <section class="card" aria-labelledby="new-host">
                    <h2 id="new-host">{t("dashboard.add_host")}</h2>
                    <p class="hint">{t("dashboard.add_host_text")}</p>
                    <ActionForm action=add>
                        <Fields form=FormState::of(add) min_password time_zones time_zone/>
                    </ActionForm>
                </section>
                <ForAdmins/>
            }
        })}
    }
    .into_any()
}

#[component]
fn Members(members: Vec<MemberRow>) -> impl IntoView {
    view! {
        <table class="cards members">
            <thead>
                <tr>
                    <th scope="col">{t("dashboard.site_name")}</th>
                    <th scope="col">{t("dashboard.role")}</th>
                    <th scope="col">{t("dashboard.schedules")}</th>
                    <th scope="col">{t("dashboard.calendars")}</th>
                </tr>
            </thead>
            <tbody>
                {members
                    .into_iter()
                    .map(|member| {
                        view! {
                            <tr>
                                <th scope="row"><strong>{member.name}</strong> <small>{member.email}</small></th>
                                <td data-label=t("dashboard.role")>{member.role}</td>
                                <td data-label=t("dashboard.schedules")>{member.schedules}</td>
                                <td data-label=t("dashboard.calendars")>{member.calendars}</td>
                            </tr>
                        }
                    })
                    .collect_view()}
            </tbody>
        </table>
    }
    .into_any()
}

#[component]
fn Fields(form: FormState, min_password: usize, time_zones: Vec<String>, time_zone: String) -> impl IntoView {
    let zones = time_zones.into_iter().map(|zone| (zone.clone(), zone.replace('_', " "))).collect();
    view! {
        <div class="stack">
            <div class="columns wide">
                <TextField form name="name" label=t("dashboard.site_name") autocomplete="off"/>
                <TextField form name="email" label=t("dashboard.email") kind="email" autocomplete="off"/>
                <TextField
                    form
                    name="password"
                    label=t("dashboard.first_password")
                    kind="password"
                    autocomplete="new-password"
                    hint=tf("dashboard.password_hint", &[("min", &min_password)])
                />
                <SelectField
                    form
                    name="time_zone"
                    label=t("dashboard.time_zone")
                    hint=t("dashboard.host_zone_hint").to_owned()
                    options=zones
                    value=time_zone
                />
            </div>
            <FormEnd form submit=t("dashboard.add_host")/>
        </div>
    }
    .into_any()
}
