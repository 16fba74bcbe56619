//! Hosts: sign-up, sign-in and who is behind a session.

use chrono::{DateTime, Utc};
use cupo_core::{
    ids::{OrganizationId, UserId},
    parse::{EmailAddress, FieldErrors, FieldProblem, PersonName, Slug, required_text},
    text::Locale,
    theme::Theme,
    zone::TimeZoneName,
};
use cupo_providers::Secret;
use cupo_store::{
    Membership, Organization, Role, Session, StoreError, Tx, User, membership_get, membership_insert, organization_get,
    organization_insert, schedule_insert, session_delete, session_get, session_insert, user_get, user_get_by_email,
    user_insert, user_update_locale,
};

use crate::{
    Engine, EngineError,
    engine::{digest, transact},
    passwords,
    random::RandomSourceExt,
};

/// The sign-up form, as it was filled in.
#[derive(Clone, Default)]
pub struct SignUp {
    /// The address to sign in with.
    pub email: String,
    /// 8 to 256 characters.
    pub password: String,
    /// The host's name, as visitors see it.
    pub name: String,
    /// The organization's name.
    pub organization_name: String,
    /// The first part of the organization's public addresses.
    pub organization_slug: String,
    /// The host's zone, an IANA name.
    pub time_zone: String,
    /// The host's language.
    pub locale: Locale,
}

impl std::fmt::Debug for SignUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignUp").field("organization_slug", &self.organization_slug).finish_non_exhaustive()
    }
}

/// A session was opened.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// The bearer secret for the cookie.
    pub session_token: Secret,
    /// When the session ends.
    pub expires_at: DateTime<Utc>,
    /// Whose session it is.
    pub principal: Principal,
}

/// A signed-in user in an organization: whose rows a use case may see.
#[derive(Debug, Clone)]
pub struct Principal {
    /// The user.
    pub user_id: UserId,
    /// The tenant.
    pub organization_id: OrganizationId,
    /// What the user may do there.
    pub role: Role,
    /// The address the user signs in with.
    pub email: EmailAddress,
    /// The user's name.
    pub name: String,
    /// The user's language.
    pub locale: Locale,
    /// The organization's slug.
    pub organization_slug: Slug,
    /// The organization's name.
    pub organization_name: String,
}

impl Principal {
    /// [`EngineError::Forbidden`] unless the user looks after the whole organization.
    pub(crate) fn require_admin(&self) -> Result<(), EngineError> {
        match self.role {
            Role::Owner | Role::Admin => Ok(()),
            Role::Host => Err(EngineError::Forbidden),
        }
    }
}

struct ParsedSignUp {
    email: EmailAddress,
    password: String,
    name: PersonName,
    organization_name: String,
    organization_slug: Slug,
    time_zone: TimeZoneName,
    locale: Locale,
}

impl SignUp {
    fn parse(self) -> Result<ParsedSignUp, FieldErrors> {
        let mut errors = FieldErrors::default();
        let email = errors.collect("email", EmailAddress::parse(&self.email));
        let password = errors.collect("password", parse_password(self.password));
        let name = errors.collect("name", PersonName::parse(&self.name));
        let organization_name = errors.collect("organization_name", required_text(&self.organization_name, 120));
        let organization_slug = errors.collect("organization_slug", Slug::parse_organization(&self.organization_slug));
        let time_zone = errors.collect("time_zone", TimeZoneName::parse(&self.time_zone));
        match (email, password, name, organization_name, organization_slug, time_zone) {
            (
                Some(email),
                Some(password),
                Some(name),
                Some(organization_name),
                Some(organization_slug),
                Some(time_zone),
            ) => Ok(ParsedSignUp {
                email,
                password,
                name,
                organization_name,
                organization_slug,
                time_zone,
                locale: self.locale,
            }),
            _ => Err(errors),
        }
    }
}

/// A password of a length that is taken.
pub(crate) fn parse_password(password: String) -> Result<String, FieldProblem> {
    if password.chars().count() < passwords::MIN_LENGTH {
        Err(FieldProblem::new("error.password_short").with("min", passwords::MIN_LENGTH))
    } else if password.len() > passwords::MAX_LENGTH {
        Err(FieldProblem::new("error.too_long").with("max", passwords::MAX_LENGTH))
    } else {
        Ok(password)
    }
}

