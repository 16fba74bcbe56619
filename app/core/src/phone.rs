//! Telephone numbers as people type them, brought into the form that can be dialled from everywhere (ITU-T E.164).

use crate::parse::PhoneNumber;

const PLANS: &str = include_str!("phone/plans.txt");

/// How telephone numbers are written in a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumberingPlan {
    calling_code: &'static str,
    /// What is dialled before a number within the region; empty for nothing.
    national_prefix: &'static str,
    /// What is dialled before a number of another country; empty where that varies.
    international_prefix: &'static str,
    /// How many digits a number has without any prefix.
    least: usize,
    most: usize,
}

impl NumberingPlan {
    /// The plan of the region that a BCP 47 tag names, such as `es-MX`.
    pub fn of_language(tag: &str) -> Option<Self> {
        // What follows a single letter is an extension.
        let mut parts = tag.split(['-', '_']).skip(1).take_while(|part| part.len() > 1);
        let region = parts.find(|part| part.len() == 2)?;
        PLANS.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
            let mut columns = line.split(' ').map(|column| if column == "-" { "" } else { column });
            columns.next().filter(|name| name.eq_ignore_ascii_case(region))?;
            Some(Self {
                calling_code: columns.next()?,
                national_prefix: columns.next()?,
                international_prefix: columns.next()?,
                least: columns.next()?.parse().ok()?,
                most: columns.next()?.parse().ok()?,
            })
        })
    }

    /// The country calling code with its sign, such as `+34`.
    pub fn dial_code(&self) -> String {
        ["+", self.calling_code].concat()
    }

    /// The number with its country calling code. A number that can be read in more ways than one, or in none, stays as it
    /// was typed.
    pub fn complete(&self, number: PhoneNumber) -> PhoneNumber {
        let completed = self.read(number.as_str()).and_then(|completed| PhoneNumber::parse(&completed).ok());
        completed.unwrap_or(number)
    }

    fn read(&self, digits: &str) -> Option<String> {
        let fits = |number: &str| (self.least..=self.most).contains(&number.len());
        let without = |prefix: &str| digits.strip_prefix(prefix).filter(|_| !prefix.is_empty());
        if digits.starts_with('+') {
            return None;
        }
        if let Some(abroad) = without(self.international_prefix) {
            return Some(["+", abroad].concat());
        }
        if let Some(number) = without(self.national_prefix).filter(|number| fits(number)) {
            return Some([&self.dial_code(), number].concat());
        }
        match without(self.calling_code).is_some_and(fits) {
            // Either could be meant.
            true if fits(digits) => None,
            true => Some(["+", digits].concat()),
            false => fits(digits).then(|| [&self.dial_code(), digits].concat()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completed(tag: &str, typed: &str) -> String {
        NumberingPlan::of_language(tag).unwrap().complete(PhoneNumber::parse(typed).unwrap()).to_string()
    }

    #[test]
    fn a_number_gets_the_calling_code_of_the_region() {
        for (tag, typed, number) in [
            ("es-ES", "600 123 456", "+34600123456"),
            ("es-MX", "55 1234 5678", "+525512345678"),
            ("en-US", "(212) 555-0123", "+12125550123"),
            ("en-US", "1 212 555 0123", "+12125550123"),
            ("de-DE", "0151 23456789", "+4915123456789"),
            ("fr-FR", "06 12 34 56 78", "+33612345678"),
            ("it-IT", "06 1234 5678", "+390612345678"),
            ("hu-HU", "06 20 123 4567", "+36201234567"),
            ("pt-BR", "(11) 91234-5678", "+5511912345678"),
            ("ar-AE", "050 123 4567", "+971501234567"),
            ("en-GB", "020 7946 0018", "+442079460018"),
        ] {
            assert_eq!(completed(tag, typed), number, "{tag} {typed}");
        }
    }

    #[test]
    fn a_number_of_another_country_keeps_its_own() {
        assert_eq!(completed("es-ES", "+44 20 7946 0018"), "+442079460018");
        assert_eq!(completed("es-ES", "0044 20 7946 0018"), "+442079460018");
        assert_eq!(completed("en-US", "011 44 20 7946 0018"), "+442079460018");
        assert_eq!(completed("es-ES", "34 600 123 456"), "+34600123456", "the sign was forgotten");
    }

    #[test]
    fn a_number_that_can_be_read_in_two_ways_or_in_none_stays_as_it_was_typed() {
        assert_eq!(completed("es-ES", "112 33"), "11233");
        assert_eq!(completed("en-US", "600 123 456"), "600123456");
        assert_eq!(completed("de-DE", "49 151 2345678"), "491512345678");
        // In Brazil a carrier is chosen after two zeros.
        assert_eq!(completed("pt-BR", "0044 20 7946 0018"), "00442079460018");
    }

    #[test]
    fn the_region_is_that_of_the_language_tag() {
        let code = |tag| NumberingPlan::of_language(tag).map(|plan| plan.dial_code());
        assert_eq!(code("es-AR").as_deref(), Some("+54"));
        assert_eq!(code("zh-Hant-tw").as_deref(), Some("+886"));
        for unknown in ["es", "es-419", "es-XX", "", "es-u-rg-mxzzzz"] {
            assert_eq!(code(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn every_plan_can_be_read() {
        let regions: Vec<&str> = PLANS.lines().filter(|line| !line.starts_with('#')).map(|line| &line[..2]).collect();
        assert_eq!(regions.len(), 245);
        for region in regions {
            let plan = NumberingPlan::of_language(&format!("xx-{region}")).unwrap();
            assert!(plan.least <= plan.most && plan.most + plan.calling_code.len() <= 17, "{region}: {plan:?}");
            assert!(plan.calling_code.bytes().all(|byte| byte.is_ascii_digit()) && !plan.calling_code.is_empty());
        }
    }
}
