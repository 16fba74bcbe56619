//! What the visitors were told, and what was done to which appointment: the driver's own book, which knows nothing of
//! the store.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};

/// How a visitor's booking stands, as far as the visitor was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// There was no answer so far.
    Asking,
    /// The visitor read 201, and the secret of the link.
    Booked { token: String },
    /// The visitor was told no.
    Refused { status: u16 },
}

/// A visitor's booking. Every visitor has an address of their own, by which their appointment is found in the store.
#[derive(Debug, Clone)]
pub struct Booking {
    pub email: String,
    pub event: String,
    pub standing: Standing,
    /// Every start that the visitor asked for.
    pub starts: BTreeSet<DateTime<Utc>>,
    /// Those of them to which the visitor asked to move it; that may be the first one again.
    pub moves: BTreeSet<DateTime<Utc>>,
    /// Somebody asked for it to be cancelled or declined, whether or not that was answered.
    pub end_was_asked: bool,
    /// The visitor read that it is cancelled.
    pub cancelled: bool,
    /// A request was broken off by the visitor's own patience: what it did is not known.
    pub timed_out: bool,
}

/// What hosts did by hand to the event of a claim, and where visitors wanted it.
#[derive(Debug, Clone, Default)]
pub struct ByHand {
    /// Every start to which somebody tried to move it.
    pub starts: BTreeSet<DateTime<Utc>>,
    /// Every start to which a visitor asked to move it, who may have left those that share it since.
    pub asked: BTreeSet<DateTime<Utc>>,
    /// Where it was really moved last.
    pub moved_to: Option<DateTime<Utc>>,
    /// Somebody tried to delete it.
    pub deletion_was_tried: bool,
    /// It was really deleted.
    pub deleted: bool,
}

#[derive(Debug, Default)]
struct Pages {
    bookings: BTreeMap<String, Booking>,
    claims: BTreeMap<String, ByHand>,
}

/// The book.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<Pages>);

impl Ledger {
    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A visitor begins to ask.
    pub fn asks(&self, email: &str, event: &str, start: DateTime<Utc>) {
        let booking = Booking {
            email: email.to_owned(),
            event: event.to_owned(),
            standing: Standing::Asking,
            starts: BTreeSet::from([start]),
            moves: BTreeSet::new(),
            end_was_asked: false,
            cancelled: false,
            timed_out: false,
        };
        self.pages().bookings.insert(email.to_owned(), booking);
    }

    /// Changes what is known of a booking.
    pub fn note(&self, email: &str, change: impl FnOnce(&mut Booking)) {
        if let Some(booking) = self.pages().bookings.get_mut(email) {
            change(booking);
        }
    }

    /// Somebody is about to change the event of a claim.
    pub fn note_by_hand(&self, claim: &str, change: impl FnOnce(&mut ByHand)) {
        change(self.pages().claims.entry(claim.to_owned()).or_default());
    }

    /// The bookings that stand as far as their visitors know.
    pub fn standing(&self) -> Vec<(Booking, String)> {
        let pages = self.pages();
        let standing = pages.bookings.values().filter(|booking| !booking.cancelled);
        standing
            .filter_map(|booking| match &booking.standing {
                Standing::Booked { token } => Some((booking.clone(), token.clone())),
                _ => None,
            })
            .collect()
    }

    pub fn bookings(&self) -> Vec<Booking> {
        self.pages().bookings.values().cloned().collect()
    }

    /// What was done by hand to the event of a claim.
    pub fn by_hand(&self, claim: &str) -> ByHand {
        self.pages().claims.get(claim).cloned().unwrap_or_default()
    }

    /// Visitors who were told yes, who were told no, and who still ask.
    pub fn counts(&self) -> (usize, usize, usize) {
        let pages = self.pages();
        pages.bookings.values().fold((0, 0, 0), |(yes, no, asking), booking| match booking.standing {
            Standing::Booked { .. } => (yes + 1, no, asking),
            Standing::Refused { .. } => (yes, no + 1, asking),
            // Whose patience ended waits no more.
            Standing::Asking if booking.timed_out => (yes, no, asking),
            Standing::Asking => (yes, no, asking + 1),
        })
    }
}
