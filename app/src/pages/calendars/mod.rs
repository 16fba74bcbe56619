//! Connected accounts, and what their calendars are used for.

mod account;
mod choices;
mod test;

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use self::account::{Account, Actions, Consent};
use self::choices::Choices;
use crate::api::account_test::AccountTest;
use crate::api::calendars::{
    AccountDisconnect, AccountPassword, AccountRefresh, CalendarChoicesSave, CalendarsView, calendars,
};
use crate::parts::form::{FormState, successes};
use crate::parts::frame::PageHead;
use crate::parts::icons;
use crate::parts::loaded::loaded;
use crate::parts::notices::PageNotice;
use crate::text::t;

#[component]
pub(crate) fn CalendarsPage() -> impl IntoView {
    let save = ServerAction::<CalendarChoicesSave>::new();
    let actions = Actions {
        test: ServerAction::<AccountTest>::new(),
        refresh: ServerAction::<AccountRefresh>::new(),
        password: ServerAction::<AccountPassword>::new(),
        disconnect: ServerAction::<AccountDisconnect>::new(),
    };
    let changes =
        (successes(save), successes(actions.refresh), successes(actions.password), successes(actions.disconnect));
    let (saved, refreshed, replaced, disconnected) = changes;
    let seen = move || (saved.get(), refreshed.get(), replaced.get(), disconnected.get());
    let calendars = Resource::new_blocking(seen, |_| calendars());
    view! {
        <PageHead title=t("dashboard.calendars") lead=t("dashboard.calendars_lead")>
            <a class="button" href="/dashboard/calendars/connect">{icons::plus()} <span>{t("dashboard.connect_account")}</span></a>
        </PageHead>
        <PageNotice form=FormState::of(save)/>
        {loaded(calendars, move |view: CalendarsView| {
            let CalendarsView { accounts, has_target, is_admin, consent_url, tested } = view;
            let is_empty = accounts.is_empty();
            view! {
                {consent_url.map(|url| view! { <AskAdministrator url/> })}
                {is_empty.then(|| view! { <Empty/> })}
                {accounts
                    .iter()
                    .cloned()
                    .map(|account| {
                        let tested = tested.clone().filter(|tested| tested.account == account.id);
                        view! { <Account account actions tested/> }
                    })
                    .collect_view()}
                {(!is_empty).then(|| view! { <Choices save accounts has_target/> })}
                {is_admin.then(|| view! { <ForAdmins/> })}
            }
        })}
    }
    .into_any()
}

#[component]
fn Empty() -> impl IntoView {
    view! {
        <section class="empty">
            {icons::calendar()}
            <h2>{t("dashboard.no_calendar")}</h2>
            <p>{t("dashboard.no_calendar_text")}</p>
            <p><a class="button button-primary" href="/dashboard/calendars/connect">{t("dashboard.connect_account")}</a></p>
        </section>
    }
    .into_any()
}

/// What helps a host who was sent back because only an administrator at Microsoft can say yes.
#[component]
fn AskAdministrator(url: String) -> impl IntoView {
    let query = use_query_map();
    let is_asked_for = Memo::new(move |_| {
        query.with(|query| {
            let is = |name: &str, value: &str| query.get_str(name) == Some(value);
            is("error", "consent-needed") && !is("provider", "google")
        })
    });
    move || {
        let url = url.clone();
        is_asked_for.get().then(|| {
            view! {
                <section class="card stack" aria-label=t("dashboard.consent_link")>
                    <Consent id="new" url=Some(url) again=Some("/oauth/microsoft/start".to_owned()) guide="/docs/connecting-microsoft"/>
                </section>
            }
        })
    }
}

/// The way to what the organization gives for all its members.
#[component]
pub(crate) fn ForAdmins() -> impl IntoView {
    view! {
        <section class="quiet-section" aria-labelledby="for-admins">
            <div class="section-lead">
                <h2 id="for-admins">{t("dashboard.credentials")}</h2>
                <p class="hint">{t("dashboard.credentials_link_text")}</p>
            </div>
            <a class="button" href="/dashboard/credentials">{icons::key()} <span>{t("dashboard.credentials_open")}</span></a>
        </section>
    }
    .into_any()
}
