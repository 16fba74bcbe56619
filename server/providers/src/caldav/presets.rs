//! What a host enters for the services that many have, and where those make the passwords of apps.

use url::Url;

/// A service with CalDAV.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// A cloud of one's own or a provider's (<https://docs.nextcloud.com>, groupware, calendar).
    Nextcloud,
    /// Apple takes nothing but app-specific passwords (<https://support.apple.com/102654>).
    Icloud,
    /// Fastmail takes nothing but app passwords, and has them in its plans above Basic only
    /// (<https://www.fastmail.com/help/clients/apppassword.html>).
    Fastmail,
    /// Any other server.
    Generic,
}

/// Every preset, in the order in which they are offered.
pub const PRESETS: [Preset; 4] = [Preset::Icloud, Preset::Nextcloud, Preset::Fastmail, Preset::Generic];

/// What is asked for beside the user name and the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerQuestion {
    /// Nothing: the service is in one place.
    None,
    /// The address at which the host opens their cloud in the browser.
    CloudAddress,
    /// The server's address, or the host's e-mail address when their domain announces its server.
    AddressOrEmail,
}

/// What the user name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsernameQuestion {
    /// The e-mail address of the account.
    Email,
    /// The name that the host signs in with.
    LoginName,
}

/// Which password is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordQuestion {
    /// One made for Cupo: the account's own is not accepted.
    AppPassword,
    /// One made for Cupo where the service makes them; the account's own works unless a second factor is on.
    AppPasswordIfPossible,
}

impl Preset {
    /// The name by which forms and addresses know it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Nextcloud => "nextcloud",
            Self::Icloud => "icloud",
            Self::Fastmail => "fastmail",
            Self::Generic => "generic",
        }
    }

    /// Reads [`Self::as_str`].
    pub fn parse(name: &str) -> Option<Self> {
        PRESETS.into_iter().find(|preset| preset.as_str() == name)
    }

    /// The preset that the domain of an e-mail address belongs to, if it is one of a service in one place.
    pub fn of_email(email: &str) -> Option<Self> {
        let domain = email.rsplit_once('@')?.1.to_ascii_lowercase();
        match domain.as_str() {
            "icloud.com" | "me.com" | "mac.com" => Some(Self::Icloud),
            "fastmail.com" | "fastmail.fm" => Some(Self::Fastmail),
            _ => None,
        }
    }

    /// What goes into [`super::DiscoveryInput::server_or_email`], given what the host entered, if anything was asked
    /// for.
    pub fn server(&self, email_or_host: &str) -> String {
        match self {
            Self::Icloud => "https://caldav.icloud.com/".to_owned(),
            Self::Fastmail => "https://caldav.fastmail.com/".to_owned(),
            Self::Nextcloud => {
                let (cloud, _) = email_or_host.split_once("/index.php").unwrap_or((email_or_host, ""));
                let (cloud, _) = cloud.split_once("/apps/").unwrap_or((cloud, ""));
                if cloud.contains("/remote.php") {
                    return cloud.trim().to_owned();
                }
                format!("{}/remote.php/dav/", cloud.trim().trim_end_matches('/'))
            }
            Self::Generic => email_or_host.trim().to_owned(),
        }
    }

    pub fn server_question(&self) -> ServerQuestion {
        match self {
            Self::Icloud | Self::Fastmail => ServerQuestion::None,
            Self::Nextcloud => ServerQuestion::CloudAddress,
            Self::Generic => ServerQuestion::AddressOrEmail,
        }
    }

    pub fn username_question(&self) -> UsernameQuestion {
        match self {
            Self::Icloud | Self::Fastmail => UsernameQuestion::Email,
            Self::Nextcloud | Self::Generic => UsernameQuestion::LoginName,
        }
    }

    pub fn password_question(&self) -> PasswordQuestion {
        match self {
            Self::Icloud | Self::Fastmail => PasswordQuestion::AppPassword,
            Self::Nextcloud | Self::Generic => PasswordQuestion::AppPasswordIfPossible,
        }
    }

    /// Where the host makes the password, or reads how; `None` where only their server's operator knows.
    /// `email_or_host` is the address of the host's cloud.
    pub fn app_password_url(&self, email_or_host: &str) -> Option<Url> {
        match self {
            Self::Icloud => Url::parse("https://account.apple.com/account/manage").ok(),
            Self::Fastmail => Url::parse("https://www.fastmail.com/help/clients/apppassword.html").ok(),
            Self::Nextcloud => {
                let server = self.server(email_or_host);
                let (cloud, _) = server.split_once("/remote.php")?;
                let cloud = if cloud.contains("://") { cloud.to_owned() } else { format!("https://{cloud}") };
                // This form works with and without rewritten addresses.
                let url = Url::parse(&format!("{cloud}/index.php/settings/user/security")).ok()?;
                (matches!(url.scheme(), "http" | "https") && url.username().is_empty()).then_some(url)
            }
            Self::Generic => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_in_the_browser_leads_to_a_clouds_calendars() {
        for (given, server) in [
            ("cloud.example.com", "cloud.example.com/remote.php/dav/"),
            (" https://cloud.example.com/ ", "https://cloud.example.com/remote.php/dav/"),
            ("https://example.com/nextcloud", "https://example.com/nextcloud/remote.php/dav/"),
            ("https://cloud.example.com/index.php/apps/calendar", "https://cloud.example.com/remote.php/dav/"),
            ("https://cloud.example.com/apps/calendar/dayGridMonth/now", "https://cloud.example.com/remote.php/dav/"),
            (
                "https://cloud.example.com/remote.php/dav/principals/users/ana/",
                "https://cloud.example.com/remote.php/dav/principals/users/ana/",
            ),
        ] {
            assert_eq!(Preset::Nextcloud.server(given), server);
        }
    }

    #[test]
    fn every_service_that_demands_an_app_password_says_where_it_is_made() {
        for preset in PRESETS {
            assert_eq!(Preset::parse(preset.as_str()), Some(preset));
            let url = preset.app_password_url("cloud.example.com");
            assert!(preset.password_question() != PasswordQuestion::AppPassword || url.is_some(), "{preset:?}");
            assert!(url.is_none_or(|url| url.scheme() == "https"), "{preset:?}");
        }
        let own = Preset::Nextcloud.app_password_url("https://cloud.example.com/").unwrap();
        assert_eq!(own.as_str(), "https://cloud.example.com/index.php/settings/user/security");
        assert_eq!(Preset::Nextcloud.app_password_url("javascript:alert(1)//"), None);
    }

    #[test]
    fn an_e_mail_address_of_a_known_service_leads_there() {
        assert_eq!(Preset::of_email("Ana@iCloud.com"), Some(Preset::Icloud));
        assert_eq!(Preset::of_email("ana@fastmail.com"), Some(Preset::Fastmail));
        assert_eq!(Preset::of_email("ana@example.com"), None);
        assert_eq!(Preset::of_email("icloud.com"), None);
    }
}
