// Signatures for those who build on the engine; replaced by the area files within the hour.
impl Engine {
    // hosts.rs
    pub async fn sign_up(&self, form: SignUp) -> Result<SignedIn, EngineError>;
    //   SignUp { email, password, name, organization_name, organization_slug, time_zone, locale: Locale } (all other fields String; Debug redacts the password)
    //   SignedIn { session_token: Secret, expires_at: DateTime<Utc>, principal: Principal }
    pub async fn sign_in(&self, email: &str, password: &str) -> Result<SignedIn, EngineError>;
    pub async fn sign_out(&self, session_token: &str) -> Result<(), EngineError>;
    pub async fn principal(&self, session_token: &str) -> Result<Option<Principal>, EngineError>;
    pub async fn set_locale(&self, principal: &Principal, locale: Locale) -> Result<(), EngineError>;
    // schedules.rs: ScheduleInput { time_zone: String, weekly_hours: WeeklyHoursInput } (serde, same JSON shape as WeeklyHours, unvalidated)
    pub async fn schedule(&self, principal: &Principal) -> Result<Schedule, EngineError>;
    pub async fn schedule_save(&self, principal: &Principal, input: ScheduleInput) -> Result<Schedule, EngineError>;
    // event_types.rs (EventTypeInput as in INTERFACES; texts String, numbers u32, is_active bool)
    pub async fn event_types(&self, principal: &Principal) -> Result<Vec<EventType>, EngineError>;
    pub async fn event_type(&self, principal: &Principal, id: &EventTypeId) -> Result<EventType, EngineError>;
    pub async fn event_type_save(&self, principal: &Principal, id: Option<&EventTypeId>, input: EventTypeInput) -> Result<EventType, EngineError>;
    pub async fn event_type_delete(&self, principal: &Principal, id: &EventTypeId) -> Result<(), EngineError>;
    // appointments.rs: AppointmentSummary { appointment: Appointment, mapping: Option<AppointmentExternalMapping> }
    //   Page<T> { items: Vec<T>, next: Option<String> /* opaque cursor for `before` */ }
    //   AppointmentDetail { appointment, mapping: Option<..>, calendar_name: Option<String>, audit: Vec<AuditEntry> }
    pub async fn appointments(&self, principal: &Principal, filter: AppointmentFilter, before: Option<&str>) -> Result<Page<AppointmentSummary>, EngineError>;
    pub async fn appointment(&self, principal: &Principal, id: &AppointmentId) -> Result<AppointmentDetail, EngineError>;
    pub async fn appointment_cancel(&self, principal: &Principal, id: &AppointmentId, reason: &str) -> Result<(), EngineError>;
    // sites.rs: SiteInput { name: String, origins: String /* one per line */ }
    pub async fn sites(&self, principal: &Principal) -> Result<Vec<Site>, EngineError>;
    pub async fn site_save(&self, principal: &Principal, id: Option<&SiteId>, input: SiteInput) -> Result<Site, EngineError>;
    pub async fn site_delete(&self, principal: &Principal, id: &SiteId) -> Result<(), EngineError>;
    // accounts.rs: AccountOverview { account: CalendarProviderAccount, calendars: Vec<Calendar>, subscription_expires_at: Option<DateTime<Utc>> }
    //   CalendarChoice { calendar_id: CalendarId, checks_conflicts: bool }
    pub async fn accounts(&self, principal: &Principal) -> Result<Vec<AccountOverview>, EngineError>;
    pub async fn calendar_choices_save(&self, principal: &Principal, choices: Vec<CalendarChoice>, receives: Option<CalendarId>) -> Result<(), EngineError>;
    pub async fn account_disconnect(&self, principal: &Principal, id: &AccountId) -> Result<(), EngineError>;
    pub async fn failed_jobs(&self, principal: &Principal) -> Result<Vec<Job>, EngineError>;
    pub fn mail_configured(&self) -> bool;
    pub fn google_configured(&self) -> bool;
    // connect.rs: GoogleCallback { state: Option<String>, code: Option<String>, error: Option<String> }; ConnectOutcome { account_id: AccountId, missing_scopes: Vec<&'static str> }
    pub async fn google_connect_start(&self, principal: &Principal, session_token: &str) -> Result<Url, EngineError>;
    pub async fn google_connect_finish(&self, principal: &Principal, session_token: &str, callback: GoogleCallback) -> Result<ConnectOutcome, EngineError>;
    // availability.rs
    pub async fn event_type_view(&self, org: &str, slug: &str, locale: Locale) -> Result<Arc<EventTypeView>, EngineError>;
    //   SlotsRequest<'a> { org: &'a str, event: &'a str, from: NaiveDate, to: NaiveDate, duration: Option<u32>, hold: Option<&'a str>, reschedule: Option<&'a str> }
    //   CachedSlots { body: Bytes, etag: String (quoted), starts: Arc<[DateTime<Utc>]> }
    pub async fn slots(&self, request: &SlotsRequest<'_>) -> Result<Arc<CachedSlots>, EngineError>;
    pub async fn allowed_origins(&self, org: &str) -> Result<Arc<[Origin]>, EngineError>;
    pub fn invalidate(&self, organization_id: &OrganizationId);
    // booking.rs
    pub async fn hold(&self, request: HoldRequest) -> Result<HoldResponse, EngineError>;
    pub async fn hold_release(&self, token: &str) -> Result<(), EngineError>;
    pub async fn book(&self, idempotency_key: &str, request: BookingRequest) -> Result<Booked, EngineError>; // Booked { view, replayed }
    pub async fn appointment_by_token(&self, token: &str, locale: Locale) -> Result<AppointmentView, EngineError>;
    pub async fn cancel_by_token(&self, token: &str, reason: &str) -> Result<AppointmentView, EngineError>;
    pub async fn reschedule_by_token(&self, token: &str, start: DateTime<Utc>) -> Result<AppointmentView, EngineError>;
    pub async fn appointment_ics(&self, token: &str) -> Result<String, EngineError>;
    // webhooks.rs: NotificationOutcome::{Accepted, Ignored(&'static str)}
    pub async fn google_notification(&self, headers: &http::HeaderMap) -> Result<NotificationOutcome, EngineError>;
    // worker.rs
    pub async fn run_worker(&self, stop: CancellationToken);
    pub async fn run_due_jobs(&self) -> Result<usize, EngineError>;
    pub async fn run_periodic(&self) -> Result<(), EngineError>; // poll floor, channel renewal, sweeps
    // health.rs: Check { name: &'static str, ok: bool, detail: String }
    pub async fn ready(&self) -> Result<(), EngineError>;
    pub async fn provider_reachability(&self) -> Vec<Check>;
}
// mail: Mailer::from_url("smtp://user:password@host:587?tls=required", "Cupo <cupo@example.org>") -> Result<Mailer, MailSettingsError>
// EngineParts { store, clock, random: Arc<OsRandom>, keyring: Keyring::new(&[[u8;32]])?, session_secret: SessionSecret::new(bytes),
//   google: Option<Google { provider, oauth }>, mailer: Option<Mailer>, settings: EngineSettings::new(public_url) (fields pub) }
