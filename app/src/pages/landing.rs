//! What Cupo is, for who comes to its bare address.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::api::session::is_signed_in;
use crate::parts::frame::PlainFrame;
use crate::parts::icons;
use crate::parts::loaded::loaded;
use crate::text::t;

#[component]
pub(crate) fn LandingPage() -> impl IntoView {
    let signed_in = Resource::new_blocking(|| (), |()| is_signed_in());
    view! {
        <Title text=t("dashboard.landing_title")/>
        <PlainFrame>
            <section class="hero">
                <h1>{t("dashboard.landing_title")}</h1>
                <p class="lead">{t("dashboard.landing_lead")}</p>
                {loaded(signed_in, |signed_in| {
                    if signed_in {
                        view! { <p class="buttons"><a class="button button-primary" href="/dashboard">{t("dashboard.landing_open")}</a></p> }
                            .into_any()
                    } else {
                        view! {
                            <p class="buttons">
                                <a class="button button-primary" href="/sign-up">{t("dashboard.sign_up")}</a>
                                <a class="button" href="/sign-in">{t("dashboard.sign_in")}</a>
                            </p>
                        }
                            .into_any()
                    }
                })}
            </section>
            <ul class="promises">
                <li>{icons::calendar()} <h2>{t("dashboard.promise_calendar")}</h2> <p>{t("dashboard.promise_calendar_text")}</p></li>
                <li>{icons::code()} <h2>{t("dashboard.promise_embed")}</h2> <p>{t("dashboard.promise_embed_text")}</p></li>
                <li>{icons::home()} <h2>{t("dashboard.promise_own")}</h2> <p>{t("dashboard.promise_own_text")}</p></li>
            </ul>
        </PlainFrame>
    }
    .into_any()
}
