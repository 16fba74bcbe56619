//! Profiles and calendars.

use http::StatusCode;
use serde_json::{Value, json};

use super::error::GraphError;
use super::{Answer, Call, render, resource};

/// How many calendars a page has by default.
const PAGE: usize = 10;

/// `GET /me` and `/users/{id}`.
pub fn profile(call: &Call<'_>) -> Answer {
    let world = call.microsoft.world();
    let mut user = render::user(call.owner(&world)?);
    if let (Some(names), Some(members)) = (call.query.select(), user.as_object_mut()) {
        members.retain(|member, _| member == "id" || names.iter().any(|name| name.eq_ignore_ascii_case(member)));
    }
    user["@odata.context"] = json!(format!("{}/v1.0/$metadata#users/$entity", call.microsoft.base_url));
    Ok(resource(StatusCode::OK, user))
}

/// `GET .../calendars`, in pages.
pub fn list(call: &Call<'_>) -> Answer {
    let world = call.microsoft.world();
    let owner = call.owner(&world)?;
    let all: Vec<Value> = world.calendars_of(&call.mailbox).map(|calendar| render::calendar(calendar, owner)).collect();
    let mut answer = page(call, all, PAGE)?;
    answer["@odata.context"] = json!(call.context(&world, "calendars"));
    Ok(resource(StatusCode::OK, answer))
}

/// `GET .../calendar` and `.../calendars/{id}`.
pub fn get(call: &Call<'_>, id: Option<&str>) -> Answer {
    let world = call.microsoft.world();
    let mut calendar = render::calendar(call.calendar(&world, id)?, call.owner(&world)?);
    calendar["@odata.context"] = json!(call.context(&world, "calendars/$entity"));
    Ok(resource(StatusCode::OK, calendar))
}

/// One page of `items` by `$top` and `$skip`, and the link to the next.
pub fn page(call: &Call<'_>, items: Vec<Value>, default: usize) -> Result<Value, GraphError> {
    let top = call.query.number("$top", 1)?.unwrap_or(default).min(1_000);
    let skip = call.query.number("$skip", 0)?.unwrap_or(0);
    let count = items.len();
    let shown: Vec<Value> = items.into_iter().skip(skip).take(top).collect();
    let mut answer = json!({ "value": shown });
    if call.query.get("$count").is_some_and(|wanted| wanted == "true") {
        answer["@odata.count"] = json!(count);
    }
    if skip + top < count {
        answer["@odata.nextLink"] = json!(call.link(&call.query.with("$skip", &(skip + top).to_string())));
    }
    Ok(answer)
}
