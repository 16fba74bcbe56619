//! What a Content-Security-Policy (level 3) lacks for the widget.

use url::Url;

use super::SiteFinding;

const SCRIPTS: [&str; 3] = ["script-src-elem", "script-src", "default-src"];
const CONNECTIONS: [&str; 2] = ["connect-src", "default-src"];
const FRAMES: [&str; 3] = ["frame-src", "child-src", "default-src"];
const EVALUATION: [&str; 2] = ["script-src", "default-src"];

/// The addresses that the widget of one event type asks for.
pub(super) struct Needs {
    cupo: Url,
    loader: Url,
    module: Url,
    connections: [Url; 2],
    frame: Url,
}

impl Needs {
    /// Those of the installation at this address, which has no slash at its end. `event` is `org/slug`.
    pub(super) fn of(cupo: &str, event: &str) -> Option<Self> {
        let at = |path: &str| Url::parse(&format!("{cupo}{path}")).ok();
        Some(Self {
            cupo: at("")?,
            loader: at("/embed.js")?,
            module: at("/assets/widget.js")?,
            connections: [at("/embed/v1/first")?, at("/assets/widget.wasm")?],
            frame: at(&format!("/{event}"))?,
        })
    }
}

/// What a script tag says of its right to run.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Tag {
    pub(super) nonce: String,
    pub(super) integrity: String,
}

/// The policies of a header, which separates them by commas. The page must satisfy each of them.
pub(super) fn policies(header: &str) -> impl Iterator<Item = Policy<'_>> {
    header.split(',').map(Policy::parse)
}

/// One policy.
pub(super) struct Policy<'a> {
    /// By their names; of a name that comes twice the first one counts.
    directives: Vec<(String, Vec<&'a str>)>,
}

impl<'a> Policy<'a> {
    fn parse(text: &'a str) -> Self {
        let directive = |text: &'a str| {
            let mut words = text.split_ascii_whitespace();
            Some((words.next()?.to_ascii_lowercase(), words.collect()))
        };
        Self { directives: text.split(';').filter_map(directive).collect() }
    }

    /// What is missing for a widget that one of these tags loads into this page. Where WebAssembly alone is forbidden, the public
    /// page in a frame does in its place; then that must be allowed.
    pub(super) fn lacks(&self, needs: &Needs, page: &Url, tags: &[Tag]) -> Vec<SiteFinding> {
        let origin = needs.cupo.origin().ascii_serialization();
        let allow = |sources: &Sources<'_>, address: &Url| sources.allow(address, page);
        let mut lacks = Vec::new();
        if let Some(scripts) = self.sources(&SCRIPTS)
            && !tags.iter().any(|tag| scripts.run(tag, needs, page))
        {
            // Where scripts are trusted one by one, no address helps.
            let missing = if scripts.has("'strict-dynamic'") { "'nonce-…'" } else { &origin };
            let directive = if scripts.directive == SCRIPTS[0] { SCRIPTS[0] } else { SCRIPTS[1] };
            lacks.push(SiteFinding::Policy(directive, missing.to_owned()));
        }
        let connections = self.sources(&CONNECTIONS);
        if connections.is_some_and(|sources| !needs.connections.iter().all(|address| allow(&sources, address))) {
            lacks.push(SiteFinding::Policy(CONNECTIONS[0], origin));
        }
        let compiles = |sources: Sources<'_>| sources.has("'wasm-unsafe-eval'") || sources.has("'unsafe-eval'");
        let frames = self.sources(&FRAMES).is_none_or(|sources| allow(&sources, &needs.frame));
        if !frames && self.sources(&EVALUATION).is_some_and(|sources| !compiles(sources)) {
            lacks.push(SiteFinding::Policy(EVALUATION[0], "'wasm-unsafe-eval'".to_owned()));
        }
        lacks
    }

    /// The sources of the first of these directives that there is.
    fn sources<'b>(&'b self, names: &[&'b str]) -> Option<Sources<'b>> {
        names.iter().find_map(|name| {
            let (_, list) = self.directives.iter().find(|(directive, _)| directive == name)?;
            Some(Sources { directive: name, list })
        })
    }
}

struct Sources<'a> {
    directive: &'a str,
    list: &'a [&'a str],
}

