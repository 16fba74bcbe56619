//! Who asks for what. Each start that is contended for has a place of its own in time, far from the others.

use anyhow::{Context, Result};
use chrono::{DateTime, TimeDelta, Utc};
use cupo_core::ids::AppointmentId;
use cupo_core::wire::{BookingRequest, HoldRequest};
use cupo_store::appointment_get_by_token_hash;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

use super::RaceOptions;
use super::scene::{CLASS, HELD, LATE, MOVING, PANEL, REQUEST, SHORT, SINGLE, SOLO, Scene, TEAM, WIDE};
use super::volley::{Answer, Shot};

/// Between two places; no kind needs more.
const APART: TimeDelta = TimeDelta::hours(6);
const HALF_HOUR: TimeDelta = TimeDelta::minutes(30);
/// The most requests for approval at one place; they follow one another by half an hour.
const MOST_PENDING: usize = 8;

/// What a start is contended for by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Single,
    Buffers,
    RoundRobin,
    Collective,
    Seats,
    Moves,
    Holds,
    Approval,
}

impl Kind {
    pub const ALL: [Self; 8] = [
        Self::Single,
        Self::Buffers,
        Self::RoundRobin,
        Self::Collective,
        Self::Seats,
        Self::Moves,
        Self::Holds,
        Self::Approval,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Single => "the same slot, some keys sent twice",
            Self::Buffers => "buffers across event types",
            Self::RoundRobin => "any of three hosts",
            Self::Collective => "three hosts against each alone",
            Self::Seats => "five seats",
            Self::Moves => "appointments moved onto others",
            Self::Holds => "holds against bookings",
            Self::Approval => "deciding about requests",
        }
    }
}

/// One request.
#[derive(Debug, Clone)]
pub struct Request {
    pub kind: Kind,
    /// The number of the start that is contended for.
    pub place: usize,
    pub wish: Wish,
}

/// What is asked for.
#[derive(Debug, Clone)]
pub enum Wish {
    Book(Booking),
    Hold { offer: &'static str, start: DateTime<Utc> },
    Move { appointment: usize, start: DateTime<Utc> },
    Decide { appointment: usize, decision: Decision },
}

/// A booking. Its visitor is known by the e-mail address, which nobody else has.
#[derive(Clone)]
pub struct Booking {
    pub offer: &'static str,
    pub start: DateTime<Utc>,
    /// The idempotency key.
    pub key: String,
    pub email: String,
    /// By which the slot is kept for this very visitor, who must get it therefore.
    pub hold: Option<String>,
}

cupo_core::shown_in_debug!(Booking { offer, start, email });

/// What becomes of a request for approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    Confirm,
    Decline,
    Expire,
    CancelAsVisitor,
    CancelAsHost,
}

/// In the order in which they come up for each request.
const DECISIONS: [Decision; 6] = [
    Decision::Confirm,
    Decision::CancelAsVisitor,
    Decision::Decline,
    Decision::Expire,
    Decision::Confirm,
    Decision::CancelAsHost,
];

/// An appointment that was there before.
#[derive(Clone)]
pub struct Prepared {
    pub offer: &'static str,
    pub id: AppointmentId,
    pub token: String,
    pub email: String,
    pub start: DateTime<Utc>,
}

cupo_core::shown_in_debug!(Prepared { offer, id, email, start });

/// Everything that is sent at once, in its order, and what was there before.
pub struct Plan {
    pub prepared: Vec<Prepared>,
    pub requests: Vec<Request>,
}

/// Prepares every place and draws the order of the requests.
pub async fn draw_up(scene: &Scene, options: &RaceOptions, seed: u64) -> Result<Plan> {
    let (places, requests) = (usize::try_from(options.slots)?, usize::try_from(options.concurrency)?);
    let mut drafting = Drafting { scene, prepared: Vec::new(), requests: Vec::with_capacity(requests), visitors: 0 };
    for place in 0..places {
        let here = requests / places + usize::from(place < requests % places);
        drafting.fill(place, here).await?;
    }
    let Drafting { prepared, mut requests, .. } = drafting;
    requests.shuffle(&mut StdRng::seed_from_u64(seed));
    Ok(Plan { prepared, requests })
}

