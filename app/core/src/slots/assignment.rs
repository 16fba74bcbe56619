//! Which of several free hosts gets an appointment.

use std::cmp::Reverse;

use chrono::{DateTime, Utc};

/// A host who is free for the appointment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate<I> {
    /// The host.
    pub id: I,
    /// Hosts of a lower number come first; the others are asked only when none of these is free.
    pub priority: u32,
    /// A host of weight 2 gets twice as many as one of weight 1. At least 1.
    pub weight: u32,
    /// How many appointments of the event type the host was given lately.
    pub load: u32,
    /// When the host was given the last one.
    pub last_given: Option<DateTime<Utc>>,
}

/// The host whose turn it is: of the first priority group that has anybody, the one with the least load for their
/// weight; of equals the one who waited longest, then the one of the lower id. `None` when there is no candidate.
///
/// ```
/// use cupo_core::slots::{Candidate, choose};
/// let host = |id, priority, weight, load| Candidate { id, priority, weight, load, last_given: None };
/// // Two thirds of the work are Ana's, and she has less than that.
/// assert_eq!(choose(&[host("ana", 1, 2, 5), host("ben", 1, 1, 3)]), Some(&"ana"));
/// // Carla helps out only when nobody else is free.
/// assert_eq!(choose(&[host("ben", 1, 1, 90), host("carla", 2, 1, 0)]), Some(&"ben"));
/// ```
pub fn choose<I: Ord>(candidates: &[Candidate<I>]) -> Option<&I> {
    let turn = |a: &&Candidate<I>, b: &&Candidate<I>| {
        let share = |of: &Candidate<I>, other: &Candidate<I>| u64::from(of.load + 1) * u64::from(other.weight.max(1));
        let waited = |of: &Candidate<I>| of.last_given.map(Reverse).map_or((0, None), |at| (1, Some(at)));
        a.priority
            .cmp(&b.priority)
            .then_with(|| share(a, b).cmp(&share(b, a)))
            .then_with(|| {
                let ((a_given, a_at), (b_given, b_at)) = (waited(a), waited(b));
                a_given.cmp(&b_given).then_with(|| b_at.cmp(&a_at))
            })
            .then_with(|| a.id.cmp(&b.id))
    };
    candidates.iter().min_by(turn).map(|candidate| &candidate.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(id: &str, priority: u32, weight: u32) -> Candidate<String> {
        Candidate { id: id.to_owned(), priority, weight, load: 0, last_given: None }
    }

    /// Gives `count` appointments and says how many each host got.
    fn give(hosts: &mut [Candidate<String>], count: u32) -> Vec<u32> {
        for turn in 0..count {
            let chosen = choose(hosts).unwrap().clone();
            let chosen = hosts.iter_mut().find(|host| host.id == chosen).unwrap();
            chosen.load += 1;
            chosen.last_given = DateTime::from_timestamp(i64::from(turn), 0);
        }
        hosts.iter().map(|host| host.load).collect()
    }

    #[test]
    fn the_work_is_shared_by_weight() {
        let mut hosts = [host("a", 1, 1), host("b", 1, 2), host("c", 1, 3)];
        assert_eq!(give(&mut hosts, 60), [10, 20, 30]);
    }

    #[test]
    fn equal_hosts_take_turns() {
        let mut hosts = [host("a", 1, 1), host("b", 1, 1), host("c", 1, 1)];
        for round in 1..=4 {
            assert_eq!(give(&mut hosts, 3), [round, round, round]);
        }
    }

    #[test]
    fn of_equals_the_one_who_waited_longest_comes_first() {
        let given =
            |id, seconds| Candidate { last_given: DateTime::from_timestamp(seconds, 0), load: 1, ..host(id, 1, 1) };
        assert_eq!(choose(&[given("a", 20), given("b", 10)]).unwrap(), "b");
        assert_eq!(choose(&[given("a", 10), given("b", 20)]).unwrap(), "a");
        let new = Candidate { load: 1, ..host("z", 1, 1) };
        assert_eq!(choose(&[given("a", 10), new]).unwrap(), "z");
    }

    #[test]
    fn a_later_group_is_asked_only_when_the_first_is_absent() {
        let busy = Candidate { load: 1_000, ..host("z", 1, 1) };
        assert_eq!(choose(&[host("a", 2, 100), busy]).unwrap(), "z");
        assert_eq!(choose::<String>(&[]), None);
    }
}
