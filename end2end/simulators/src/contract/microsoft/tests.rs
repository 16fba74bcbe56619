use serde_json::json;

use super::*;

const EXAMPLES_FILE: &str = "msgraph-docs-examples.json";

fn contract() -> Option<MicrosoftContract> {
    let contract = MicrosoftContract::load();
    if contract.is_none() {
        println!("contract check left out: {FILE} is not there (set CUPO_CONTRACT_DIR)");
    }
    contract
}

fn event() -> Value {
    let time = |at: &str| json!({ "dateTime": at, "timeZone": "UTC" });
    json!({ "subject": "Intro", "start": time("2026-11-23T09:00:00"), "end": time("2026-11-23T10:00:00") })
}

fn with(mut value: Value, name: &str, member: Value) -> Value {
    value[name] = member;
    value
}

#[test]
fn every_example_of_the_documentation_is_a_valid_answer() {
    let (Some(contract), Some(examples)) = (contract(), contract_file(EXAMPLES_FILE)) else { return };
    let examples = examples["examples"].as_array().expect("examples");
    let mut checked = 0;
    for example in examples.iter().filter(|example| example["placeholders"] == false) {
        let (method, url) = (example["method"].as_str().unwrap(), example["exampleUrl"].as_str().unwrap());
        let path = url.strip_prefix("https://graph.microsoft.com").unwrap();
        let status = u16::try_from(example["status"].as_u64().unwrap()).unwrap();
        let body = Some(&example["body"]).filter(|body| !body.is_null());
        assert_eq!(contract.validate_answer(method, path, status, body), Ok(()), "{method} {url}");
        if method == "get" {
            // The placeholders of the query become instants, wherever they stand.
            let sent = path.replace("datetime=*", "datetime=2026-11-20T08:00:00Z");
            assert_eq!(contract.validate_request("GET", &sent, None), Ok(()), "{method} {url}");
        }
        checked += 1;
    }
    assert_eq!(checked, 25, "all examples but the four whose values are placeholders");
}

#[test]
fn an_unknown_member_parameter_path_or_method_is_told() {
    let Some(contract) = contract() else { return };
    let path = "/v1.0/me/events";
    assert_eq!(contract.validate_request("POST", path, Some(&event())), Ok(()));
    assert!(contract.validate_request("POST", path, Some(&with(event(), "title", json!("x")))).is_err());
    assert!(contract.validate_request("POST", path, Some(&with(event(), "webLink", json!("x")))).is_err());
    assert!(contract.validate_request("POST", "/v1.0/me/event", Some(&event())).is_err());
    assert!(contract.validate_request("POST", "/beta/me/events", Some(&event())).is_err());
    assert!(contract.validate_request("PUT", "/v1.0/me/events/AAMk", Some(&event())).is_err());
    assert!(contract.validate_request("GET", "/v1.0/me/events?$limit=3", None).is_err());
    assert_eq!(contract.validate_request("GET", "/v1.0/me/events?%24top=3", None), Ok(()));
    assert!(contract.validate_request("GET", "/v1.0/me/events?$top=three", None).is_err());
    assert!(contract.validate_request("GET", "/v1.0/me/events?$select=subject,title", None).is_err());
    assert_eq!(contract.validate_request("GET", "/v1.0/me/events?$orderby=start/dateTime%20desc", None), Ok(()));
}

#[test]
fn a_local_time_has_a_zone_beside_it_and_no_offset() {
    let Some(contract) = contract() else { return };
    let start =
        |start: Value| contract.validate_request("POST", "/v1.0/me/events", Some(&with(event(), "start", start)));
    assert_eq!(
        start(json!({ "dateTime": "2026-11-23T09:00:00.0000000", "timeZone": "Romance Standard Time" })),
        Ok(())
    );
    assert!(start(json!({ "dateTime": "2026-11-23T09:00:00Z", "timeZone": "UTC" })).is_err());
    assert!(start(json!({ "dateTime": "2026-11-23T09:00:00" })).is_err());
}

#[test]
fn an_update_may_not_change_the_transaction_and_needs_no_times() {
    let Some(contract) = contract() else { return };
    let path = "/v1.0/users/ana%40contoso.example/events/AAMk%3D";
    assert_eq!(contract.validate_request("PATCH", path, Some(&json!({ "subject": "Moved" }))), Ok(()));
    assert!(contract.validate_request("PATCH", path, Some(&json!({ "transactionId": "x" }))).is_err());
    assert!(contract.validate_request("POST", "/v1.0/me/events", Some(&json!({ "subject": "no times" }))).is_err());
}

