//! What the server puts into the Leptos context of every request.

#[cfg(feature = "ssr")]
use cupo_core::text::Locale;
#[cfg(feature = "ssr")]
use cupo_engine::Principal;

/// Addresses of the hashed assets, as paths from the root (`/assets/app/style.0a1b.css`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShellAssets {
    /// The module that wasm-bindgen made of the dashboard.
    pub app_js: String,
    /// Its WebAssembly.
    pub app_wasm: String,
    /// The one style sheet of the dashboard and the public pages.
    pub app_css: String,
    /// The widget's loader, which the public booking page uses as any other site does.
    pub embed_js: String,
}

/// Who asks, and in which language the answer is due.
#[cfg(feature = "ssr")]
#[derive(Clone)]
pub struct RequestContext {
    /// The signed-in user; `None` for a visitor.
    pub principal: Option<Principal>,
    /// The value of the session's cookie.
    pub session_token: Option<String>,
    /// The dashboard's language, in this order by: the query parameter `lang`, the cookie [`LANGUAGE_COOKIE`], the user's
    /// setting, `Accept-Language`.
    pub locale: Locale,
    /// Whether the public address is `https`.
    pub is_secure: bool,
}

#[cfg(feature = "ssr")]
impl std::fmt::Debug for RequestContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RequestContext")
            .field("principal", &self.principal)
            .field("locale", &self.locale)
            .finish_non_exhaustive()
    }
}

/// Name of the session's cookie. By `https` it has the prefix by which browsers take it from this very host alone (RFC
/// 6265bis, section 4.1.3.2): a page of a neighbouring name cannot put a session of its own in the place of a host's.
#[cfg(feature = "ssr")]
#[must_use]
pub fn session_cookie(is_secure: bool) -> &'static str {
    if is_secure { "__Host-cupo_session" } else { "cupo_session" }
}

/// Name of the cookie in which the language switch keeps `en` or `es`.
pub const LANGUAGE_COOKIE: &str = "cupo_language";
