//! Reading rows of either database into records.

use chrono::{DateTime, Utc};
use cupo_core::interval::Interval;
use serde::de::DeserializeOwned;
use sqlx::Row;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;

use crate::StoreError;

/// What a row of a query is read into.
pub(crate) trait Record: Sized {
    /// Named in [`StoreError::Corrupt`].
    const TABLE: &'static str;

    fn decode(fields: &Fields<'_>) -> Result<Self, StoreError>;
}

/// A row of either database, in the three types that the tables use.
pub(crate) trait AnyRow {
    fn int(&self, column: &str) -> Result<Option<i64>, sqlx::Error>;
    fn text(&self, column: &str) -> Result<Option<String>, sqlx::Error>;
    fn blob(&self, column: &str) -> Result<Option<Vec<u8>>, sqlx::Error>;
}

macro_rules! any_row {
    ($($row:ty),*) => {$(
        impl AnyRow for $row {
            fn int(&self, column: &str) -> Result<Option<i64>, sqlx::Error> {
                self.try_get(column)
            }

            fn text(&self, column: &str) -> Result<Option<String>, sqlx::Error> {
                self.try_get(column)
            }

            fn blob(&self, column: &str) -> Result<Option<Vec<u8>>, sqlx::Error> {
                self.try_get(column)
            }
        }
    )*};
}

any_row!(SqliteRow, PgRow);

/// The columns of one row, read by name.
pub(crate) struct Fields<'r> {
    row: &'r dyn AnyRow,
    table: &'static str,
}

type Column = &'static str;

impl<'r> Fields<'r> {
    pub fn of<T: Record>(row: &'r dyn AnyRow) -> Self {
        Self { row, table: T::TABLE }
    }

    pub fn optional_int(&self, column: Column) -> Result<Option<i64>, StoreError> {
        self.row.int(column).map_err(|error| self.unreadable(column, error))
    }

    pub fn optional_text(&self, column: Column) -> Result<Option<String>, StoreError> {
        self.row.text(column).map_err(|error| self.unreadable(column, error))
    }

    pub fn optional_blob(&self, column: Column) -> Result<Option<Vec<u8>>, StoreError> {
        self.row.blob(column).map_err(|error| self.unreadable(column, error))
    }

    pub fn int(&self, column: Column) -> Result<i64, StoreError> {
        self.present(column, self.optional_int(column)?)
    }

    pub fn text(&self, column: Column) -> Result<String, StoreError> {
        self.present(column, self.optional_text(column)?)
    }

    pub fn blob(&self, column: Column) -> Result<Vec<u8>, StoreError> {
        self.present(column, self.optional_blob(column)?)
    }

    /// An integer of a narrower type.
    pub fn number<T: TryFrom<i64>>(&self, column: Column) -> Result<T, StoreError> {
        self.present(column, T::try_from(self.int(column)?).ok())
    }

    pub fn flag(&self, column: Column) -> Result<bool, StoreError> {
        match self.int(column)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(self.corrupt(column)),
        }
    }

    pub fn instant(&self, column: Column) -> Result<DateTime<Utc>, StoreError> {
        self.present(column, DateTime::from_timestamp_micros(self.int(column)?))
    }

    pub fn optional_instant(&self, column: Column) -> Result<Option<DateTime<Utc>>, StoreError> {
        self.optional_int(column)?
            .map(|micros| self.present(column, DateTime::from_timestamp_micros(micros)))
            .transpose()
    }

    pub fn interval(&self, start: Column, end: Column) -> Result<Interval, StoreError> {
        self.present(end, Interval::new(self.instant(start)?, self.instant(end)?))
    }

    pub fn json<T: DeserializeOwned>(&self, column: Column) -> Result<T, StoreError> {
        self.present(column, serde_json::from_str(&self.text(column)?).ok())
    }

    /// A text that core parses.
    pub fn parse<T, E>(&self, column: Column, parse: impl Fn(&str) -> Result<T, E>) -> Result<T, StoreError> {
        self.present(column, parse(&self.text(column)?).ok())
    }

    pub fn optional_parse<T, E>(
        &self,
        column: Column,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Result<Option<T>, StoreError> {
        self.optional_text(column)?.map(|text| self.present(column, parse(&text).ok())).transpose()
    }

    /// A text out of a fixed set.
    pub fn choice<T>(&self, column: Column, parse: impl Fn(&str) -> Option<T>) -> Result<T, StoreError> {
        self.present(column, parse(&self.text(column)?))
    }

    /// The value, or the error that blames the column for its absence.
    pub fn present<T>(&self, column: Column, value: Option<T>) -> Result<T, StoreError> {
        value.ok_or_else(|| self.corrupt(column))
    }

    fn corrupt(&self, column: Column) -> StoreError {
        StoreError::Corrupt { table: self.table, column }
    }

    /// A column that the query forgot is a defect of the query; anything else is a defect of the data.
    fn unreadable(&self, column: Column, error: sqlx::Error) -> StoreError {
        match error {
            sqlx::Error::ColumnDecode { .. } => self.corrupt(column),
            other => StoreError::from(other),
        }
    }
}

/// A text column with a fixed set of values.
macro_rules! text_enum {
    ($(#[$docs:meta])* pub enum $name:ident { $($(#[$variant_docs:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$docs])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_docs])* $variant),+
        }

        impl $name {
            /// The text that is stored.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text),+
                }
            }

            /// Reads what [`Self::as_str`] wrote.
            pub fn parse(text: &str) -> Option<Self> {
                match text {
                    $($text => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
    };
}
pub(crate) use text_enum;

/// `Debug` that shows the named fields only: what a record holds of secrets and of visitors stays out of logs.
macro_rules! shown_in_debug {
    ($record:ident { $($field:ident),+ $(,)? }) => {
        impl std::fmt::Debug for $record {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($record))$(.field(stringify!($field), &self.$field))+.finish_non_exhaustive()
            }
        }
    };
}
pub(crate) use shown_in_debug;