#[test]
fn an_extended_property_is_expanded_by_name() {
    let Some(contract) = contract() else { return };
    let expand = |what: &str| contract.validate_request("GET", &format!("/v1.0/me/events/AAMk?$expand={what}"), None);
    let property = "String {00020329-0000-0000-C000-000000000046} Name CupoClaim";
    assert_eq!(expand(&format!("singleValueExtendedProperties($filter=id eq '{property}')")), Ok(()));
    assert!(expand("extendedProperties").is_err());
}

#[test]
fn a_calendar_view_has_a_window_and_its_delta_only_at_the_start_of_a_round() {
    let Some(contract) = contract() else { return };
    let get = |path: &str| contract.validate_request("GET", &format!("/v1.0{path}"), None);
    let window = "startDateTime=2026-11-20T00:00:00Z&endDateTime=2026-12-20T00:00:00Z";
    assert_eq!(get(&format!("/me/calendars/AQMk/calendarView?{window}&$top=50")), Ok(()));
    assert!(get("/me/calendarView").is_err());
    assert!(get("/me/calendarView?startDateTime=soon&endDateTime=later").is_err());
    for name in ["delta", "delta()", "microsoft.graph.delta()"] {
        assert_eq!(get(&format!("/me/calendarView/{name}?{window}")), Ok(()), "{name}");
    }
    assert_eq!(get("/me/calendarView/delta?$skiptoken=abc"), Ok(()));
    assert!(get(&format!("/me/calendarView/delta?{window}&$deltatoken=abc")).is_err());
    assert!(get(&format!("/me/calendarView/delta?{window}&$select=subject")).is_err());
}

#[test]
fn a_round_of_changes_ends_in_one_link_and_says_why_something_is_gone() {
    let Some(contract) = contract() else { return };
    let answer = |body: Value| contract.validate_answer("GET", "/v1.0/me/calendarView/delta", 200, Some(&body));
    let removed = |reason: &str| json!([{ "id": "AAMk", "@removed": { "reason": reason } }]);
    assert_eq!(answer(json!({ "value": removed("deleted"), "@odata.deltaLink": "https://x" })), Ok(()));
    assert!(answer(json!({ "value": removed("gone"), "@odata.deltaLink": "https://x" })).is_err());
    assert!(answer(json!({ "value": [] })).is_err());
    assert!(answer(json!({ "value": [], "@odata.deltaLink": "https://x", "@odata.nextLink": "https://x" })).is_err());
}

#[test]
fn a_schedule_is_asked_for_in_either_spelling_but_in_whole() {
    let Some(contract) = contract() else { return };
    let ask = |body: Value| contract.validate_request("POST", "/v1.0/me/calendar/getSchedule", Some(&body));
    let time = |at: &str| json!({ "dateTime": at, "timeZone": "UTC" });
    let (from, to) = (time("2026-11-23T00:00:00"), time("2026-11-24T00:00:00"));
    let camel =
        json!({ "schedules": ["a@x.example"], "startTime": from, "endTime": to, "availabilityViewInterval": 30 });
    assert_eq!(ask(camel.clone()), Ok(()));
    assert_eq!(ask(json!({ "Schedules": ["a@x.example"], "StartTime": from, "EndTime": to })), Ok(()));
    assert!(ask(json!({ "schedules": ["a@x.example"], "startTime": from })).is_err());
    assert!(ask(with(camel.clone(), "Schedules", json!(["a@x.example"]))).is_err());
    assert!(ask(with(camel.clone(), "availabilityViewInterval", json!(4))).is_err());
    assert!(ask(with(camel, "schedules", json!([]))).is_err());
}

#[test]
fn an_action_takes_its_comment_in_either_spelling_and_answers_nothing() {
    let Some(contract) = contract() else { return };
    let path = "/v1.0/me/events/AAMk/cancel";
    assert_eq!(contract.validate_request("POST", path, Some(&json!({ "comment": "Sorry" }))), Ok(()));
    assert_eq!(contract.validate_request("POST", path, Some(&json!({ "Comment": "Sorry" }))), Ok(()));
    assert!(contract.validate_request("POST", path, Some(&json!({ "reason": "Sorry" }))).is_err());
    assert_eq!(contract.validate_answer("POST", path, 202, None), Ok(()));
    assert!(contract.validate_answer("POST", path, 202, Some(&json!({}))).is_err());
    assert!(contract.validate_answer("POST", path, 200, None).is_err());
    assert_eq!(contract.validate_answer("DELETE", "/v1.0/me/events/AAMk", 204, None), Ok(()));
}

