-- Events that no calendar has told of yet. `../sqlite` says the same: a test compares the tables that come out.

-- When the event was written, as long as no round of the calendar has told of it since: it may be gone without a word, because
-- nobody tells of the end of what was never told of. Null where one has.
alter table appointment_external_mapping add column untold_since bigint;
