//! Which scopes open which method, as the discovery document says (a test compares).

/// The prefix of every Calendar scope.
pub const PREFIX: &str = "https://www.googleapis.com/auth/";

/// A method of the Calendar API that the simulator knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Method {
    /// The method's id in the discovery document.
    pub id: &'static str,
    /// The scopes that suffice, without their common prefix.
    pub scopes: &'static [&'static str],
}

const READ_EVENTS: &[&str] = &[
    "calendar",
    "calendar.app.created",
    "calendar.events",
    "calendar.events.freebusy",
    "calendar.events.owned",
    "calendar.events.owned.readonly",
    "calendar.events.public.readonly",
    "calendar.events.readonly",
    "calendar.readonly",
];
const WRITE_EVENTS: &[&str] = &["calendar", "calendar.app.created", "calendar.events", "calendar.events.owned"];

pub const CALENDAR_LIST_LIST: Method = Method {
    id: "calendar.calendarList.list",
    scopes: &["calendar", "calendar.calendarlist", "calendar.calendarlist.readonly", "calendar.readonly"],
};
pub const CALENDAR_LIST_GET: Method = Method {
    id: "calendar.calendarList.get",
    scopes: &[
        "calendar",
        "calendar.app.created",
        "calendar.calendarlist",
        "calendar.calendarlist.readonly",
        "calendar.readonly",
    ],
};
pub const CALENDARS_GET: Method = Method {
    id: "calendar.calendars.get",
    scopes: &[
        "calendar",
        "calendar.app.created",
        "calendar.calendars",
        "calendar.calendars.readonly",
        "calendar.readonly",
    ],
};
pub const EVENTS_GET: Method = Method { id: "calendar.events.get", scopes: READ_EVENTS };
pub const EVENTS_LIST: Method = Method { id: "calendar.events.list", scopes: READ_EVENTS };
pub const EVENTS_INSTANCES: Method = Method { id: "calendar.events.instances", scopes: READ_EVENTS };
pub const EVENTS_WATCH: Method = Method { id: "calendar.events.watch", scopes: READ_EVENTS };
pub const EVENTS_INSERT: Method = Method { id: "calendar.events.insert", scopes: WRITE_EVENTS };
pub const EVENTS_PATCH: Method = Method { id: "calendar.events.patch", scopes: WRITE_EVENTS };
pub const EVENTS_UPDATE: Method = Method { id: "calendar.events.update", scopes: WRITE_EVENTS };
pub const EVENTS_DELETE: Method = Method { id: "calendar.events.delete", scopes: WRITE_EVENTS };
pub const FREEBUSY_QUERY: Method = Method {
    id: "calendar.freebusy.query",
    scopes: &["calendar", "calendar.events.freebusy", "calendar.freebusy", "calendar.readonly"],
};
pub const CHANNELS_STOP: Method = Method {
    id: "calendar.channels.stop",
    scopes: &[
        "calendar",
        "calendar.acls",
        "calendar.acls.readonly",
        "calendar.app.created",
        "calendar.calendarlist",
        "calendar.calendarlist.readonly",
        "calendar.events",
        "calendar.events.freebusy",
        "calendar.events.owned",
        "calendar.events.owned.readonly",
        "calendar.events.public.readonly",
        "calendar.events.readonly",
        "calendar.readonly",
        "calendar.settings",
        "calendar.settings.readonly",
    ],
};

/// Every method that the simulator answers.
pub const METHODS: [Method; 13] = [
    CALENDAR_LIST_LIST,
    CALENDAR_LIST_GET,
    CALENDARS_GET,
    EVENTS_GET,
    EVENTS_LIST,
    EVENTS_INSTANCES,
    EVENTS_WATCH,
    EVENTS_INSERT,
    EVENTS_PATCH,
    EVENTS_UPDATE,
    EVENTS_DELETE,
    FREEBUSY_QUERY,
    CHANNELS_STOP,
];

/// Every scope that the consent page can grant, with what it says to people.
pub const SCOPES: [(&str, &str); 15] = [
    ("calendar", "See, edit, share and permanently delete all the calendars you can access"),
    ("calendar.readonly", "See and download any calendar you can access"),
    ("calendar.events", "View and edit events on all your calendars"),
    ("calendar.events.readonly", "View events on all your calendars"),
    ("calendar.events.owned", "See, create, change and delete events on the calendars you own"),
    ("calendar.events.owned.readonly", "See the events on the calendars you own"),
    ("calendar.events.public.readonly", "See the events on public calendars"),
    ("calendar.events.freebusy", "See the availability on the calendars you can access"),
    ("calendar.freebusy", "View your availability in your calendars"),
    ("calendar.calendarlist", "See, add and remove the calendars you are subscribed to"),
    ("calendar.calendarlist.readonly", "See the list of calendars you are subscribed to"),
    ("calendar.calendars", "See and change the properties of the calendars you can access"),
    ("calendar.calendars.readonly", "See the title, description and time zone of your calendars"),
    ("calendar.app.created", "Make secondary calendars, and see and change their events"),
    ("calendar.settings.readonly", "View your calendar settings"),
];

/// What a scope, written in full, says to people; `None` for a scope that the simulator does not know.
pub fn description(scope: &str) -> Option<&'static str> {
    let short = scope.strip_prefix(PREFIX)?;
    SCOPES.iter().find(|(name, _)| *name == short).map(|(_, text)| *text)
}

impl Method {
    /// Whether one of `granted` (written in full) opens this method.
    pub fn is_open_to<'a>(self, granted: impl IntoIterator<Item = &'a str>) -> bool {
        granted.into_iter().any(|scope| scope.strip_prefix(PREFIX).is_some_and(|short| self.scopes.contains(&short)))
    }
}