/// The bookings of those for whom a slot was kept meanwhile.
pub fn bookings_of_holds(shots: &[Shot]) -> Vec<Request> {
    let of = |(number, shot): (usize, &Shot)| match (&shot.request.wish, &shot.answer) {
        (Wish::Hold { offer, start }, Answer::Held { token }) => Some(Request {
            wish: Wish::Book(Booking {
                offer,
                start: *start,
                key: format!("hold-{number}"),
                email: format!("keeper-{number}@selftest.invalid"),
                hold: Some(token.clone()),
            }),
            ..shot.request.clone()
        }),
        _ => None,
    };
    shots.iter().enumerate().filter_map(of).collect()
}

impl Booking {
    pub fn request(&self, org: String) -> BookingRequest {
        BookingRequest {
            org,
            event: self.offer.to_owned(),
            start: self.start,
            duration: None,
            name: "A visitor of the race".to_owned(),
            email: self.email.clone(),
            phone: None,
            notes: None,
            time_zone: "UTC".to_owned(),
            locale: None,
            hold: self.hold.clone(),
            host: None,
            link: None,
            answers: BTreeMap::new(),
            recurrence: None,
            tracking: BTreeMap::new(),
        }
    }
}

/// What is asked of the engine to keep a slot.
pub fn hold_request(org: String, offer: &str, start: DateTime<Utc>) -> HoldRequest {
    HoldRequest { org, event: offer.to_owned(), start, duration: None, replaces: None, host: None, link: None }
}

struct Drafting<'a> {
    scene: &'a Scene,
    prepared: Vec<Prepared>,
    requests: Vec<Request>,
    visitors: usize,
}

