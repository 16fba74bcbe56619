//! How somebody of one organization goes for the things of another, and what must come of it.

use reqwest::{Method, RequestBuilder, Response};
use url::form_urlencoded;

use super::tenant::Tenant;
use crate::world::World;

/// What an address has to do with tenants.
pub enum Entry {
    /// Nothing; the text says why.
    Public(&'static str),
    /// Somebody of another organization is kept out, by each of these.
    Guarded(Vec<Try>),
}

/// One request. In its texts `$their.site` is the id of a site of the organization that is attacked, and `$own.site` one of
/// the attacker's: see [`Tenant::nouns`].
pub struct Try {
    path: &'static str,
    body: Body,
    headers: Vec<(&'static str, &'static str)>,
    session: Session,
    gives: Gives,
    control: Control,
}

enum Body {
    None,
    Form(Vec<(&'static str, &'static str)>),
    /// The form of one of the attacked organization's own pages, as it was filled in, with some fields changed.
    TheirForm(&'static str, Vec<(&'static str, &'static str)>),
    /// The same of the attacker's.
    OwnForm(&'static str, Vec<(&'static str, &'static str)>),
    Json(&'static str),
}

/// Whose cookie goes along.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Session {
    Owner,
    Spare,
    None,
}

/// What comes of an attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gives {
    /// There is no such thing, for them.
    NotFound,
    /// A field is refused.
    Invalid,
    /// E-mail address and password do not belong together.
    WrongCredentials,
    /// Somewhere else, whose address holds this.
    LeadsTo(&'static str),
    /// What is the attacker's own, or nothing.
    TheirOwn,
}

/// What the very same request gives to the one whom it was aimed at, so that nothing else is what keeps others out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    Works,
    /// It cannot be shown; the text says why.
    Untold(&'static str),
}

impl Try {
    fn new(path: &'static str, body: Body) -> Self {
        let gives = Gives::NotFound;
        Self { path, body, headers: Vec::new(), session: Session::Owner, gives, control: Control::Works }
    }

    pub fn gives(self, gives: Gives) -> Self {
        Self { gives, ..self }
    }

    /// Only what is the attacker's own can come of it.
    pub fn own(self) -> Self {
        self.gives(Gives::TheirOwn)
    }

    /// Without asking for the same as its owner.
    pub fn untold(self, why: &'static str) -> Self {
        Self { control: Control::Untold(why), ..self }
    }

    /// By another session of the same person.
    pub fn in_spare_session(self) -> Self {
        Self { session: Session::Spare, ..self }
    }

    /// By somebody who is not signed in.
    pub fn by_anybody(self) -> Self {
        Self { session: Session::None, ..self }
    }

    pub fn with(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    pub fn control(&self) -> Control {
        self.control
    }

    pub fn expected(&self) -> Gives {
        self.gives
    }

    /// The request, as `own` makes it for what is `their`s.
    pub fn request(&self, world: &World, method: &Method, own: &Tenant, their: &Tenant) -> (RequestBuilder, String) {
        let fill = |text: &str| filled(text, own, their);
        let path = fill(self.path);
        let mut request = world.client.request(method.clone(), world.url(&path));
        request = match self.session {
            Session::Owner => request.header("cookie", &own.cookie),
            Session::Spare => request.header("cookie", &own.spare_cookie),
            Session::None => request,
        };
        request = request.header("origin", &world.server.base_url).header("accept", "application/json, text/plain");
        let mut sent = path.clone();
        for (name, value) in &self.headers {
            let value = fill(value);
            sent = format!("{sent} {value}");
            request = request.header(*name, value);
        }
        let pairs = |base: &[(String, String)], more: &[(&str, &str)]| {
            let more: Vec<_> = more.iter().map(|(name, value)| (fill(name), fill(value))).collect();
            let kept = base.iter().filter(|(name, _)| !more.iter().any(|(other, _)| other == name)).cloned();
            kept.chain(more.clone()).collect::<Vec<_>>()
        };
        let form = match &self.body {
            Body::None => None,
            Body::Form(fields) => Some(pairs(&[], fields)),
            Body::TheirForm(noun, changes) => Some(pairs(&their.forms[noun], changes)),
            Body::OwnForm(noun, changes) => Some(pairs(&own.forms[noun], changes)),
            Body::Json(text) => {
                let text = fill(text);
                sent = format!("{sent} {text}");
                request = request.header("content-type", "application/json").body(text);
                None
            }
        };
        if let Some(pairs) = form {
            sent = format!("{sent} {pairs:?}");
            let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
            request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
        }
        (request, sent)
    }

    /// Whether the path of the request is one of the pattern's.
    pub fn is_at(&self, pattern: &str) -> bool {
        let path = self.path.split('?').next().unwrap_or_default();
        let (path, pattern): (Vec<_>, Vec<_>) = (path.split('/').collect(), pattern.split('/').collect());
        path.len() == pattern.len()
            && path.iter().zip(pattern).all(|(part, pattern)| *part == pattern || pattern.starts_with('{'))
    }
}

fn filled(text: &str, own: &Tenant, their: &Tenant) -> String {
    let mut text = text.to_owned();
    for (side, tenant) in [("own", own), ("their", their)] {
        // The longest names first: some begin like others.
        let mut nouns: Vec<_> = tenant.nouns.iter().collect();
        nouns.sort_by_key(|(noun, _)| std::cmp::Reverse(noun.len()));
        for (noun, value) in nouns {
            text = text.replace(&format!("${side}.{noun}"), value);
        }
    }
    assert!(!text.contains("$own.") && !text.contains("$their."), "no tenant has that: {text}");
    text
}

/// An answer as it was read.
pub struct Answer {
    pub status: u16,
    pub location: String,
    /// Headers and body.
    pub text: String,
}

impl Answer {
    pub async fn of(response: Response) -> Self {
        let status = response.status().as_u16();
        let header = |name: &str| response.headers().get(name).and_then(|it| it.to_str().ok()).unwrap_or_default();
        let location = header("location").to_owned();
        let headers = format!("{:?}", response.headers());
        Self { status, location, text: format!("{headers}\n{}", response.text().await.unwrap()) }
    }

    pub fn is(&self, gives: Gives) -> bool {
        match gives {
            Gives::NotFound => self.status == 404,
            Gives::Invalid => self.status == 422,
            Gives::WrongCredentials => self.status == 401,
            // Where no browser asks for a page, the address comes without the redirect's status.
            Gives::LeadsTo(text) => self.location.contains(text),
            Gives::TheirOwn => self.works(),
        }
    }

    /// As much of it as can be read in one go.
    pub fn beginning(&self) -> String {
        self.text.chars().take(600).collect()
    }

    /// Whether what was asked for was done.
    pub fn works(&self) -> bool {
        let leads_away = self.location.contains("error=") || self.location.ends_with("/sign-in");
        self.status < 400 && !leads_away
    }
}

pub fn get(path: &'static str) -> Try {
    Try::new(path, Body::None)
}

pub fn delete(path: &'static str) -> Try {
    Try::new(path, Body::None)
}

pub fn form(path: &'static str, fields: &[(&'static str, &'static str)]) -> Try {
    Try::new(path, Body::Form(fields.to_vec()))
}

pub fn their_form(path: &'static str, noun: &'static str, changes: &[(&'static str, &'static str)]) -> Try {
    Try::new(path, Body::TheirForm(noun, changes.to_vec()))
}

pub fn own_form(path: &'static str, noun: &'static str, changes: &[(&'static str, &'static str)]) -> Try {
    Try::new(path, Body::OwnForm(noun, changes.to_vec()))
}

pub fn json(path: &'static str, text: &'static str) -> Try {
    Try::new(path, Body::Json(text))
}
