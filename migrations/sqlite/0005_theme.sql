-- How an organization's widgets look: `cupo_core::theme::Theme` as JSON. `../postgres` says the same: a test compares the tables
-- that come out.
alter table organization add column theme text not null default '{}';
