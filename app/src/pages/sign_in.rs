//! Signing in. A plain form: the page that comes after it starts anew, in the user's own language.

use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use crate::api::session::SignIn;
use crate::parts::fields::{FormEnd, TextField};
use crate::parts::form::FormState;
use crate::parts::frame::{PageHead, PlainFrame};
use crate::parts::notices::PageNotice;
use crate::text::t;

#[component]
pub(crate) fn SignInPage() -> impl IntoView {
    let form = FormState::of(ServerAction::<SignIn>::new());
    view! {
        <PlainFrame>
            <div class="narrow card">
                <PageHead title=t("dashboard.sign_in") lead=t("dashboard.sign_in_lead")/>
                <PageNotice/>
                <form method="post" action=SignIn::url() class="stack">
                    <TextField form name="email" label=t("dashboard.email") kind="email" autocomplete="username"/>
                    <TextField
                        form
                        name="password"
                        label=t("dashboard.password")
                        kind="password"
                        autocomplete="current-password"
                    />
                    <FormEnd form submit=t("dashboard.sign_in")/>
                </form>
                <p class="aside">{t("dashboard.no_account")} " " <a href="/sign-up">{t("dashboard.sign_up")}</a></p>
            </div>
        </PlainFrame>
    }
    .into_any()
}