#[test]
fn an_error_has_the_shape_of_odata() {
    let Some(contract) = contract() else { return };
    let answer = |body: Value| contract.validate_answer("POST", "/v1.0/me/events", 400, Some(&body));
    let error = json!({ "code": "ErrorInvalidRequest", "message": "No.", "@event.existingEventId": "AAMk" });
    let inner = json!({ "date": "2026-11-20T08:00:00", "request-id": "r", "client-request-id": "c" });
    assert_eq!(answer(json!({ "error": with(error.clone(), "innerError", inner) })), Ok(()));
    assert!(answer(json!({ "error": with(error, "reason", json!("x")) })).is_err());
    assert!(answer(json!({ "error": "invalid_request" })).is_err());
    assert!(contract.validate_answer("GET", "/v1.0/nothing/here", 404, None).is_err());
}

#[test]
fn a_subscription_watches_a_collection_of_events_by_a_safe_address() {
    let Some(contract) = contract() else { return };
    let wanted = json!({
        "changeType": "created,updated,deleted",
        "notificationUrl": "https://cupo.example/webhooks/microsoft",
        "lifecycleNotificationUrl": "https://cupo.example/webhooks/microsoft/lifecycle",
        "resource": "/me/calendars/AQMk/events",
        "expirationDateTime": "2026-11-27T08:00:00Z",
        "clientState": "id.token",
    });
    let create = |body: Value| contract.validate_request("POST", "/v1.0/subscriptions", Some(&body));
    assert_eq!(create(wanted.clone()), Ok(()));
    assert_eq!(create(with(wanted.clone(), "notificationUrl", json!("http://127.0.0.1:3000/x"))), Ok(()));
    let wrong = [
        ("notificationUrl", json!("http://cupo.example/webhooks/microsoft")),
        ("lifecycleNotificationUrl", json!("http://localhost.example/x")),
        ("resource", json!("/me/calendars/AQMk")),
        ("changeType", json!("created,moved")),
        ("expirationDateTime", json!("2026-11-27T08:00:00")),
        ("clientState", json!("x".repeat(129))),
        ("id", json!("mine")),
    ];
    for (name, value) in wrong {
        assert!(create(with(wanted.clone(), name, value)).is_err(), "{name}");
    }
    let renewed = json!({ "expirationDateTime": "2026-11-30T08:00:00.0000000Z" });
    assert_eq!(contract.validate_request("PATCH", "/v1.0/subscriptions/s1", Some(&renewed)), Ok(()));
    assert_eq!(contract.validate_request("POST", "/v1.0/subscriptions/s1/reauthorize", None), Ok(()));
    let both = with(renewed, "clientState", json!("x"));
    assert!(contract.validate_request("PATCH", "/v1.0/subscriptions/s1", Some(&both)).is_err());
}

#[test]
fn a_notification_tells_what_changed_or_what_became_of_the_subscription() {
    let Some(contract) = contract() else { return };
    let common = json!({
        "subscriptionId": "7f105c7d-2dc5-4530-97cd-4e7ae6534c07",
        "subscriptionExpirationDateTime": "2026-11-27T08:00:00.0000000Z",
        "tenantId": "84bd8158-6d4d-4958-8b9f-9d6445542f95",
        "clientState": "id.token",
    });
    let post = |notification: Value| contract.validate_notification(&json!({ "value": [notification] }));
    let lifecycle = with(common.clone(), "lifecycleEvent", json!("missed"));
    assert_eq!(post(lifecycle), Ok(()));
    assert!(post(common.clone()).is_err());
    let changed = with(with(common, "changeType", json!("updated")), "resource", json!("Users/u/Events/AAMk"));
    assert_eq!(post(changed.clone()), Ok(()));
    let data = json!({ "@odata.type": "#Microsoft.Graph.Event", "@odata.id": "Users/u/Events/AAMk", "id": "AAMk" });
    assert_eq!(post(with(changed.clone(), "resourceData", data)), Ok(()));
    assert!(post(with(changed.clone(), "resourceData", json!({ "subject": "Intro" }))).is_err());
    assert!(post(with(changed, "lifecycleEvent", json!("ended"))).is_err());
    assert!(contract.validate_notification(&json!({ "value": [] })).is_err());
}

