//! Finding a day: the months that are read, the one that is shown, the day that is chosen.

use super::*;
use crate::calendar::MINUTE;

/// Into how many months is looked for a free time at first sight, and into how many when the visitor asks for the next one.
pub(super) const SOUGHT_AT_FIRST: u8 = 3;
pub(super) const SOUGHT_WHEN_ASKED: u8 = 15;
/// For so long slots are shown without asking again.
const LASTING: Instant = 5 * MINUTE;

impl State {
    /// What is known of a month.
    pub(super) fn found(&self, month: Month) -> Option<&MonthSlots> {
        self.months.iter().find(|known| known.month == month)
    }

    /// The month in sight, twice; or both months of a week that belongs to two.
    fn months_in_sight(&self) -> [Month; 2] {
        if self.view != View::Week || self.seeking > 0 {
            return [self.month; 2];
        }
        let [first, .., last] = self.week();
        [first, last].map(|day| day.clamp(self.first_day, self.last_day).month())
    }

    /// Whether nothing is known yet of a month.
    pub(super) fn is_awaited(&self, month: Month) -> bool {
        self.found(month).is_none_or(|known| known.loading && known.slots.is_none())
    }

    /// Whether nothing is known yet of something in sight.
    pub fn is_loading(&self) -> bool {
        self.months_in_sight().into_iter().any(|month| self.is_awaited(month))
    }

    /// Whether something in sight could not be had.
    pub fn has_failed(&self) -> bool {
        self.months_in_sight().into_iter().any(|month| self.found(month).is_some_and(|known| known.failed))
    }

    /// Reads what of the months in sight could not be had.
    pub(super) fn read_in_sight(&mut self, effects: &mut Vec<Effect>) {
        for month in self.months_in_sight() {
            self.read_if_unknown(month, effects);
        }
    }

    /// The slots of a month as far as they are known.
    pub(super) fn slots_of_month(&self, month: Month) -> &[Slot] {
        self.found(month).and_then(|known| known.slots.as_deref()).unwrap_or_default()
    }

    /// Forgets slots by their starts.
    pub(super) fn drop_slots(&mut self, is_gone: impl Fn(Instant) -> bool) {
        for slots in self.months.iter_mut().filter_map(|known| known.slots.as_mut()) {
            slots.retain(|slot| !is_gone(slot.start));
        }
    }

    /// The slots of a day in the visitor's zone, in order.
    pub fn slots_of(&self, day: Day) -> Vec<Slot> {
        list(self.slots_of_month(day.month()).iter().copied().filter(|slot| self.zone.day(slot.start) == day))
    }

    /// The days of a month that have a free slot in the visitor's zone, in order.
    pub fn free_days(&self, month: Month) -> Vec<Day> {
        let mut days = Vec::new();
        for slot in self.slots_of_month(month) {
            let day = self.zone.day(slot.start);
            if day.month() == month && days.last() != Some(&day) {
                days.push(day);
            }
        }
        days
    }

    /// Whether there is a month that can be booked before (-1) or after (1) the one in sight.
    pub(super) fn has_month(&self, months: i32) -> bool {
        let month = Month(self.month.0 + months);
        (self.first_day.month()..=self.last_day.month()).contains(&month)
    }

    pub(super) fn slots_read(&mut self, month: Month, wish: u32, slots: Option<Vec<Slot>>, effects: &mut Vec<Effect>) {
        if wish != self.wish {
            return;
        }
        let known = self.known(month);
        known.loading = false;
        let is_old = mem::take(&mut known.is_old);
        if slots.is_some() {
            known.slots = slots;
            if self.months_in_sight().contains(&month) {
                self.shown_month_read(effects);
            }
        } else {
            known.failed = known.slots.is_none();
        }
        self.read_soonest(effects);
        if is_old {
            self.read(month, effects);
        }
        self.tell_ready(effects);
    }

