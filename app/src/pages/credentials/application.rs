//! Adding a Microsoft application.

use leptos::form::ActionForm;
use leptos::prelude::*;

use crate::api::credentials::ApplicationAdd;
use crate::parts::fields::{FormEnd, RadioField, TextArea, TextField};
use crate::parts::form::FormState;
use crate::parts::icons;
use crate::text::t;

/// The style sheet shows the fields of the chosen proof.
#[component]
pub(super) fn NewApplication(action: ServerAction<ApplicationAdd>) -> impl IntoView {
    let form = FormState::of(action);
    let is_open = form.message().is_some();
    let proof = form.start_value("proof", "secret");
    view! {
        <details class="adding" id="application" open=is_open>
            <summary class="button">{icons::service("microsoft")} <span>{t("dashboard.application")}</span></summary>
            <ActionForm action>
                <div class="card stack application">
                    <p class="hint">
                        {t("dashboard.application_text")} " "
                        <a href="/docs/registering-microsoft">{t("dashboard.how_to")}</a>
                    </p>
                    <div class="columns wide">
                        <TextField
                            form
                            name="tenant"
                            label=t("dashboard.tenant")
                            hint=t("dashboard.tenant_hint").to_owned()
                            autocomplete="off"
                        />
                        <TextField
                            form
                            name="client_id"
                            label=t("dashboard.client_id")
                            hint=t("dashboard.client_id_hint").to_owned()
                            autocomplete="off"
                        />
                    </div>
                    <RadioField
                        name="proof"
                        label=t("dashboard.proof")
                        value=proof
                        options=vec![
                            ("secret", t("dashboard.proof_secret"), t("dashboard.proof_secret_text")),
                            ("certificate", t("dashboard.proof_certificate"), t("dashboard.proof_certificate_text")),
                        ]
                    />
                    <div class="for-secret">
                        <TextField
                            form
                            name="client_secret"
                            label=t("dashboard.client_secret")
                            hint=t("dashboard.client_secret_hint").to_owned()
                            kind="password"
                            autocomplete="off"
                            may_be_empty=true
                        />
                    </div>
                    <div class="for-certificate stack">
                        <TextArea
                            form
                            name="certificate_pem"
                            label=t("dashboard.certificate")
                            rows=4
                            placeholder="-----BEGIN CERTIFICATE-----"
                            may_be_empty=true
                        />
                        <TextArea
                            form
                            name="private_key_pem"
                            label=t("dashboard.private_key")
                            rows=4
                            placeholder="-----BEGIN PRIVATE KEY-----"
                            may_be_empty=true
                        />
                    </div>
                    <FormEnd form submit=t("dashboard.credential_save")/>
                </div>
            </ActionForm>
        </details>
    }
    .into_any()
}
