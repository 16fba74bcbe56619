//! What the mails say.

use cupo_store::AppointmentFilter;

use super::{Google, HOST, Outside, VISITOR, booked, detail, sync};
use crate::world::body;

/// The subject and the text of the last mail to somebody; what differs from run to run is replaced by its name.
async fn last(outside: &Google, token: &str, address: &str) -> String {
    let mail = outside.world().mails_to(address).pop().unwrap();
    let id = detail(outside, AppointmentFilter::Upcoming).await.appointment.id.to_string();
    format!("{}\n\n{}", mail.subject, body(&mail)).replace(token, "{token}").replace(&id, "{appointment}")
}

#[tokio::test]
async fn what_was_done_to_an_event_is_told_in_plain_words() {
    let (outside, view) = Box::pin(booked::<Google>()).await;
    outside.answer(true).await;
    sync(&outside).await;
    insta::assert_snapshot!("guest_declined_visitor", last(&outside, &view.token, VISITOR).await);
    insta::assert_snapshot!("guest_declined_host", last(&outside, &view.token, HOST).await);
    outside.make_recur().await;
    sync(&outside).await;
    insta::assert_snapshot!("became_series_host", last(&outside, &view.token, HOST).await);
}

#[tokio::test]
async fn what_happened_to_an_account_is_told_in_plain_words() {
    let (outside, view) = Box::pin(booked::<Google>()).await;
    outside.delete_calendar().await;
    sync(&outside).await;
    insta::assert_snapshot!("calendar_lost_host", last(&outside, &view.token, HOST).await);
    outside.revoke().await;
    sync(&outside).await;
    insta::assert_snapshot!("reconnect_needed_host", last(&outside, &view.token, HOST).await);
}
