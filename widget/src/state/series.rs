//! Several dates at once: asking on which of them the slot is free.

use super::*;
use crate::strings::decimal;

/// How many dates are proposed at first.
const FIRST_COUNT: u32 = 4;

impl State {
    /// Whether several dates are to be booked.
    pub fn repeats(&self) -> bool {
        !self.details[Field::FREQUENCY.0].is_empty()
    }

    /// How many of the dates are not free.
    pub fn taken_dates(&self) -> usize {
        match &self.dates {
            Dates::Known(dates) => dates.iter().filter(|date| !date.is_free).count(),
            _ => 0,
        }
    }

    /// The slot, how often or on how many dates has changed: which of the dates are free is asked again.
    pub(super) fn ask_series(&mut self, effects: &mut Vec<Effect>) {
        self.details[Field::SKIP_TAKEN.0].clear();
        self.problems[Field::FREQUENCY.0] = None;
        self.problems[Field::SKIP_TAKEN.0] = None;
        self.dates = Dates::Single;
        let Some(start) = self.start.filter(|_| self.repeats()) else { return };
        let count = &mut self.details[Field::COUNT.0];
        if count.is_empty() {
            *count = decimal(FIRST_COUNT.min(self.event.most_occurrences));
        }
        let path = request::series_path(self, start);
        effects.push(Effect::ReadSeries(path.clone()));
        self.dates = Dates::Asked(path);
    }

    pub(super) fn series_read(&mut self, path: String, dates: Option<Vec<SeriesDate>>) {
        if self.dates == Dates::Asked(path) {
            self.dates = dates.map_or(Dates::Failed, Dates::Known);
        }
    }
}
