//! What can go wrong with the database, in sentences that an operator can act on.

use domain::{Fault, FaultCode};

/// Why a store operation failed. The text is for operators; it never holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// What was named does not exist; the text lists what does.
    #[error("{0}")]
    NotFound(String),
    /// The name is taken, or means several things.
    #[error("{0}")]
    Conflict(String),
    /// A value that cannot be stored, or an option that is not supported.
    #[error("{0}")]
    Invalid(String),
    /// The master key is missing, malformed, or not the one that the database was made with.
    #[error("{0}")]
    MasterKey(String),
    /// The database cannot be reached or is busy; trying again may help.
    #[error("{0}")]
    Unavailable(String),
    /// A row holds what this program never writes.
    #[error("{0}")]
    Corrupt(String),
    /// The database was migrated by a newer program.
    #[error(
        "the database has schema version {found}, and this program knows versions up to {known}: a newer witgate has used it. \
         Run that version; a schema never goes backwards"
    )]
    Newer {
        /// Version of the database.
        found: i64,
        /// The highest version that this program knows.
        known: i64,
    },
}

impl StoreError {
    /// The fault that a client's request ends with when its accounts cannot be kept.
    pub(crate) fn into_ledger_fault(self) -> Fault {
        Fault::new(FaultCode::Unavailable, "The gateway cannot write its records now. Try again in a moment.")
            .with_detail(self.to_string())
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::ColumnDecode { index, source } => {
                StoreError::Corrupt(format!("the database holds an unreadable value in column {index}: {source}"))
            }
            sqlx::Error::PoolTimedOut => {
                StoreError::Unavailable("the database did not answer in time: every connection is busy".to_owned())
            }
            sqlx::Error::PoolClosed => {
                StoreError::Unavailable("the database is closed: the program is stopping".to_owned())
            }
            other => StoreError::Unavailable(format!("the database failed: {other}")),
        }
    }
}
