//! The HTML document around the application, and its routes.

use http::HeaderValue;
use http::header::CONTENT_SECURITY_POLICY;
use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos_axum::{AxumRouteListing, ResponseOptions, generate_route_list};
use leptos_meta::MetaTags;

use crate::app::App;
use crate::context::ShellAssets;
use crate::text::locale;

/// The document of every dashboard page.
///
/// Sets `Content-Security-Policy` with the nonce of its inline scripts, so the server must not overwrite that header here.
pub fn shell(assets: ShellAssets) -> impl IntoView {
    let nonce = use_nonce();
    if let (Some(nonce), Some(response)) = (&nonce, use_context::<ResponseOptions>()) {
        let policy = format!(
            "default-src 'self'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; img-src 'self' data:; object-src 'none'; base-uri 'none'; \
             form-action 'self'; frame-ancestors 'none'"
        );
        if let Ok(policy) = HeaderValue::from_str(&policy) {
            response.insert_header(CONTENT_SECURITY_POLICY, policy);
        }
    }
    // Below a path, a page that the client has drawn names its addresses from the root still.
    let start = format!(
        "const base = document.documentElement.dataset.base ?? '';
        if (base) for (const [type, name] of [['click', 'href'], ['submit', 'action']]) addEventListener(type, ({{ target }}) => {{
            const node = target.closest(`[${{name}}^='/']:not([${{name}}^='//'])`), address = node?.getAttribute(name);
            if (node && !`${{address}}/`.startsWith(`${{base}}/`)) node.setAttribute(name, base + address);
        }}, true);
        const {{ default: init, hydrate }} = await import(base + {:?});
        await init({{ module_or_path: base + {:?} }});
        hydrate();",
        assets.app_js, assets.app_wasm
    );
    view! {
        <!DOCTYPE html>
        <html lang=locale().as_str()>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <link rel="icon" type="image/svg+xml" href=ICON/>
                <link rel="stylesheet" href=assets.app_css/>
                <link rel="modulepreload" href=assets.app_js/>
                <link rel="preload" href=assets.app_wasm r#as="fetch" r#type="application/wasm" crossorigin=""/>
                <script type="module" nonce=nonce>
                    {start}
                </script>
                <MetaTags/>
            </head>
            <body>
                <App/>
            </body>
        </html>
    }
}

/// The wordmark's sign as an address.
pub(crate) const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 28 28'%3E\
%3Crect x='1' y='1' width='26' height='26' rx='8' fill='%230f766e'/%3E\
%3Cpath d='M18.8 10.2a6 6 0 1 0 0 7.6' fill='none' stroke='white' stroke-width='3' stroke-linecap='round'/%3E\
%3Ccircle cx='19.4' cy='14' r='1.9' fill='white'/%3E%3C/svg%3E";

/// Every route of [`App`], for `LeptosRoutes::leptos_routes_with_context`.
pub fn routes() -> Vec<AxumRouteListing> {
    generate_route_list(App)
}
