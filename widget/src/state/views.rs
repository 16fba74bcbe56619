//! How the free times are laid out: a month of days, a week, or a list; and the one that is soonest.

use super::*;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// The days of a month, and the times of the chosen one.
    Month,
    /// Seven days and the times of each.
    Week,
    /// The free days of a month, one below the other, and the times of each.
    List,
}

/// How many days a list holds at first, and how many more each time.
pub(super) const LISTED: usize = 5;

impl View {
    /// Each with its name and the key of its text.
    pub const ALL: [(Self, &'static str, &'static str); 3] =
        [(Self::Month, "month", "view_month"), (Self::Week, "week", "view_week"), (Self::List, "list", "view_list")];

    /// The view of a name; the month for any other.
    pub fn parse(name: &str) -> Self {
        Self::ALL.iter().find(|(_, known, _)| *known == name).map_or(Self::Month, |(view, ..)| *view)
    }
}

impl State {
    /// Whether the language is written from right to left.
    pub fn is_rtl(&self) -> bool {
        self.language.starts_with("ar")
    }

    /// The seven days around the cursor.
    pub fn week(&self) -> [Day; 7] {
        let first = self.cursor.0 - (self.cursor.weekday() - self.wishes.week_start).rem_euclid(7);
        [0, 1, 2, 3, 4, 5, 6].map(|day| Day(first + day))
    }

    /// The days that are looked at together: those of the week in sight, or the free ones of the month.
    pub(super) fn free_days_in_sight(&self) -> Vec<Day> {
        if self.view == View::Week && self.seeking == 0 {
            list(self.week().into_iter().filter(|day| self.is_free(*day)))
        } else {
            self.free_days(self.month)
        }
    }

    pub fn is_free(&self, day: Day) -> bool {
        !self.slots_of(day).is_empty()
    }

    /// The free days that are listed.
    pub fn listed_days(&self) -> Vec<Day> {
        let mut days = self.free_days(self.month);
        days.truncate(self.listed);
        days
    }

    /// Whether there is something that can be booked before (-1) or after (1) what is in sight.
    pub fn can_turn(&self, by: i32) -> bool {
        let [first, .., last] = self.week();
        match self.view {
            View::Week if by < 0 => first > self.first_day,
            View::Week => last < self.last_day,
            _ => self.has_month(by),
        }
    }

    pub(super) fn turn(&mut self, by: i32, effects: &mut Vec<Effect>) {
        if self.can_turn(by) {
            let first = Month(self.month.0 + by).first();
            self.go_to(if self.view == View::Week { Day(self.cursor.0 + 7 * by) } else { first }, effects);
            self.cursor = self.day.unwrap_or(self.cursor);
        }
    }

    /// The month or week of a day comes into sight, and a free day of it is chosen.
    pub(super) fn go_to(&mut self, day: Day, effects: &mut Vec<Effect>) {
        let day = day.clamp(self.first_day, self.last_day);
        let is_other_month = day.month() != self.month;
        if is_other_month {
            self.seeking = 0;
            self.show_month(day.month());
        }
        self.cursor = day;
        if is_other_month {
            self.arrive(effects);
        }
        self.settle();
    }

    /// In a week only its own days are chosen.
    fn settle(&mut self) {
        if self.view == View::Week && !self.day.is_some_and(|day| self.week().contains(&day)) {
            self.day = self.free_days_in_sight().first().copied();
            self.announcement = match self.day {
                Some(_) => Announcement::Nothing,
                None => self.without_times(),
            };
        }
    }

    pub(super) fn choose_view(&mut self, view: View, effects: &mut Vec<Effect>) {
        self.view = view;
        self.listed = LISTED;
        self.show_day_of_slot(self.day);
        self.settle();
        self.arrive(effects);
    }

    /// A day with free times that may lie outside of what is in sight is chosen.
    pub(super) fn show_day_of_slot(&mut self, day: Option<Day>) {
        if let Some(day) = day {
            self.month = day.month();
            self.cursor = day;
            self.day = Some(day);
        }
    }

    /// Further days are listed; the first of their times gets the focus.
    pub(super) fn list_more(&mut self, effects: &mut Vec<Effect>) {
        let next = self.free_days(self.month).get(self.listed).copied();
        self.listed += LISTED;
        if let Some(slot) = next.and_then(|day| self.slots_of(day).first().copied()) {
            effects.push(Effect::Focus(Target::Slot(slot.start)));
        }
    }

    /// The next free time after what is in sight.
    pub(super) fn seek(&mut self, effects: &mut Vec<Effect>) {
        match self.free_days(self.month).into_iter().find(|day| *day > self.cursor) {
            Some(day) => {
                self.show_day_of_slot(Some(day));
                self.announcement = Announcement::Times { day, count: self.slots_of(day).len() };
            }
            None => {
                self.seeking = SOUGHT_WHEN_ASKED;
                self.turn_while_seeking(effects);
            }
        }
        effects.push(Effect::Focus(Target::Month));
    }

    /// The first free time of all, as far as everything before it is known.
    pub fn soonest(&self) -> Option<Slot> {
        self.slots_of_month(self.soonest_month()).first().copied()
    }

    /// The first month of which it is not known that it has no free times.
    pub(super) fn soonest_month(&self) -> Month {
        let is_empty = |known: &MonthSlots| known.slots.as_ref().is_some_and(Vec::is_empty);
        let mut month = self.first_day.month();
        while self.found(month).is_some_and(is_empty) {
            month = month.next();
        }
        month
    }
}