    /// Another length or another host: other slots. The day in sight stays, if it has some of them; a month that has
    /// none gives way as it does at first.
    pub(super) fn read_anew(&mut self, effects: &mut Vec<Effect>) {
        self.wish += 1;
        self.awaited = None;
        self.seeking = SOUGHT_AT_FIRST;
        self.months.clear();
        self.notice = None;
        self.announcement = Announcement::Nothing;
        self.read(self.month, effects);
        self.read_soonest(effects);
    }

    /// Reads what comes before the month in sight, as far as the free time that is soonest depends on it.
    fn read_soonest(&mut self, effects: &mut Vec<Effect>) {
        let month = self.soonest_month();
        if month < self.month && self.found(month).is_none() {
            self.read(month, effects);
        }
    }

    pub(super) fn tell_ready(&mut self, effects: &mut Vec<Effect>) {
        if !mem::replace(&mut self.ready, true) {
            effects.push(Effect::Tell(Event::Ready));
        }
    }

    /// The month in sight has its slots: choose a day, or look for one in a later month.
    pub(super) fn shown_month_read(&mut self, effects: &mut Vec<Effect>) {
        let free = self.free_days_in_sight();
        let Some(first) = free.first().copied() else {
            self.day = None;
            if self.seeking > 1 && self.has_month(1) {
                self.turn_while_seeking(effects);
            } else {
                self.seeking = 0;
                self.announcement = self.without_times();
                self.read_neighbours(effects);
            }
            return;
        };
        self.seeking = 0;
        if matches!(self.announcement, Announcement::NoTimes(_)) {
            self.announcement = Announcement::Nothing;
        }
        if !self.day.is_some_and(|day| free.contains(&day)) {
            // The day that was in sight has become full: its neighbour is nearer to the visitor's wish than the first.
            let next = self.day.and_then(|day| free.iter().copied().find(|free| *free > day)).unwrap_or(first);
            self.day = Some(next);
            self.cursor = next;
        }
        // After another choice the eye sees that the times have changed; this tells it to the ear.
        if let (Some(day), true, Announcement::Nothing) = (self.day, self.wish > 0, self.announcement) {
            self.announcement = Announcement::Times { day, count: self.slots_of(day).len() };
        }
        self.read_neighbours(effects);
    }

    /// What is told where no day is free; nothing as long as that is not certain.
    pub(super) fn without_times(&self) -> Announcement {
        if self.is_loading() || self.has_failed() { Announcement::Nothing } else { Announcement::NoTimes(self.month) }
    }

    /// The months beside the one in sight are there before anybody turns to them.
    fn read_neighbours(&mut self, effects: &mut Vec<Effect>) {
        for months in [1, -1] {
            if self.has_month(months) {
                self.read_if_unknown(Month(self.month.0 + months), effects);
            }
        }
    }

    pub(super) fn turn_while_seeking(&mut self, effects: &mut Vec<Effect>) {
        while self.seeking > 1 && self.has_month(1) {
            self.seeking -= 1;
            self.show_month(self.month.next());
            if self.found(self.month).is_none_or(|known| known.slots.is_none()) {
                self.read_if_unknown(self.month, effects);
                return;
            }
            if !self.free_days(self.month).is_empty() {
                return self.shown_month_read(effects);
            }
        }
        self.seeking = 0;
        self.shown_month_read(effects);
    }

    /// A month has come into sight: show what is known of it, or read it.
    pub(super) fn arrive(&mut self, effects: &mut Vec<Effect>) {
        if self.found(self.month).is_some_and(|known| known.slots.is_some()) {
            self.shown_month_read(effects);
        } else {
            self.read_if_unknown(self.month, effects);
        }
    }

    pub(super) fn show_month(&mut self, month: Month) {
        self.month = month;
        self.day = None;
        self.listed = views::LISTED;
        self.cursor = month.first().max(self.first_day);
    }

