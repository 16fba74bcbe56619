//! Connecting a calendar feed.

use leptos::form::ActionForm;
use leptos::prelude::*;

use super::CrumbsToServices;
use crate::api::connections::FeedConnect;
use crate::parts::fields::{FormEnd, TextField};
use crate::parts::form::FormState;
use crate::parts::frame::PageHead;
use crate::parts::icons;
use crate::text::{t, tf};

#[component]
pub(crate) fn ConnectFeedPage() -> impl IntoView {
    let connect = ServerAction::<FeedConnect>::new();
    let form = FormState::of(connect);
    view! {
        <CrumbsToServices/>
        <PageHead
            title=tf("dashboard.connect_named", &[("service", &t("dashboard.service_feed"))])
            lead=t("dashboard.connect_feed_lead")
        />
        <ActionForm action=connect>
            <section class="card stack connect-form">
                <p class="service-line">{icons::service("feed")} <strong>{t("dashboard.service_feed")}</strong></p>
                <TextField
                    form
                    name="name"
                    label=t("dashboard.site_name")
                    hint=t("dashboard.feed_name_hint").to_owned()
                    is_optional=true
                    autocomplete="off"
                />
                <TextField
                    form
                    name="address"
                    label=t("dashboard.feed_address")
                    hint=t("dashboard.feed_address_hint").to_owned()
                    autocomplete="off"
                />
                <p class="notice">{icons::clock()} <span>{t("dashboard.feed_late")}</span></p>
                <FormEnd form submit=t("dashboard.connect")>
                    <a class="button button-quiet" href="/docs/calendar-feeds">{t("dashboard.how_to")}</a>
                </FormEnd>
            </section>
        </ActionForm>
    }
    .into_any()
}
