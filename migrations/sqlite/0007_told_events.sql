-- Events that a calendar has told of. `../postgres` says the same: a test compares the tables that come out.

-- Whether a round of the calendar has told of the event since it was written: 0 for one that may be gone without a word,
-- because nobody tells of the end of what was never told of.
alter table appointment_external_mapping add column is_told integer not null default 1 check (is_told in (0, 1));