    pub(super) fn move_cursor(&mut self, movement: Movement, effects: &mut Vec<Effect>) {
        let [first, .., last] = self.week();
        let mut wanted = match movement {
            Movement::Weeks(weeks) => Day(self.cursor.0 + 7 * weeks),
            Movement::Sideways(days) => Day(self.cursor.0 + if self.is_rtl() { -days } else { days }),
            Movement::Months(months) => self.cursor.plus_months(months),
            Movement::WeekStart => first,
            Movement::WeekEnd => last,
        };
        if self.view == View::Month && matches!(movement, Movement::WeekStart | Movement::WeekEnd) {
            // The ends of the week within the month in sight.
            wanted = wanted.clamp(self.month.first(), self.month.last());
        }
        let cursor = wanted.clamp(self.first_day, self.last_day);
        self.go_to(cursor, effects);
        self.cursor = cursor;
        effects.push(Effect::Focus(Target::Day(cursor)));
    }

    pub(super) fn show_day(&mut self, day: Day, effects: &mut Vec<Effect>) {
        let count = self.slots_of(day).len();
        self.go_to(day, effects);
        self.cursor = day;
        if count > 0 {
            self.day = Some(day);
            self.notice = None;
            self.announcement = Announcement::Times { day, count };
            effects.extend([Effect::Reveal, Effect::Tell(Event::DaySelected(day))]);
        }
    }

    pub(super) fn relocate(&mut self, zone: Zone, effects: &mut Vec<Effect>) {
        // The same free time stays in sight, on whichever day it falls now.
        let anchor = self.day.and_then(|day| self.slots_of(day).first().copied());
        self.zone = zone;
        self.follow_clock(self.now);
        self.show_day_of_slot(anchor.map(|slot| self.zone.day(slot.start)));
        self.arrive(effects);
    }

    /// It is another moment, or another zone: the days that can be booked are others.
    fn follow_clock(&mut self, now: Instant) {
        self.now = now;
        self.today = self.zone.day(now);
        self.first_day = self.today;
        self.last_day = self.zone.day(self.event.window_end).max(self.today);
        self.cursor = self.cursor.clamp(self.first_day, self.last_day);
        let month = self.month.clamp(self.first_day.month(), self.last_day.month());
        if month != self.month {
            self.show_month(month);
        }
    }

    /// The page is looked at, at this moment. What has passed since it was read is not offered any more, and what was read long
    /// ago is read again. What was in the past when it was read is so only by the visitor's clock, which may be wrong.
    pub(super) fn look(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        // A timer that slept goes off late.
        self.woken(now, effects);
        self.follow_clock(now);
        let read_at = self.read_at;
        self.drop_slots(|start| (read_at + 1..=now).contains(&start));
        if self.step != Step::Pick {
            return;
        }
        if now - self.read_at >= LASTING {
            self.read_at = now;
            for index in 0..self.months.len() {
                self.read(self.months[index].month, effects);
            }
        }
        if !self.has_failed() && !self.day.is_some_and(|day| self.is_free(day)) {
            self.arrive(effects);
        }
    }

    pub(super) fn read_if_unknown(&mut self, month: Month, effects: &mut Vec<Effect>) {
        if self.months.iter().all(|known| known.month != month || known.failed) {
            self.read(month, effects);
        }
    }

    /// A slot has become free, which the answer to a question that is under way may not tell.
    pub(super) fn read_once_more(&mut self, month: Month, effects: &mut Vec<Effect>) {
        let known = self.known(month);
        known.is_old = known.loading;
        self.read(month, effects);
    }

    pub(super) fn read(&mut self, month: Month, effects: &mut Vec<Effect>) {
        let known = self.known(month);
        if !known.loading {
            known.loading = true;
            known.failed = false;
            effects.push(Effect::ReadSlots { month, wish: self.wish });
        }
    }

    pub(super) fn known(&mut self, month: Month) -> &mut MonthSlots {
        let index = self.months.iter().position(|known| known.month == month).unwrap_or_else(|| {
            self.months.push(MonthSlots { month, slots: None, loading: false, failed: false, is_old: false });
            self.months.len() - 1
        });
        &mut self.months[index]
    }
}
