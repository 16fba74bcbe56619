//! Finding a day: the months that are read, the one that is shown, the day that is chosen.

use super::*;

/// How many empty months are skipped at first sight, and how many when the visitor asks for the next free time.
pub(super) const SKIPPED_AT_FIRST: u8 = 2;
pub(super) const SKIPPED_WHEN_ASKED: u8 = 14;

impl State {
    pub(super) fn slots_read(&mut self, month: Month, wish: u32, slots: Option<Vec<Slot>>, effects: &mut Vec<Effect>) {
        if wish != self.wish {
            return;
        }
        let known = self.known(month);
        known.loading = false;
        if slots.is_some() {
            known.slots = slots;
            if month == self.month {
                self.shown_month_read(effects);
            }
        } else {
            known.failed = known.slots.is_none();
        }
        self.tell_ready(effects);
    }

    /// Another length or another host: other slots. The day in sight stays, if it has some of them; a month that has
    /// none gives way as it does at first.
    pub(super) fn read_anew(&mut self, effects: &mut Vec<Effect>) {
        self.wish += 1;
        self.seeking = SKIPPED_AT_FIRST;
        self.months.clear();
        self.notice = None;
        self.announcement = Announcement::Nothing;
        self.read(self.month, effects);
    }

    pub(super) fn tell_ready(&mut self, effects: &mut Vec<Effect>) {
        if !mem::replace(&mut self.ready, true) {
            effects.push(Effect::Ready);
        }
    }

    /// The month in sight has its slots: choose a day, or look for one in a later month.
    pub(super) fn shown_month_read(&mut self, effects: &mut Vec<Effect>) {
        let free = self.free_days(self.month);
        let Some(first) = free.first().copied() else {
            self.day = None;
            if self.seeking > 0 && self.can_turn(1) {
                self.turn_while_seeking(effects);
            } else {
                self.seeking = 0;
                self.announcement = Announcement::NoTimes(self.month);
            }
            return;
        };
        self.seeking = 0;
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
        for months in [1, -1] {
            if self.can_turn(months) {
                self.read_if_unknown(Month(self.month.0 + months), effects);
            }
        }
    }

    pub(super) fn turn_while_seeking(&mut self, effects: &mut Vec<Effect>) {
        while self.seeking > 0 && self.can_turn(1) {
            self.seeking -= 1;
            self.show_month(self.month.next());
            if self.shown().is_none_or(|known| known.slots.is_none()) {
                self.seeking += 1;
                self.read_if_unknown(self.month, effects);
                return;
            }
            if !self.free_days(self.month).is_empty() {
                break;
            }
        }
        self.seeking = 0;
        self.shown_month_read(effects);
    }

    pub(super) fn turn(&mut self, months: i32, effects: &mut Vec<Effect>) {
        if self.can_turn(months) {
            self.seeking = 0;
            self.show_month(Month(self.month.0 + months));
            self.arrive(effects);
        }
    }

    /// A month has come into sight: show what is known of it, or read it.
    pub(super) fn arrive(&mut self, effects: &mut Vec<Effect>) {
        if self.shown().is_some_and(|known| known.slots.is_some()) {
            self.shown_month_read(effects);
        } else {
            self.read_if_unknown(self.month, effects);
        }
    }

    pub(super) fn show_month(&mut self, month: Month) {
        self.month = month;
        self.day = None;
        self.cursor = month.first().max(self.first_day);
    }

    pub(super) fn move_cursor(&mut self, movement: Movement, week_start: i32, effects: &mut Vec<Effect>) {
        let column = (self.cursor.weekday() - week_start).rem_euclid(7);
        let wanted = match movement {
            Movement::Days(days) => Day(self.cursor.0 + days),
            Movement::Months(months) => self.cursor.plus_months(months),
            Movement::WeekStart => Day(self.cursor.0 - column),
            Movement::WeekEnd => Day(self.cursor.0 + 6 - column),
        };
        let mut cursor = wanted.clamp(self.first_day, self.last_day);
        if matches!(movement, Movement::WeekStart | Movement::WeekEnd) {
            // The ends of the week within the month in sight.
            cursor = cursor.clamp(self.month.first(), self.month.last());
        }
        if cursor.month() != self.month {
            self.seeking = 0;
            self.show_month(cursor.month());
            self.arrive(effects);
        }
        self.cursor = cursor;
        effects.push(Effect::Focus(Target::Day(cursor)));
    }

    pub(super) fn show_day(&mut self, day: Day, effects: &mut Vec<Effect>) {
        let count = self.slots_of(day).len();
        self.cursor = day;
        if count > 0 {
            self.day = Some(day);
            self.notice = None;
            self.announcement = Announcement::Times { day, count };
            effects.push(Effect::Reveal);
        }
    }

    pub(super) fn relocate(&mut self, zone: Zone, effects: &mut Vec<Effect>) {
        // The same free time stays in sight, on whichever day it falls now.
        let anchor = self.day.and_then(|day| self.slots_of(day).first().copied());
        self.zone = zone;
        if let Some(day) = anchor.map(|slot| self.zone.day(slot.start)) {
            self.first_day = self.first_day.min(day);
            self.last_day = self.last_day.max(day);
            self.month = day.month();
            self.cursor = day;
            self.day = Some(day);
        }
        self.arrive(effects);
    }

    pub(super) fn read_if_unknown(&mut self, month: Month, effects: &mut Vec<Effect>) {
        if self.months.iter().all(|known| known.month != month || known.failed) {
            self.read(month, effects);
        }
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
            self.months.push(MonthSlots { month, slots: None, loading: false, failed: false });
            self.months.len() - 1
        });
        &mut self.months[index]
    }
}
