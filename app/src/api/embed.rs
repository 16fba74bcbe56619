//! Putting the widget on a site: what for, how it looks, and whether a page shows it.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::event_types::EventTypeRow;
use crate::error::AppError;

/// The widget's own accent: choosing it is choosing none.
pub const OWN_ACCENT: &str = "#0c6b5a";
/// The widget's own rounding of the card, in CSS pixels.
pub const OWN_RADIUS: &str = "16";

/// Everything that the embed page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmbedView {
    /// What can be embedded.
    pub event_types: Vec<EventTypeRow>,
    /// Where Cupo is, without a slash at its end.
    pub base_url: String,
    /// How the organization's widgets look.
    pub theme: ThemeForm,
    /// Whether the reader may change that.
    pub is_admin: bool,
    /// What a check has found that was asked for without a script.
    pub checked: Option<SiteCheckView>,
}

/// The form of the organization's theme.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ThemeForm {
    /// `#rrggbb`.
    pub accent: String,
    /// `auto`, `light`, `dark` or `page`.
    pub scheme: String,
    /// In CSS pixels.
    pub radius: String,
}

/// What was found at a site's address, ready to show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteCheckView {
    /// Where it was looked.
    pub address: String,
    /// Whether visitors see the calendar there.
    pub is_good: bool,
    /// The same as a sentence.
    pub sum: String,
    /// What was found: whether it is as it should be, and a sentence.
    pub findings: Vec<(bool, String)>,
}

/// What the embed page needs.
#[server(prefix = "/dashboard/api", endpoint = "embed")]
pub async fn embed() -> Result<EmbedView, AppError> {
    use cupo_store::Role;

    use super::request::{answer, host};
    let (engine, principal) = host()?;
    let theme = answer(engine.theme(&principal).await)?;
    let event_types = super::event_types::event_types().await?.into_iter().filter(|row| row.is_active).collect();
    Ok(EmbedView {
        event_types,
        base_url: engine.settings().public_url.as_str().trim_end_matches('/').to_owned(),
        theme: ThemeForm {
            accent: theme.accent.map_or_else(|| OWN_ACCENT.to_owned(), |accent| accent.to_string()),
            scheme: theme.scheme.as_str().to_owned(),
            radius: theme.radius.map_or_else(|| OWN_RADIUS.to_owned(), |radius| radius.to_string()),
        },
        is_admin: principal.role != Role::Host,
        checked: check::told_before(),
    })
}

/// Stores how the organization's widgets look.
#[server(prefix = "/dashboard/api", endpoint = "theme_save")]
pub async fn theme_save(form: ThemeForm) -> Result<(), AppError> {
    use super::request::{answer, done, host};
    let (engine, principal) = host()?;
    let unless = |text: &str, own: &str| if text == own { String::new() } else { text.to_owned() };
    let input = cupo_engine::ThemeInput {
        accent: unless(&form.accent, OWN_ACCENT),
        scheme: form.scheme.clone(),
        radius: unless(&form.radius, OWN_RADIUS),
    };
    answer(engine.theme_save(&principal, &input).await).map_err(|error| {
        error.with_typed(&[("accent", &form.accent), ("scheme", &form.scheme), ("radius", &form.radius)])
    })?;
    done("/dashboard/embed", "saved");
    Ok(())
}

/// Looks whether a page of a site shows an event type, given as `org/slug`. Without a script the page shows what was found,
/// once.
#[server(prefix = "/dashboard/api", endpoint = "site_check")]
pub async fn site_check(event: String, address: String) -> Result<SiteCheckView, AppError> {
    use super::request::{answer, host, is_plain_form};
    let (engine, principal) = host()?;
    let found = answer(engine.site_check(&principal, &event, &address).await)
        .map_err(|error| error.with_typed(&[("address", &address)]))?;
    let view = check::view(&found);
    if is_plain_form() {
        check::tell_once(&view);
        leptos_axum::redirect(&format!("/dashboard/embed?event={event}#check"));
    }
    Ok(view)
}

#[cfg(feature = "ssr")]
mod check {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use cupo_engine::{SiteCheck, SiteFinding};

    use super::SiteCheckView;
    use crate::api::once;
    use crate::text::{t, tf};

    const COOKIE: &str = "cupo_site_check";
    /// A browser keeps 4,096 bytes of a cookie with its name and attributes.
    const MOST_BYTES: usize = 3_600;

    pub(super) fn view(check: &SiteCheck) -> SiteCheckView {
        let is_good = check.findings.iter().all(SiteFinding::is_good);
        let is_unseen = check.findings.contains(&SiteFinding::TagManager);
        let sum = match (is_good, is_unseen) {
            (true, false) => t("dashboard.embed_check_good"),
            (true, true) => t("dashboard.embed_check_unseen"),
            (false, _) => t("dashboard.embed_check_bad"),
        };
        SiteCheckView {
            address: check.address.clone(),
            is_good: is_good && !is_unseen,
            sum: sum.to_owned(),
            findings: check.findings.iter().map(|finding| (finding.is_good(), sentence(finding))).collect(),
        }
    }

    fn sentence(finding: &SiteFinding) -> String {
        match finding {
            SiteFinding::Private => t("dashboard.embed_found_private").to_owned(),
            SiteFinding::NoAnswer => t("dashboard.embed_found_no_answer").to_owned(),
            SiteFinding::Status(status) => tf("dashboard.embed_found_unreachable", &[("why", &status.to_string())]),
            SiteFinding::TooLarge => t("dashboard.embed_found_too_large").to_owned(),
            SiteFinding::Script => t("dashboard.embed_found_script").to_owned(),
            SiteFinding::NoScript => t("dashboard.embed_found_no_script").to_owned(),
            SiteFinding::TagManager => t("dashboard.embed_found_tag_manager").to_owned(),
            SiteFinding::Event => t("dashboard.embed_found_event").to_owned(),
            SiteFinding::OtherEvents(events) => {
                tf("dashboard.embed_found_other_events", &[("events", &events.join(", "))])
            }
            SiteFinding::NoEvent => t("dashboard.embed_found_no_event").to_owned(),
            SiteFinding::Allowed => t("dashboard.embed_found_allowed").to_owned(),
            SiteFinding::NotAllowed(origin) => tf("dashboard.embed_found_not_allowed", &[("origin", origin)]),
            SiteFinding::Policy(directive, source) => {
                tf("dashboard.embed_found_policy", &[("directive", directive), ("source", source)])
            }
        }
    }

    pub(super) fn tell_once(view: &SiteCheckView) {
        let json = serde_json::to_vec(view).unwrap_or_default();
        let text = URL_SAFE_NO_PAD.encode(json);
        // What is longer than a cookie can be is told by its sum alone.
        let text = if text.len() <= MOST_BYTES {
            text
        } else {
            let short = SiteCheckView { address: String::new(), findings: Vec::new(), ..view.clone() };
            URL_SAFE_NO_PAD.encode(serde_json::to_vec(&short).unwrap_or_default())
        };
        once::tell(COOKIE, &text);
    }

    pub(super) fn told_before() -> Option<SiteCheckView> {
        let text = once::told(COOKIE)?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
    }
}
