//! Connecting a CalDAV account: one form for every server, with what is known of each service.

use leptos::form::ActionForm;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::CrumbsToServices;
use crate::api::connections::CaldavConnect;
use crate::parts::fields::{FormEnd, TextField};
use crate::parts::form::FormState;
use crate::parts::frame::PageHead;
use crate::parts::icons;
use crate::text::{t, tf};

/// What is known of a service.
#[derive(Clone, Copy)]
struct Preset {
    /// As the engine names it.
    name: &'static str,
    icon: &'static str,
    title: &'static str,
    /// What helps to find the server's address; `None` where every account has the same.
    server_hint: Option<&'static str>,
    username: &'static str,
    username_hint: &'static str,
    password: &'static str,
    password_hint: &'static str,
    /// Where an app password is made.
    password_page: Option<&'static str>,
}

impl Preset {
    fn named(name: &str) -> Self {
        match name {
            "nextcloud" => Self {
                name: "nextcloud",
                icon: "nextcloud",
                title: "Nextcloud",
                server_hint: Some(t("dashboard.nextcloud_server_hint")),
                username: t("dashboard.caldav_username"),
                username_hint: t("dashboard.nextcloud_username_hint"),
                password: t("dashboard.app_password"),
                password_hint: t("dashboard.nextcloud_password_hint"),
                password_page: None,
            },
            "icloud" => Self {
                name: "icloud",
                icon: "icloud",
                title: "iCloud",
                server_hint: None,
                username: t("dashboard.icloud_username"),
                username_hint: t("dashboard.icloud_username_hint"),
                password: t("dashboard.icloud_password"),
                password_hint: t("dashboard.icloud_password_hint"),
                password_page: Some("https://account.apple.com/account/manage"),
            },
            "fastmail" => Self {
                name: "fastmail",
                icon: "fastmail",
                title: "Fastmail",
                server_hint: None,
                username: t("dashboard.fastmail_username"),
                username_hint: t("dashboard.fastmail_username_hint"),
                password: t("dashboard.app_password"),
                password_hint: t("dashboard.fastmail_password_hint"),
                password_page: Some("https://app.fastmail.com/settings/security/integrations"),
            },
            _ => Self {
                name: "generic",
                icon: "caldav",
                title: t("dashboard.service_caldav"),
                server_hint: Some(t("dashboard.caldav_server_hint")),
                username: t("dashboard.caldav_username"),
                username_hint: t("dashboard.caldav_username_hint"),
                password: t("dashboard.password"),
                password_hint: t("dashboard.caldav_password_hint"),
                password_page: None,
            },
        }
    }
}

#[component]
pub(crate) fn ConnectCaldavPage() -> impl IntoView {
    let params = use_params_map();
    let connect = ServerAction::<CaldavConnect>::new();
    view! {
        <CrumbsToServices/>
        {move || {
            let name = params.with(|params| params.get("preset").unwrap_or_default());
            view! { <Form preset=Preset::named(&name) connect/> }
        }}
    }
    .into_any()
}

#[component]
fn Form(preset: Preset, connect: ServerAction<CaldavConnect>) -> impl IntoView {
    let form = FormState::of(connect);
    view! {
        <PageHead
            title=tf("dashboard.connect_named", &[("service", &preset.title)])
            lead=t("dashboard.connect_caldav_lead")
        />
        <ActionForm action=connect>
            <input type="hidden" name="form[preset]" value=preset.name/>
            <section class="card stack connect-form">
                <p class="service-line">{icons::service(preset.icon)} <strong>{preset.title}</strong></p>
                {preset
                    .server_hint
                    .map(|hint| {
                        view! {
                            <TextField
                                form
                                name="server"
                                label=t("dashboard.caldav_server")
                                hint=hint.to_owned()
                                autocomplete="off"
                            />
                        }
                    })}
                <TextField
                    form
                    name="username"
                    label=preset.username
                    hint=preset.username_hint.to_owned()
                    autocomplete="off"
                />
                <div class="stack-tight">
                    <TextField
                        form
                        name="password"
                        label=preset.password
                        hint=preset.password_hint.to_owned()
                        kind="password"
                        autocomplete="off"
                    />
                    {preset
                        .password_page
                        .map(|href| {
                            view! {
                                <a class="with-icon" href=href target="_blank" rel="noopener noreferrer external">
                                    {icons::external()} <span>{t("dashboard.make_app_password")}</span>
                                </a>
                            }
                        })}
                </div>
                <FormEnd form submit=t("dashboard.connect")>
                    <a class="button button-quiet" href="/docs/connecting-caldav">{t("dashboard.how_to")}</a>
                </FormEnd>
            </section>
        </ActionForm>
    }
    .into_any()
}
