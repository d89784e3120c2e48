//! Logs: one subscriber, set up once. Prompts, keys and query strings never reach it; see `docs/logging.md`.

use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// One line for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What is logged, how and where.
#[derive(Clone, Debug)]
pub struct LogOptions {
    /// Line format.
    pub format: LogFormat,
    /// A filter such as `info` or `info,exchange=debug`.
    pub level: String,
    /// A file that lines are appended to; standard error when there is none.
    pub file: Option<std::path::PathBuf>,
}

/// Why logging could not be set up.
#[derive(Debug)]
pub struct LogError(pub String);

impl std::fmt::Display for LogError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for LogError {}

/// Sets the process-wide subscriber up. A second call is an error.
pub fn init(options: &LogOptions) -> Result<(), LogError> {
    let filter = EnvFilter::try_new(&options.level)
        .map_err(|error| LogError(format!("log level `{}` is not a filter: {error}", options.level)))?;
    match &options.file {
        None => install(options.format, filter, std::io::stderr),
        Some(path) => {
            let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
            let file = file.map_err(|error| LogError(format!("cannot open log file {}: {error}", path.display())))?;
            install(options.format, filter, std::sync::Mutex::new(file))
        }
    }
}

fn install<W>(format: LogFormat, filter: EnvFilter, writer: W) -> Result<(), LogError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).with_ansi(false);
    let done = match format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    done.map_err(|error| LogError(format!("logging is already set up: {error}")))
}
