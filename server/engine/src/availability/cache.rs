//! What was computed already, and when it may be used again.
//!
//! Two levels, both keyed by what a request names, so that a warm answer costs one lookup by a borrowed key and no query:
//! the [`Snapshot`] of an event type's host, and the finished bytes of a range. An entry is good while its organization
//! was not written to since the reading began, by whichever process, and not after its `valid_until`.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use chrono::{DateTime, NaiveDate, Utc};
use cupo_core::{ids::OrganizationId, parse::Origin, text::Locale, wire::EventTypeView};
use quick_cache::{Equivalent, Weighter, sync::Cache};

use super::{CachedSlots, snapshot::Snapshot};

/// The bytes of slot answers that are kept.
const SLOTS_CAPACITY: u64 = 32 << 20;
const SNAPSHOTS: usize = 1_000;
/// For so many groups of organizations it is kept when they were last written to. Two that share a group turn one another's
/// entries out, which costs a reading now and then; a place for each would cost memory for every organization there is.
const GROUPS: usize = 1 << 14;

/// A cached value and how long it is good.
#[derive(Clone)]
pub(super) struct Stamped<T> {
    value: T,
    valid_until: DateTime<Utc>,
    /// The epoch in which the reading began.
    as_of: u64,
    written: Written,
}

impl<T> Stamped<T> {
    fn good(self, now: DateTime<Utc>) -> Option<T> {
        (now < self.valid_until && self.written.last() <= self.as_of).then_some(self.value)
    }
}

/// The epochs of the last writes: the first is that of all organizations, the others each that of a group.
type Epochs = Arc<[AtomicU64]>;

/// When an organization was last written to.
#[derive(Clone)]
struct Written {
    epochs: Epochs,
    group: usize,
}

impl Written {
    fn last(&self) -> u64 {
        self.epochs[0].load(Ordering::Acquire).max(self.epochs[self.group].load(Ordering::Acquire))
    }
}

/// The moment at which a reading begins: taken before the transaction, so that a write which the transaction does not
/// see makes the entry void.
#[derive(Clone, Copy)]
pub(super) struct Epoch(u64);

pub(crate) struct AvailabilityCache {
    epoch: AtomicU64,
    written: Epochs,
    pub(super) snapshots: Cache<EventKey, Stamped<Arc<Snapshot>>>,
    pub(super) views: Cache<ViewKey, Stamped<Arc<EventTypeView>>>,
    pub(super) slots: Cache<SlotsKey, Stamped<Arc<CachedSlots>>, SlotsWeighter>,
    pub(super) origins: Cache<String, Stamped<Arc<[Origin]>>>,
}

impl Default for AvailabilityCache {
    fn default() -> Self {
        Self {
            epoch: AtomicU64::new(0),
            written: (0..=GROUPS).map(|_| AtomicU64::new(0)).collect(),
            snapshots: Cache::new(SNAPSHOTS),
            views: Cache::new(SNAPSHOTS),
            slots: Cache::with_weighter(SNAPSHOTS, SLOTS_CAPACITY, SlotsWeighter),
            origins: Cache::new(SNAPSHOTS),
        }
    }
}

impl AvailabilityCache {
    pub(super) fn begin(&self) -> Epoch {
        Epoch(self.epoch.load(Ordering::Acquire))
    }

    pub(crate) fn invalidate(&self, organization_id: &OrganizationId) {
        self.written_to(group(organization_id));
    }

    /// Any organization may have been written to.
    pub(crate) fn invalidate_all(&self) {
        self.written_to(0);
    }

    fn written_to(&self, index: usize) {
        // A reader that began at or after this epoch sees the committed write; one before it does not count any more.
        let epoch = self.epoch.fetch_add(1, Ordering::AcqRel) + 1;
        self.written[index].fetch_max(epoch, Ordering::AcqRel);
    }

    pub(super) fn stamp<T>(
        &self,
        value: T,
        organization_id: &OrganizationId,
        as_of: Epoch,
        valid_until: DateTime<Utc>,
    ) -> Stamped<T> {
        let written = Written { epochs: self.written.clone(), group: group(organization_id) };
        Stamped { value, valid_until, as_of: as_of.0, written }
    }
}

/// The index of an organization's group.
fn group(organization_id: &OrganizationId) -> usize {
    let mut hasher = DefaultHasher::new();
    organization_id.as_str().hash(&mut hasher);
    #[expect(clippy::cast_possible_truncation, reason = "the remainder is small")]
    let group = (hasher.finish() % GROUPS as u64) as usize;
    group + 1
}