impl Drafting<'_> {
    /// Adds `count` requests for the start of a place.
    async fn fill(&mut self, place: usize, count: usize) -> Result<()> {
        let kind = Kind::ALL[place % Kind::ALL.len()];
        let start = self.scene.base + APART * i32::try_from(place)?;
        let wishes = match kind {
            Kind::Single => self.same_slot(start, count),
            Kind::Buffers => {
                let each = [(SHORT, start + HALF_HOUR), (WIDE, start + HALF_HOUR * 2), (LATE, start + HALF_HOUR * 3)];
                (0..count).map(|turn| self.book(each[turn % each.len()])).collect()
            }
            Kind::RoundRobin => (0..count).map(|_| self.book((TEAM, start))).collect(),
            Kind::Collective => {
                let each = [PANEL, SOLO[0], SOLO[1], PANEL, SOLO[2]];
                (0..count).map(|turn| self.book((each[turn % each.len()], start))).collect()
            }
            Kind::Seats => (0..count).map(|_| self.book((CLASS, start))).collect(),
            Kind::Moves => self.moves(start, count).await?,
            Kind::Holds => self.holds(start, count).await?,
            Kind::Approval => self.decisions(start, count).await?,
        };
        self.requests.extend(wishes.into_iter().map(|wish| Request { kind, place, wish }));
        Ok(())
    }

    fn booking(&mut self, (offer, start): (&'static str, DateTime<Utc>)) -> Booking {
        let number = self.visitors;
        self.visitors += 1;
        let (key, email) = (format!("visitor-{number}"), format!("visitor-{number}@selftest.invalid"));
        Booking { offer, start, key, email, hold: None }
    }

    fn book(&mut self, at: (&'static str, DateTime<Utc>)) -> Wish {
        Wish::Book(self.booking(at))
    }

    /// Every third request is the one before it, sent again.
    fn same_slot(&mut self, start: DateTime<Utc>, count: usize) -> Vec<Wish> {
        let mut wishes: Vec<Wish> = Vec::with_capacity(count);
        for turn in 0..count {
            let again = wishes.last().filter(|_| turn % 3 == 2).cloned();
            wishes.push(again.unwrap_or_else(|| self.book((SINGLE, start))));
        }
        wishes
    }

    /// Four appointments in a row and a free start after them: two change places, two want the free start, and so on.
    async fn moves(&mut self, start: DateTime<Utc>, count: usize) -> Result<Vec<Wish>> {
        const ONTO: [(usize, usize); 16] = [
            (2, 4),
            (3, 4),
            (0, 1),
            (1, 0),
            (0, 4),
            (1, 4),
            (2, 3),
            (3, 2),
            (0, 2),
            (1, 3),
            (2, 0),
            (3, 1),
            (0, 3),
            (1, 2),
            (2, 1),
            (3, 0),
        ];
        let first = self.prepared.len();
        let at = |number: i32| start + HALF_HOUR * number;
        for number in 0..4 {
            self.prepare(MOVING, at(number)).await?;
        }
        let wish = |turn: usize| match ONTO.get(turn) {
            Some((who, target)) => Ok(Wish::Move { appointment: first + who, start: at(i32::try_from(*target)?) }),
            None => Ok(self.book((MOVING, at(4)))),
        };
        (0..count).map(wish).collect()
    }

    /// At one start somebody has a hold, books and must win; at another one nobody has.
    async fn holds(&mut self, start: DateTime<Utc>, count: usize) -> Result<Vec<Wish>> {
        let scene = self.scene;
        let kept = scene.engine.hold(hold_request(scene.org(), HELD, start)).await?;
        let contended = start + HALF_HOUR * 2;
        let wish = |turn: usize| match turn {
            0 => Wish::Book(Booking { hold: Some(kept.hold.clone()), ..self.booking((HELD, start)) }),
            turn if turn % 4 == 1 => Wish::Hold { offer: HELD, start: contended },
            turn if turn % 4 == 2 => self.book((HELD, start)),
            turn if turn % 4 == 3 => self.book((HELD, contended)),
            _ => Wish::Hold { offer: HELD, start },
        };
        Ok((0..count).map(wish).collect())
    }

    /// Three of four requests decide about appointments that are pending, the fourth wants a start that is free.
    async fn decisions(&mut self, start: DateTime<Utc>, count: usize) -> Result<Vec<Wish>> {
        let first = self.prepared.len();
        let contended = start + HALF_HOUR * i32::try_from(MOST_PENDING + 1)?;
        let mut wishes = Vec::with_capacity(count);
        for turn in 0..count {
            if turn % 4 == 3 {
                wishes.push(self.book((REQUEST, contended)));
                continue;
            }
            let number = turn - turn / 4;
            let (pending, again) = (number / DECISIONS.len() % MOST_PENDING, number / DECISIONS.len() / MOST_PENDING);
            if first + pending == self.prepared.len() {
                self.prepare(REQUEST, start + HALF_HOUR * i32::try_from(pending)?).await?;
            }
            let decision = match DECISIONS[number % DECISIONS.len()] {
                // A visitor who cancels again is told once more that it is cancelled.
                Decision::CancelAsVisitor if again > 0 => Decision::CancelAsHost,
                decision => decision,
            };
            wishes.push(Wish::Decide { appointment: first + pending, decision });
        }
        Ok(wishes)
    }

    async fn prepare(&mut self, offer: &'static str, start: DateTime<Utc>) -> Result<()> {
        let booking = self.booking((offer, start));
        let scene = self.scene;
        let booked = scene.engine.book(&booking.key, booking.request(scene.org())).await?;
        let token = booked.view.token;
        let hash = Sha256::digest(token.as_bytes());
        let found = appointment_get_by_token_hash(&mut scene.store.read().await?, &hash).await?;
        let id = found.context("what was booked is there")?.id;
        self.prepared.push(Prepared { offer, id, token, email: booking.email, start });
        Ok(())
    }
}
