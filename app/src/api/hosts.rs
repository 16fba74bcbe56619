//! Who works in the organization.

use std::fmt;

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::AppError;

/// Everything that the page of the hosts shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostsView {
    /// Everybody.
    pub members: Vec<MemberRow>,
    /// The fewest characters of a password.
    pub min_password: usize,
    /// Every zone that can be chosen.
    pub time_zones: Vec<String>,
    /// The zone of who looks, which a new member probably shares.
    pub time_zone: String,
}

/// Somebody in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberRow {
    /// The user's name.
    pub name: String,
    /// The user's e-mail address.
    pub email: String,
    /// What the user may do, in words.
    pub role: String,
    /// The names of the user's schedules.
    pub schedules: String,
    /// How many calendars can block, in words.
    pub calendars: String,
}

/// The form that adds somebody.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MemberForm {
    /// The user's name.
    pub name: String,
    /// The address to sign in with.
    pub email: String,
    /// The first password.
    pub password: String,
    /// The user's zone.
    pub time_zone: String,
}

impl fmt::Debug for MemberForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemberForm").field("time_zone", &self.time_zone).finish_non_exhaustive()
    }
}

/// Everybody in the organization, for those who look after it.
#[server(prefix = "/dashboard/api", endpoint = "hosts")]
pub async fn hosts() -> Result<HostsView, AppError> {
    use super::request::{answer, host, zone};
    use crate::text::{t, tf};
    use cupo_engine::EngineError;
    use cupo_store::Role;

    let (engine, principal) = host()?;
    if principal.role == Role::Host {
        return answer(Err(EngineError::Forbidden));
    }
    let role = |role: Role| match role {
        Role::Owner => t("dashboard.role_owner"),
        Role::Admin => t("dashboard.role_admin"),
        Role::Host => t("dashboard.role_host"),
    };
    let members = answer(engine.members(&principal).await)?.into_iter().map(|member| MemberRow {
        role: role(member.role).to_owned(),
        schedules: member.schedules.into_iter().map(|(_, name)| name).collect::<Vec<_>>().join(", "),
        calendars: match member.calendars.len() {
            0 => t("dashboard.calendars_none").to_owned(),
            1 => t("dashboard.calendars_one").to_owned(),
            count => tf("dashboard.calendars_count", &[("count", &count)]),
        },
        name: member.name,
        email: member.email.to_string(),
    });
    Ok(HostsView {
        members: members.collect(),
        min_password: cupo_engine::passwords::MIN_LENGTH,
        time_zones: cupo_core::zone::TimeZoneName::all().map(str::to_owned).collect(),
        time_zone: zone(&engine, &principal).await?.name().to_owned(),
    })
}

/// Adds somebody to the organization.
#[server(prefix = "/dashboard/api", endpoint = "member_add")]
pub async fn member_add(form: MemberForm) -> Result<(), AppError> {
    use super::request::{answer, done, host};
    let (engine, principal) = host()?;
    let input = cupo_engine::MemberInput {
        name: form.name.clone(),
        email: form.email.clone(),
        password: form.password.clone(),
        time_zone: form.time_zone.clone(),
    };
    answer(engine.member_add(&principal, input).await).map_err(|error| {
        error.with_typed(&[("name", &form.name), ("email", &form.email), ("time_zone", &form.time_zone)])
    })?;
    done("/dashboard/hosts", "member_added");
    Ok(())
}
