//! Signing up: a user with an organization. A plain form, as on the sign-in page.

use leptos::html;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use crate::api::session::{SignUp, SignUpOptions, sign_up_page};
use crate::parts::fields::{FormEnd, SelectField, TextField};
use crate::parts::form::FormState;
use crate::parts::frame::{PageHead, PlainFrame};
use crate::parts::loaded::loaded;
use crate::text::{t, tf};

#[component]
pub(crate) fn SignUpPage() -> impl IntoView {
    let options = Resource::new_blocking(|| (), |()| sign_up_page());
    view! {
        <PlainFrame>
            <div class="narrow card">
                <PageHead title=t("dashboard.sign_up") lead=t("dashboard.sign_up_lead")/>
                {loaded(options, |options| {
                    if options.is_open {
                        view! { <SignUpFields options/> }.into_any()
                    } else {
                        view! { <p class="notice">{t("dashboard.sign_up_closed")}</p> }.into_any()
                    }
                })}
                <p class="aside">{t("dashboard.has_account")} " " <a href="/sign-in">{t("dashboard.sign_in")}</a></p>
            </div>
        </PlainFrame>
    }
    .into_any()
}

#[component]
fn SignUpFields(options: SignUpOptions) -> impl IntoView {
    let form = FormState::of(ServerAction::<SignUp>::new());
    let zones = options.time_zones.into_iter().map(|zone| (zone.clone(), zone.replace('_', " "))).collect();
    let zone = NodeRef::<html::Select>::new();
    let typed_zone = form.start_value("time_zone", "");
    Effect::new({
        let typed_zone = typed_zone.clone();
        move |_| {
            if let (true, Some(select), Some(own)) = (typed_zone.is_empty(), zone.get(), crate::browser::time_zone()) {
                select.set_value(&own);
            }
        }
    });
    view! {
        <form method="post" action=SignUp::url() class="stack">
            <TextField form name="name" label=t("dashboard.your_name") autocomplete="name"/>
            <TextField form name="email" label=t("dashboard.email") kind="email" autocomplete="username"/>
            <TextField
                form
                name="password"
                label=t("dashboard.password")
                kind="password"
                autocomplete="new-password"
                hint=tf("dashboard.password_hint", &[("min", &options.min_password)])
            />
            <TextField
                form
                name="organization_name"
                label=t("dashboard.organization")
                autocomplete="organization"
                hint=t("dashboard.organization_hint").to_owned()
            />
            <TextField
                form
                name="organization_slug"
                label=t("dashboard.organization_slug")
                hint=t("dashboard.organization_slug_hint").to_owned()
                is_optional=true
                autocomplete="off"
            />
            <SelectField
                form
                name="time_zone"
                label=t("dashboard.time_zone")
                hint=t("dashboard.time_zone_hint").to_owned()
                options=zones
                value="UTC"
                node_ref=zone
            />
            <FormEnd form submit=t("dashboard.sign_up_submit")/>
        </form>
    }
    .into_any()
}
