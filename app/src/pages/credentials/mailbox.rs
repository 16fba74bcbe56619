//! Connecting a mailbox for a member.

use leptos::form::ActionForm;
use leptos::prelude::*;

use crate::api::credentials::MailboxConnect;
use crate::parts::fields::{FormEnd, SelectField, TextField};
use crate::parts::form::FormState;
use crate::text::t;

#[component]
pub(super) fn Mailbox(
    action: ServerAction<MailboxConnect>,
    credentials: Vec<(String, String)>,
    members: Vec<(String, String)>,
    own_id: String,
) -> impl IntoView {
    let form = FormState::of(action);
    view! {
        <section class="card stack" aria-labelledby="mailbox-title">
            <div class="section-lead">
                <h2 id="mailbox-title">{t("dashboard.mailbox_connect")}</h2>
                <p class="hint">{t("dashboard.mailbox_connect_text")}</p>
            </div>
            <ActionForm action>
                <div class="stack">
                    <div class="columns wide">
                        <SelectField
                            form
                            name="credential_id"
                            label=t("dashboard.credential")
                            options=credentials
                        />
                        <SelectField form name="user_id" label=t("dashboard.mailbox_member") options=members value=own_id/>
                        <TextField
                            form
                            name="mailbox"
                            label=t("dashboard.mailbox")
                            hint=t("dashboard.mailbox_hint").to_owned()
                            kind="email"
                            autocomplete="off"
                        />
                    </div>
                    <FormEnd form submit=t("dashboard.mailbox_connect")/>
                </div>
            </ActionForm>
        </section>
    }
    .into_any()
}
