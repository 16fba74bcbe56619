-- Where visitors came from. `../postgres` says the same: a test compares the tables that come out.

-- The UTM parameters of the address on which the visitor came, as an object of texts.
alter table appointment add column tracking text not null default '{}';
