//! `log`: what is written, and how.

use tracing_subscriber::EnvFilter;

use super::reader::Reader;

/// The shape of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

/// How the process logs to its standard error.
#[derive(Debug, Clone)]
pub struct Log {
    pub format: LogFormat,
    /// Directives of `tracing`, such as `info` or `cupo_engine=debug,info`.
    pub level: String,
}

pub fn read(reader: &Reader) -> Option<Log> {
    let format = reader.or("log.format", LogFormat::Text, "give text or json", |text| match text {
        "text" => Some(LogFormat::Text),
        "json" => Some(LogFormat::Json),
        _ => None,
    });
    let right = "give error, warn, info, debug or trace, or directives such as cupo_engine=debug,info";
    let level = reader.or("log.level", "info".to_owned(), right, |text| {
        let plain = ["error", "warn", "info", "debug", "trace", "off"].contains(&text);
        (plain || (text.contains('=') && EnvFilter::try_new(text).is_ok())).then(|| text.to_owned())
    });
    Some(Log { format: format?, level: level? })
}