impl Sources<'_> {
    fn has(&self, keyword: &str) -> bool {
        self.list.iter().any(|source| source.eq_ignore_ascii_case(keyword))
    }

    /// Whether a tag with the loader runs, and whether what the loader imports does: that inherits a nonce.
    fn run(&self, tag: &Tag, needs: &Needs, page: &Url) -> bool {
        let has_value = |kind: &str, value: &str| {
            let values = self.list.iter().filter_map(|source| source.strip_prefix('\'')?.strip_suffix('\''));
            values
                .filter_map(|source| source.split_at_checked(kind.len()))
                .any(|(found, rest)| found.eq_ignore_ascii_case(kind) && rest == value)
        };
        let mut hashes = tag.integrity.split_ascii_whitespace().peekable();
        let by_hash = hashes.peek().is_some() && hashes.all(|hash| has_value("", hash));
        if !tag.nonce.is_empty() && has_value("nonce-", &tag.nonce) {
            true
        } else if self.has("'strict-dynamic'") {
            by_hash
        } else {
            (by_hash || self.allow(&needs.loader, page)) && self.allow(&needs.module, page)
        }
    }

    fn allow(&self, address: &Url, page: &Url) -> bool {
        self.list.iter().any(|source| match *source {
            "*" => matches!(address.scheme(), "http" | "https"),
            _ if source.eq_ignore_ascii_case("'self'") => address.origin() == page.origin(),
            _ => allows(source, address, page),
        })
    }
}

/// Whether a scheme or a host, perhaps with a scheme, a port and a path, allows an address.
fn allows(source: &str, address: &Url, page: &Url) -> bool {
    // What is allowed without TLS is with it.
    let is_scheme = |scheme: &str| {
        scheme.eq_ignore_ascii_case(address.scheme())
            || (scheme.eq_ignore_ascii_case("http") && address.scheme() == "https")
    };
    if let Some(scheme) = source.strip_suffix(':') {
        return is_scheme(scheme);
    }
    let (scheme, rest) = source.split_once("://").unwrap_or((page.scheme(), source));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    is_scheme(scheme) && is_host(host, address) && is_port(port, address) && is_path(path, address.path())
}

fn is_host(host: &str, address: &Url) -> bool {
    let host = host.to_ascii_lowercase();
    let found = address.host_str().unwrap_or_default();
    match host.strip_prefix('*') {
        Some("") => true,
        Some(rest) => rest.starts_with('.') && found.ends_with(rest),
        None => host == found,
    }
}

fn is_port(port: Option<&str>, address: &Url) -> bool {
    match port {
        // The address's own is left out where it is its scheme's.
        None => address.port().is_none(),
        Some("*") => true,
        Some("80") if address.scheme() == "https" && address.port().is_none() => true,
        Some(port) => port.parse().ok() == address.port_or_known_default(),
    }
}