impl Engine {
    /// Makes a user with an organization, a schedule of office hours and a session.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] names the fields, a taken e-mail or slug among them; [`EngineError::Forbidden`] when
    /// sign-up is closed.
    pub async fn sign_up(&self, form: SignUp) -> Result<SignedIn, EngineError> {
        if !self.0.settings.sign_up_open {
            return Err(EngineError::Forbidden);
        }
        let form = form.parse()?;
        // Behind a proxy that takes Cupo's own path away, its pages could not be told from those of the path.
        if self.0.settings.public_url.path().trim_matches('/') == form.organization_slug.as_str() {
            return Err(FieldProblem::new("error.slug_reserved").at("organization_slug").into());
        }
        let now = self.now();
        let organization = Organization {
            id: self.fresh(),
            slug: form.organization_slug,
            name: form.organization_name,
            theme: Theme::default(),
            created_at: now,
        };
        let user = User {
            id: self.fresh(),
            email: form.email,
            name: form.name.as_str().to_owned(),
            password_hash: passwords::hash(&*self.0.random, form.password).await?,
            locale: form.locale,
            created_at: now,
        };
        let membership =
            Membership { organization_id: organization.id.clone(), user_id: user.id.clone(), role: Role::Owner };
        let schedule = self.first_schedule(&organization.id, &user, form.time_zone);
        let signed_in = transact!(self, tx => {
            organization_insert(tx, &organization).await?;
            user_insert(tx, &user).await?;
            membership_insert(tx, &membership).await?;
            schedule_insert(tx, &schedule).await?;
            self.open_session(tx, &user, &organization, membership.role).await?
        });
        signed_in.map_err(|error| match &error {
            EngineError::Store(StoreError::Unique(what)) if what.contains("email") => {
                FieldProblem::new("error.email_taken").at("email").into()
            }
            EngineError::Store(StoreError::Unique(what)) if what.contains("slug") => {
                FieldProblem::new("error.slug_taken").at("organization_slug").into()
            }
            _ => error,
        })
    }

    /// Opens a session. The time taken does not tell whether the user exists.
    ///
    /// # Errors
    /// [`EngineError::WrongCredentials`], whichever of the two is wrong.
    pub async fn sign_in(&self, email: &str, password: &str) -> Result<SignedIn, EngineError> {
        let email = EmailAddress::parse(email).ok();
        let known = match &email {
            Some(email) => user_get_by_email(&mut self.0.store.read().await?, email).await?,
            None => None,
        };
        if password.len() > passwords::MAX_LENGTH {
            return Err(EngineError::WrongCredentials);
        }
        let hash = known.as_ref().map(|user| user.password_hash.clone());
        let matches = passwords::verify(hash, password.to_owned()).await?;
        let user = known.filter(|_| matches).ok_or(EngineError::WrongCredentials)?;
        transact!(self, tx => {
            let membership = membership_get(tx, &user.id).await?.ok_or(EngineError::Forbidden)?;
            let organization =
                organization_get(tx, &membership.organization_id).await?.ok_or(EngineError::Forbidden)?;
            self.open_session(tx, &user, &organization, membership.role).await?
        })
    }

    async fn open_session(
        &self,
        tx: &mut Tx,
        user: &User,
        organization: &Organization,
        role: Role,
    ) -> Result<SignedIn, EngineError> {
        let token = self.0.random.token();
        let now = self.now();
        let session = Session {
            token_hash: digest(&token),
            user_id: user.id.clone(),
            organization_id: organization.id.clone(),
            created_at: now,
            expires_at: now + self.0.settings.session_ttl,
        };
        session_insert(tx, &session).await?;
        let principal = principal_of(user, organization, role);
        Ok(SignedIn { session_token: Secret::new(token), expires_at: session.expires_at, principal })
    }

    /// Ends a session; one that has ended already is no error.
    pub async fn sign_out(&self, session_token: &str) -> Result<(), EngineError> {
        let hash = digest(session_token);
        transact!(self, tx => {
            session_delete(tx, &hash).await?;
        })
    }

    /// Who is behind a session token; `None` when the session is unknown or over.
    pub async fn principal(&self, session_token: &str) -> Result<Option<Principal>, EngineError> {
        let tx = &mut self.0.store.read().await?;
        let Some(session) = session_get(tx, &digest(session_token), self.now()).await? else { return Ok(None) };
        let (Some(user), Some(membership), Some(organization)) = (
            user_get(tx, &session.user_id).await?,
            membership_get(tx, &session.user_id).await?,
            organization_get(tx, &session.organization_id).await?,
        ) else {
            return Ok(None);
        };
        Ok((membership.organization_id == organization.id).then(|| principal_of(&user, &organization, membership.role)))
    }

    /// Changes the user's language.
    pub async fn set_locale(&self, principal: &Principal, locale: Locale) -> Result<(), EngineError> {
        transact!(self, tx => {
            user_update_locale(tx, &principal.user_id, locale).await?;
        })
    }
}

fn principal_of(user: &User, organization: &Organization, role: Role) -> Principal {
    Principal {
        user_id: user.id.clone(),
        organization_id: organization.id.clone(),
        role,
        email: user.email.clone(),
        name: user.name.clone(),
        locale: user.locale,
        organization_slug: organization.slug.clone(),
        organization_name: organization.name.clone(),
    }
}