#[test]
fn every_request_and_answer_of_a_batch_is_checked() {
    let Some(contract) = contract() else { return };
    let headers = json!({ "Content-Type": "application/json" });
    let create = json!({ "id": "1", "method": "POST", "url": "/me/events", "headers": headers, "body": event() });
    let read = json!({ "id": "2", "method": "GET", "url": "me/events/AAMk?$select=subject", "dependsOn": ["1"] });
    let batch = |requests: Value| json!({ "requests": requests });
    let send = |batch: &Value| contract.validate_request("POST", "/v1.0/$batch", Some(batch));
    let both = batch(json!([create, read]));
    assert_eq!(send(&both), Ok(()));
    let wrong = [
        batch(json!([])),
        batch(json!([create, create])),
        batch(json!([read])),
        batch(json!([with(create.clone(), "body", json!({}))])),
        batch(json!([with(create.clone(), "headers", json!({}))])),
        batch(json!([with(create.clone(), "url", json!("/me/evnts"))])),
        batch(json!([with(create.clone(), "url", json!("https://graph.microsoft.com/v1.0/me/events"))])),
        batch(json!([with(create, "url", json!("/$batch"))])),
        batch((0..21).map(|id| json!({ "id": id.to_string(), "method": "GET", "url": "/me" })).collect()),
    ];
    for batch in &wrong {
        assert!(send(batch).is_err(), "{batch}");
    }
    let answered = |first: Value, second: Value| {
        let answer = json!({ "responses": [
            { "id": "2", "status": second["status"], "body": second["body"] },
            { "id": "1", "status": first["status"], "body": first["body"] },
        ] });
        contract.validate_exchange("POST", "/v1.0/$batch", Some(&both), 200, Some(&answer))
    };
    let made = json!({ "status": 201, "body": { "id": "AAMk" } });
    let missing = json!({ "status": 404, "body": { "error": { "code": "ErrorItemNotFound", "message": "No." } } });
    assert_eq!(answered(made.clone(), missing.clone()), Ok(()));
    assert!(answered(made, json!({ "status": 200, "body": { "name": "Intro" } })).is_err());
    assert!(answered(json!({ "status": 201 }), missing).is_err());
    let half = json!({ "responses": [{ "id": "1", "status": 201, "body": {} }] });
    assert!(contract.validate_exchange("POST", "/v1.0/$batch", Some(&both), 200, Some(&half)).is_err());
}

#[test]
fn a_token_is_asked_for_by_one_credential_and_one_grant() {
    let Some(contract) = contract() else { return };
    let by_code = json!({
        "client_id": "cupo-demo", "client_secret": "s", "grant_type": "authorization_code", "code": "c",
        "redirect_uri": "http://127.0.0.1:3000/x", "code_verifier": "v", "scope": "openid",
    });
    assert_eq!(contract.validate_token_request(&by_code), Ok(()));
    let mut without_verifier = by_code.clone();
    without_verifier.as_object_mut().unwrap().remove("code_verifier");
    assert!(contract.validate_token_request(&without_verifier).is_err());
    let by_application = json!({
        "client_id": "cupo-demo", "client_assertion": "a.b.c", "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "scope": "https://graph.microsoft.com/.default",
    });
    assert_eq!(contract.validate_token_request(&by_application), Ok(()));
    assert!(contract.validate_token_request(&with(by_application.clone(), "client_secret", json!("s"))).is_err());
    assert!(contract.validate_token_request(&with(by_application, "scope", json!("Calendars.Read"))).is_err());
    let tokens = json!({ "token_type": "Bearer", "access_token": "a", "expires_in": 3599, "refresh_token": "r" });
    assert_eq!(contract.validate_token_answer(200, &tokens), Ok(()));
    let error = json!({
        "error": "invalid_grant", "error_description": "AADSTS700082: The refresh token has expired.",
        "error_codes": [700082], "timestamp": "2026-11-20 08:00:00Z", "trace_id": "t", "correlation_id": "c",
    });
    assert_eq!(contract.validate_token_answer(400, &error), Ok(()));
    assert!(contract.validate_token_answer(400, &json!({ "error": "invalid_grant" })).is_err());
}
