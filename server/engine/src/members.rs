//! The people of an organization.

use cupo_core::{
    ids::{ScheduleId, UserId},
    parse::{EmailAddress, FieldErrors, FieldProblem, PersonName},
    zone::TimeZoneName,
};
use cupo_store::{
    Calendar, Membership, Role, StoreError, Tx, User, calendar_list_by_user, membership_insert,
    memberships_of_organization, schedule_insert, schedule_list, user_get, user_insert,
};

use crate::{Engine, EngineError, Principal, engine::transact, hosts::parse_password, passwords};

/// Somebody who can be a host.
#[derive(Debug, Clone)]
pub struct Member {
    /// The user.
    pub user_id: UserId,
    /// The name, as visitors see it.
    pub name: String,
    /// The address to sign in with.
    pub email: EmailAddress,
    /// What the member may do.
    pub role: Role,
    /// The member's schedules with their names, the default first.
    pub schedules: Vec<(ScheduleId, String)>,
    /// The member's calendars.
    pub calendars: Vec<Calendar>,
}

/// The form for a new member, as it was filled in.
#[derive(Clone, Default)]
pub struct MemberInput {
    /// The name, as visitors see it.
    pub name: String,
    /// The address to sign in with.
    pub email: String,
    /// 8 to 256 characters; for the first sign-in.
    pub password: String,
    /// The member's zone, an IANA name.
    pub time_zone: String,
}

impl std::fmt::Debug for MemberInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemberInput").field("time_zone", &self.time_zone).finish_non_exhaustive()
    }
}

impl Engine {
    /// The organization's members by name; a host who does not run it sees themselves alone.
    pub async fn members(&self, principal: &Principal) -> Result<Vec<Member>, EngineError> {
        let tx = &mut self.0.store.read().await?;
        let mut members = Vec::new();
        for membership in memberships_of_organization(tx, &principal.organization_id).await? {
            if principal.role == Role::Host && membership.user_id != principal.user_id {
                continue;
            }
            if let Some(user) = user_get(tx, &membership.user_id).await? {
                members.push(member(tx, user, membership).await?);
            }
        }
        members.sort_by(|a, b| (&a.name, &a.user_id).cmp(&(&b.name, &b.user_id)));
        Ok(members)
    }

    /// Makes a user who is a host of the organization, with a schedule of office hours.
    ///
    /// # Errors
    /// [`EngineError::Forbidden`] for who does not run the organization; [`EngineError::Invalid`] names the fields, a taken
    /// e-mail address among them.
    pub async fn member_add(&self, principal: &Principal, input: MemberInput) -> Result<Member, EngineError> {
        principal.require_admin()?;
        let mut errors = FieldErrors::default();
        let name = errors.collect("name", PersonName::parse(&input.name));
        let email = errors.collect("email", EmailAddress::parse(&input.email));
        let password = errors.collect("password", parse_password(input.password));
        let time_zone = errors.collect("time_zone", TimeZoneName::parse(&input.time_zone));
        let (Some(name), Some(email), Some(password), Some(time_zone)) = (name, email, password, time_zone) else {
            return Err(errors.into());
        };
        let organization_id = &principal.organization_id;
        let user = User {
            id: self.fresh(),
            email,
            name: name.as_str().to_owned(),
            password_hash: passwords::hash(&*self.0.random, password).await?,
            locale: principal.locale,
            created_at: self.now(),
        };
        let membership =
            Membership { organization_id: organization_id.clone(), user_id: user.id.clone(), role: Role::Host };
        let schedule = self.first_schedule(organization_id, &user, time_zone);
        let added = transact!(self, tx => {
            user_insert(tx, &user).await?;
            membership_insert(tx, &membership).await?;
            schedule_insert(tx, &schedule).await?;
            member(tx, user.clone(), membership.clone()).await?
        });
        self.committed(organization_id);
        added.map_err(|error| match &error {
            EngineError::Store(StoreError::Unique(what)) if what.contains("email") => {
                FieldProblem::new("error.email_taken").at("email").into()
            }
            _ => error,
        })
    }
}

async fn member(tx: &mut Tx, user: User, membership: Membership) -> Result<Member, EngineError> {
    let organization_id = &membership.organization_id;
    let schedules = schedule_list(tx, organization_id, Some(&user.id)).await?;
    let calendars = calendar_list_by_user(tx, organization_id, &user.id).await?;
    Ok(Member {
        user_id: user.id,
        name: user.name,
        email: user.email,
        role: membership.role,
        schedules: schedules.into_iter().map(|schedule| (schedule.id, schedule.name)).collect(),
        calendars,
    })
}
