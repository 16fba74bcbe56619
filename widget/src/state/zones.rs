//! Choosing another time zone: a list that is searched by typing.

use super::*;

/// What is typed, and the place of the zone among those found that Enter takes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ZoneSearch {
    pub text: String,
    pub active: usize,
}

impl State {
    /// The zones that the search means; none while nothing is searched for.
    pub fn found_zones(&self) -> Vec<&ZoneChoice> {
        let Some(search) = &self.zone_search else { return Vec::new() };
        list(self.zones.iter().filter(|zone| zone.is_meant(&search.text)))
    }

    /// Opens the list, or closes it. The times that it tells are those of `now`.
    pub(super) fn open_zones(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        if self.zone_search.take().is_none() {
            self.now = now;
            self.zone_search = Some(ZoneSearch::default());
            if self.zones.is_empty() {
                effects.push(Effect::ReadZones(now));
            }
            effects.push(Effect::Focus(Target::ZoneSearch));
            self.point_at_own_zone(effects);
        }
    }

    pub(super) fn zones_read(&mut self, zones: Vec<ZoneChoice>, effects: &mut Vec<Effect>) {
        self.zones = zones;
        // What was typed meanwhile is searched for.
        if self.zone_search.as_ref().is_none_or(|search| search.text.is_empty()) {
            self.point_at_own_zone(effects);
        }
    }

    fn point_at_own_zone(&mut self, effects: &mut Vec<Effect>) {
        let own = self.zones.iter().position(|zone| zone.name == self.zone.name);
        self.point_at(own.unwrap_or_default(), effects);
    }

    fn point_at(&mut self, active: usize, effects: &mut Vec<Effect>) {
        if let Some(search) = &mut self.zone_search {
            search.active = active;
            effects.push(Effect::RevealZone);
        }
    }

    pub(super) fn search_zone(&mut self, text: String, effects: &mut Vec<Effect>) {
        if let Some(search) = &mut self.zone_search {
            search.text = text;
        }
        self.point_at(0, effects);
    }

    /// Points at the next zone (1) or the one before (-1); after the last comes the first.
    pub(super) fn move_zone(&mut self, by: i32, effects: &mut Vec<Effect>) {
        let (count, Some(search)) = (self.found_zones().len() as i32, &self.zone_search) else { return };
        if count > 0 {
            self.point_at((search.active as i32 + by).rem_euclid(count) as usize, effects);
        }
    }

    /// Takes the zone of a name, or the one that is pointed at where it is empty.
    pub(super) fn choose_zone(&mut self, name: String, effects: &mut Vec<Effect>) {
        let Some(search) = &self.zone_search else { return };
        let pointed_at = self.found_zones().get(search.active).map(|zone| zone.name.clone());
        if let Some(name) = Some(name).filter(|name| !name.is_empty()).or(pointed_at) {
            effects.push(Effect::LearnZone(name));
            self.close_zones(effects);
        }
    }

    /// Closes the list and gives the focus back to what opened it.
    pub(super) fn close_zones(&mut self, effects: &mut Vec<Effect>) {
        if self.zone_search.take().is_some() {
            effects.push(Effect::Focus(Target::Zone));
        }
    }
}