/// A good entry under a borrowed key.
pub(super) fn good<K, Q, V, W>(cache: &Cache<K, Stamped<V>, W>, key: &Q, now: DateTime<Utc>) -> Option<V>
where
    K: Hash + Eq,
    Q: Hash + Equivalent<K> + ?Sized,
    V: Clone,
    W: Weighter<K, Stamped<V>> + Clone,
{
    cache.get(key)?.good(now)
}

/// Slots are weighed by their bytes.
#[derive(Clone)]
pub(super) struct SlotsWeighter;

impl Weighter<SlotsKey, Stamped<Arc<CachedSlots>>> for SlotsWeighter {
    fn weight(&self, key: &SlotsKey, slots: &Stamped<Arc<CachedSlots>>) -> u64 {
        let starts = std::mem::size_of_val(&*slots.value.starts);
        (key.0.org.len() + key.0.event.len() + slots.value.body.len() + starts + 256) as u64
    }
}

macro_rules! borrowed_keys {
    ($($(#[$doc:meta])* $owned:ident($key:ident { $($text:ident),+; $($plain:ident: $type:ty),* });)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub(super) struct $key<T> {
            $(pub(super) $text: T,)+
            $(pub(super) $plain: $type,)*
        }

        #[derive(Debug, Clone, PartialEq, Eq)]
        pub(super) struct $owned(pub(super) $key<Box<str>>);

        impl Hash for $owned {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.borrowed().hash(state);
            }
        }

        impl $owned {
            fn borrowed(&self) -> $key<&str> {
                $key { $($text: &*self.0.$text,)+ $($plain: self.0.$plain,)* }
            }
        }

        impl $key<&str> {
            pub(super) fn owned(&self) -> $owned {
                $owned($key { $($text: self.$text.into(),)+ $($plain: self.$plain,)* })
            }
        }

        impl Equivalent<$owned> for $key<&str> {
            fn equivalent(&self, key: &$owned) -> bool {
                *self == key.borrowed()
            }
        }
    )*};
}

borrowed_keys! {
    /// An event type by its public address.
    EventKey(EventName { org, event; });
    /// What one language sees of it.
    ViewKey(ViewName { org, event; locale: Locale });
    /// A range of its slots.
    /// A range of the slots of one length.
    SlotsKey(SlotsName { org, event; from: NaiveDate, to: NaiveDate, duration: Option<u32> });
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn now() -> DateTime<Utc> {
        DateTime::UNIX_EPOCH
    }

    fn organization(last: char) -> OrganizationId {
        OrganizationId::parse(&format!("00000000-0000-7000-8000-00000000000{last}")).unwrap()
    }

    #[test]
    fn an_entry_is_good_until_its_end_and_until_its_organization_is_written_to() {
        let cache = AvailabilityCache::default();
        let entry = cache.stamp((), &organization('1'), cache.begin(), now() + TimeDelta::seconds(60));
        assert!(entry.clone().good(now()).is_some());
        assert!(entry.clone().good(now() + TimeDelta::seconds(60)).is_none());
        cache.invalidate(&organization('2'));
        assert!(entry.clone().good(now()).is_some(), "another organization's writes do not matter");
        cache.invalidate(&organization('1'));
        assert!(entry.good(now()).is_none());
    }

    #[test]
    fn when_anything_may_have_happened_nothing_is_good_any_more() {
        let cache = AvailabilityCache::default();
        let until = now() + TimeDelta::seconds(60);
        let before = cache.stamp((), &organization('1'), cache.begin(), until);
        cache.invalidate_all();
        assert!(before.good(now()).is_none());
        assert!(cache.stamp((), &organization('1'), cache.begin(), until).good(now()).is_some());
    }

    #[test]
    fn what_was_read_before_a_write_is_never_good_after_it() {
        let cache = AvailabilityCache::default();
        let begun = cache.begin();
        cache.invalidate(&organization('1'));
        let late = cache.stamp((), &organization('1'), begun, now() + TimeDelta::seconds(60));
        assert!(late.good(now()).is_none());
        let fresh = cache.stamp((), &organization('1'), cache.begin(), now() + TimeDelta::seconds(60));
        assert!(fresh.good(now()).is_some());
    }

    #[test]
    fn a_borrowed_key_finds_what_an_owned_one_stored() {
        let cache = AvailabilityCache::default();
        let name = EventName { org: "ruiz", event: "first-visit" };
        let view = ViewName { org: name.org, event: name.event, locale: Locale::En };
        let stamped = cache.stamp(Arc::from([]), &organization('1'), cache.begin(), now() + TimeDelta::seconds(60));
        cache.origins.insert("ruiz".to_owned(), stamped);
        assert!(good(&cache.origins, "ruiz", now()).is_some());
        assert!(good(&cache.origins, "other", now()).is_none());
        assert!(view.equivalent(&view.owned()));
        assert!(!ViewName { locale: Locale::Es, ..view }.equivalent(&view.owned()));
    }
}
