//! How the widgets of an organization look.

use cupo_core::{
    parse::{FieldErrors, FieldProblem, Slug},
    theme::{Color, MOST_RADIUS, Scheme, Theme, ThemeView},
};
use cupo_store::{organization_get, organization_get_by_slug, organization_set_theme};
use serde::{Deserialize, Serialize};

use crate::{
    Engine, EngineError, Principal,
    audit::{Actor, Subject},
    engine::transact,
};

/// The form of a theme, as it was filled in.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ThemeInput {
    /// `#rrggbb`; empty for the widget's own.
    pub accent: String,
    /// `auto`, `light`, `dark` or `page`.
    pub scheme: String,
    /// In CSS pixels; empty for the widget's own.
    pub radius: String,
}

impl ThemeInput {
    fn parse(&self) -> Result<Theme, FieldErrors> {
        let mut errors = FieldErrors::default();
        let theme = Theme {
            accent: filled(&self.accent).and_then(|text| errors.collect("accent", Color::parse(text))),
            radius: filled(&self.radius).and_then(|text| errors.collect("radius", radius(text))),
            scheme: errors.collect("scheme", Scheme::parse(&self.scheme)).unwrap_or_default(),
        };
        errors.into_result().map(|()| theme)
    }
}

fn filled(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| !text.is_empty())
}

fn radius(text: &str) -> Result<u8, FieldProblem> {
    let radius = text.parse().ok().filter(|radius| *radius <= MOST_RADIUS);
    radius.ok_or_else(|| FieldProblem::new("error.out_of_range").with("min", 0).with("max", MOST_RADIUS))
}

impl Engine {
    /// The theme of the host's organization.
    pub async fn theme(&self, principal: &Principal) -> Result<Theme, EngineError> {
        let tx = &mut self.0.store.read().await?;
        let organization = organization_get(tx, &principal.organization_id).await?;
        Ok(organization.ok_or(EngineError::NotFound("organization"))?.theme)
    }

    /// What the widget is told of the theme of the organization with this slug; `None` where nothing was chosen.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] of an organization that does not exist.
    pub async fn theme_of(&self, org: &str) -> Result<Option<ThemeView>, EngineError> {
        let slug = Slug::parse(org).map_err(|_| EngineError::NotFound("organization"))?;
        let organization = organization_get_by_slug(&mut self.0.store.read().await?, &slug).await?;
        Ok(organization.ok_or(EngineError::NotFound("organization"))?.theme.view())
    }

    /// Stores how the organization's widgets look, and who wished it so.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] with `accent`, `scheme` or `radius`; [`EngineError::Forbidden`] for who does not run the
    /// organization.
    pub async fn theme_save(&self, principal: &Principal, input: &ThemeInput) -> Result<Theme, EngineError> {
        principal.require_admin()?;
        let theme = input.parse()?;
        let organization_id = &principal.organization_id;
        transact!(self, tx => {
            if !organization_set_theme(tx, organization_id, &theme).await? {
                return Err(EngineError::NotFound("organization"));
            }
            let detail = serde_json::json!({ "theme": theme });
            let (actor, subject) = (Actor::User(&principal.user_id), Subject::Organization(organization_id));
            self.audit(tx, organization_id, actor, "organization.theme", subject, detail).await?;
        })?;
        self.committed(organization_id);
        Ok(theme)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(accent: &str, scheme: &str, radius: &str) -> ThemeInput {
        ThemeInput { accent: accent.to_owned(), scheme: scheme.to_owned(), radius: radius.to_owned() }
    }

    #[test]
    fn what_is_left_empty_is_the_widgets_own() {
        assert_eq!(input("", "auto", " ").parse().unwrap(), Theme::default());
        let theme = input("#ABCDEF", "page", "0").parse().unwrap();
        assert_eq!((theme.accent.unwrap().as_str(), theme.scheme, theme.radius), ("#abcdef", Scheme::Page, Some(0)));
    }

    #[test]
    fn each_wrong_field_is_named() {
        let errors = input("teal", "night", "41").parse().unwrap_err();
        let fields: Vec<_> = errors.0.iter().map(|error| error.field.as_ref()).collect();
        assert_eq!(fields, ["accent", "radius", "scheme"]);
    }
}
