//! Adding a Google service account.

use leptos::form::ActionForm;
use leptos::html;
use leptos::prelude::*;

use crate::api::credentials::ServiceAccountAdd;
use crate::parts::fields::{FormEnd, TextArea};
use crate::parts::form::FormState;
use crate::parts::icons;
use crate::text::{t, tf};

/// With a script a file is chosen and its text goes into the field; without one the text is pasted there.
#[component]
pub(super) fn NewServiceAccount(action: ServerAction<ServiceAccountAdd>) -> impl IntoView {
    let form = FormState::of(action);
    let is_open = form.message().is_some();
    let text = NodeRef::<html::Textarea>::new();
    let chosen = RwSignal::new(String::new());
    let choose = move |event: leptos::ev::Event| {
        crate::browser::read_file(&event, move |name, key| {
            if let Some(text) = text.get_untracked() {
                text.set_value(&key);
            }
            chosen.set(name);
        });
    };
    view! {
        <details class="adding" id="service-account" open=is_open>
            <summary class="button">{icons::service("google")} <span>{t("dashboard.service_account")}</span></summary>
            <ActionForm action>
                <div class="card stack">
                    <p class="hint">
                        {t("dashboard.service_account_text")} " "
                        <a href="/docs/registering-google">{t("dashboard.how_to")}</a>
                    </p>
                    <div class="field scripted">
                        <label for="key-file">{t("dashboard.key_file")}</label>
                        <input id="key-file" type="file" accept=".json,application/json" on:change=choose/>
                        <p class="hint" role="status">
                            {move || {
                                chosen.with(|name| (!name.is_empty()).then(|| tf("dashboard.holidays_file_read", &[("name", name)])))
                            }}
                        </p>
                    </div>
                    <TextArea
                        form
                        name="key_json"
                        label=t("dashboard.key_json")
                        hint=t("dashboard.key_json_hint").to_owned()
                        rows=5
                        placeholder="{ \"type\": \"service_account\", … }"
                        node_ref=text
                    />
                    <FormEnd form submit=t("dashboard.credential_save")/>
                </div>
            </ActionForm>
        </details>
    }
    .into_any()
}