/// A path that ends in a slash allows everything below it, any other one itself alone.
fn is_path(allowed: &str, path: &str) -> bool {
    if allowed.ends_with('/') { path.starts_with(allowed) } else { allowed.is_empty() || path == allowed }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGIN: &str = "https://book.example.com";

    /// What a header of policies lacks on a page of `example.org` with one tag.
    fn lacks_with(tag: &Tag, header: &str) -> Vec<String> {
        let needs = Needs::of("https://book.example.com/cupo", "acme/visit").unwrap();
        let page = "https://www.example.org/visit".parse().unwrap();
        let lacks = policies(header).flat_map(|policy| policy.lacks(&needs, &page, std::slice::from_ref(tag)));
        let told = |finding| match finding {
            SiteFinding::Policy(directive, source) => format!("{directive} {source}"),
            other => panic!("{other:?}"),
        };
        lacks.map(told).collect()
    }

    fn lacks(header: &str) -> Vec<String> {
        lacks_with(&Tag::default(), header)
    }

    #[test]
    fn a_policy_that_allows_what_the_widget_needs_lacks_nothing() {
        for header in [
            "",
            "img-src 'self'",
            "script-src https://book.example.com 'wasm-unsafe-eval'; connect-src *.example.com",
            "Script-Src HTTPS://BOOK.example.com 'WASM-unsafe-eval'; connect-src https:",
            "default-src * 'unsafe-eval'",
            "default-src https://*:443 'wasm-unsafe-eval'",
            "default-src http://book.example.com:80 'wasm-unsafe-eval'",
            "default-src https://book.example.com/cupo/ 'wasm-unsafe-eval'",
            "script-src book.example.com:* 'wasm-unsafe-eval'",
            // A frame does where WebAssembly is forbidden.
            "script-src https:; connect-src https:; frame-src https:",
            "script-src https:; frame-src https://book.example.com/cupo/acme/visit",
        ] {
            assert_eq!(lacks(header), [""; 0], "{header}");
        }
    }

    #[test]
    fn what_a_policy_lacks_is_told_by_directive_and_source() {
        let (scripts, connections) = (format!("script-src {ORIGIN}"), format!("connect-src {ORIGIN}"));
        let wasm = "script-src 'wasm-unsafe-eval'".to_owned();
        assert_eq!(lacks("default-src 'self'"), [scripts.clone(), connections.clone(), wasm.clone()]);
        assert_eq!(lacks("script-src 'none' 'wasm-unsafe-eval'"), std::slice::from_ref(&scripts));
        assert_eq!(lacks("script-src-elem 'self'; script-src *"), [format!("script-src-elem {ORIGIN}")]);
        assert_eq!(lacks("script-src https:; frame-src 'none'"), [wasm]);
        for elsewhere in [
            "https://book.example.com:8443",
            "https://book.example.com/cup",
            "https://book.example.com/book/",
            "https://*.book.example.com",
            "https://ook.example.com",
            "http:8080",
            "wss:",
        ] {
            assert_eq!(lacks(&format!("connect-src {elsewhere}")), std::slice::from_ref(&connections), "{elsewhere}");
        }
        // The loader alone is not enough: it imports more.
        let loader = "script-src https://book.example.com/cupo/embed.js 'wasm-unsafe-eval'";
        assert_eq!(lacks(loader), std::slice::from_ref(&scripts));
        assert_eq!(lacks(&format!("{loader} https://book.example.com/cupo/assets/")), [""; 0]);
    }

    #[test]
    fn of_several_policies_each_must_allow_it_and_of_a_directive_the_first_one_counts() {
        let connections = [format!("connect-src {ORIGIN}")];
        assert_eq!(lacks("connect-src *, connect-src 'self'"), connections);
        assert_eq!(lacks("connect-src 'self', connect-src *"), connections);
        assert_eq!(lacks("connect-src 'self'; connect-src *"), connections);
        assert_eq!(lacks("connect-src *; connect-src 'self'"), [""; 0]);
    }

    #[test]
    fn a_nonce_counts_on_the_tag_that_bears_it() {
        let tag = |nonce: &str| Tag { nonce: nonce.to_owned(), integrity: String::new() };
        let header = "script-src 'nonce-r4nd0m' 'wasm-unsafe-eval'";
        assert_eq!(lacks_with(&tag("r4nd0m"), header), [""; 0]);
        for other in ["", "R4ND0M", "x"] {
            assert_eq!(lacks_with(&tag(other), header), [format!("script-src {ORIGIN}")], "{other}");
        }
    }

    #[test]
    fn where_scripts_are_trusted_one_by_one_addresses_count_for_nothing() {
        let header = "script-src 'strict-dynamic' 'nonce-r4nd0m' 'sha256-aGFzaA==' https: 'self' 'wasm-unsafe-eval'";
        assert_eq!(lacks(header), ["script-src 'nonce-…'"]);
        let nonce = Tag { nonce: "r4nd0m".to_owned(), integrity: String::new() };
        assert_eq!(lacks_with(&nonce, header), [""; 0]);
        let hash = |integrity: &str| Tag { nonce: String::new(), integrity: integrity.to_owned() };
        assert_eq!(lacks_with(&hash("sha256-aGFzaA=="), header), [""; 0]);
        assert_eq!(lacks_with(&hash("sha256-b3RoZXI="), header), ["script-src 'nonce-…'"]);
    }

    #[test]
    fn the_pages_own_origin_is_where_the_page_is() {
        let needs = Needs::of("https://www.example.org/cupo", "acme/visit").unwrap();
        let page = "https://www.example.org/visit".parse().unwrap();
        let own = Policy::parse("default-src 'self' 'wasm-unsafe-eval'");
        assert_eq!(own.lacks(&needs, &page, &[Tag::default()]), []);
    }
}
