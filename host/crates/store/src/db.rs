//! The connection to the database and the only file that knows which product it is: dialect, pragmas, kinds of transaction.

use std::{
    path::Path,
    str::FromStr,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use sea_query::SqliteQueryBuilder;
use sea_query_sqlx::SqlxBinder;
use sqlx::{
    Any, AnyConnection, AnyPool, AssertSqlSafe, ConnectOptions, Connection, Executor, IntoArguments, Row,
    any::{AnyArguments, AnyConnectOptions, AnyPoolOptions, AnyRow},
};

use crate::{StoreError, location};

/// Readers and the rare writer of the control surfaces; the hot path has a connection of its own.
const POOL_CONNECTIONS: u32 = 4;
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
const SWITCH_TIMEOUT: Duration = Duration::from_secs(10);

/// Whose SQL is spoken. PostgreSQL and MySQL become variants here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
}

impl Dialect {
    /// A statement in this dialect with its values.
    pub(crate) fn sql(self, statement: &impl SqlxBinder) -> Sql {
        let (text, values) = match self {
            Dialect::Sqlite => statement.build_sqlx(SqliteQueryBuilder),
        };
        Sql { text, values: values.into_arguments() }
    }

    /// A transaction that will write takes the write lock at once: one that read first cannot be given it later in SQLite.
    pub(crate) fn begin_write(self) -> &'static str {
        match self {
            Dialect::Sqlite => "BEGIN IMMEDIATE",
        }
    }

    /// What each new connection is told. The driver already sets foreign keys on and a busy timeout of five seconds.
    fn on_connect(self) -> &'static str {
        match self {
            Dialect::Sqlite => "PRAGMA synchronous = NORMAL",
        }
    }
}

/// A statement as text and the values of its placeholders.
pub(crate) struct Sql {
    text: String,
    values: AnyArguments,
}

impl Sql {
    /// The text alone, for a statement that is kept and run with other values.
    pub(crate) fn into_text(self) -> String {
        self.text
    }
}

/// The pool of connections.
pub(crate) struct Db {
    pool: AnyPool,
    options: AnyConnectOptions,
    pub(crate) dialect: Dialect,
}

impl Db {
    /// Connects to a SQLite file and puts it into write-ahead mode, in which readers and the writer do not wait for each other.
    pub(crate) async fn open(file: &Path) -> Result<Db, StoreError> {
        sqlx::any::install_default_drivers();
        let dialect = Dialect::Sqlite;
        // Statements are not logged: at thousands a second it costs, and nobody reads it.
        let options = AnyConnectOptions::from_str(&location::url_of(file)?)?.disable_statement_logging();
        let mut first = connect(&options, dialect).await.map_err(|error| cannot_open(file, &error))?;
        switch_to_wal(&mut first, file).await?;
        first.close().await?;
        let pool = AnyPoolOptions::new()
            .max_connections(POOL_CONNECTIONS)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .test_before_acquire(false)
            .after_connect(move |connection, _| {
                Box::pin(async move { connection.execute(dialect.on_connect()).await.map(drop) })
            })
            .connect_lazy_with(options.clone());
        Ok(Db { pool, options, dialect })
    }

    /// A connection outside the pool, for one that keeps it.
    pub(crate) async fn connect(&self) -> Result<AnyConnection, StoreError> {
        Ok(connect(&self.options, self.dialect).await?)
    }

    /// Begins a transaction that writes.
    pub(crate) async fn begin_write(&self) -> Result<Tx, StoreError> {
        Ok(Tx { inner: self.pool.begin_with(self.dialect.begin_write()).await?, dialect: self.dialect })
    }

    /// Begins a transaction that only reads.
    pub(crate) async fn begin_read(&self) -> Result<Tx, StoreError> {
        Ok(Tx { inner: self.pool.begin().await?, dialect: self.dialect })
    }

    /// Every row of a query.
    pub(crate) async fn rows(&self, query: &(impl SqlxBinder + Sync)) -> Result<Vec<AnyRow>, StoreError> {
        let Sql { text, values } = self.dialect.sql(query);
        Ok(sqlx::query_with(AssertSqlSafe(text), values).fetch_all(&self.pool).await?)
    }

    /// The first row of a query, if any.
    pub(crate) async fn row(&self, query: &(impl SqlxBinder + Sync)) -> Result<Option<AnyRow>, StoreError> {
        let Sql { text, values } = self.dialect.sql(query);
        Ok(sqlx::query_with(AssertSqlSafe(text), values).fetch_optional(&self.pool).await?)
    }

    /// Runs one statement by itself.
    pub(crate) async fn execute(&self, statement: &(impl SqlxBinder + Sync)) -> Result<u64, StoreError> {
        let Sql { text, values } = self.dialect.sql(statement);
        Ok(sqlx::query_with(AssertSqlSafe(text), values).execute(&self.pool).await?.rows_affected())
    }

    /// Whether `close` was called.
    pub(crate) fn is_closed(&self) -> bool {
        self.pool.is_closed()
    }

    /// Moves the write-ahead log into the database file and closes every connection of the pool.
    pub(crate) async fn close(&self) {
        match self.dialect {
            Dialect::Sqlite => {
                // Another process may be reading; then the log stays, which is no loss.
                let checkpoint = self.pool.execute("PRAGMA wal_checkpoint(TRUNCATE)").await;
                if let Err(error) = checkpoint
                    && !self.pool.is_closed()
                {
                    tracing::debug!(%error, "the write-ahead log was not moved into the database");
                }
            }
        }
        self.pool.close().await;
    }
}

/// A transaction; rolled back when it is dropped without `commit`.
pub(crate) struct Tx {
    inner: sqlx::Transaction<'static, Any>,
    dialect: Dialect,
}

impl Tx {
    pub(crate) async fn rows(&mut self, query: &(impl SqlxBinder + Sync)) -> Result<Vec<AnyRow>, StoreError> {
        let Sql { text, values } = self.dialect.sql(query);
        Ok(sqlx::query_with(AssertSqlSafe(text), values).fetch_all(&mut *self.inner).await?)
    }

    pub(crate) async fn row(&mut self, query: &(impl SqlxBinder + Sync)) -> Result<Option<AnyRow>, StoreError> {
        let Sql { text, values } = self.dialect.sql(query);
        Ok(sqlx::query_with(AssertSqlSafe(text), values).fetch_optional(&mut *self.inner).await?)
    }

    /// The number of rows that the statement touched.
    pub(crate) async fn execute(&mut self, statement: &(impl SqlxBinder + Sync)) -> Result<u64, StoreError> {
        let Sql { text, values } = self.dialect.sql(statement);
        Ok(sqlx::query_with(AssertSqlSafe(text), values).execute(&mut *self.inner).await?.rows_affected())
    }

    /// Runs a statement of the schema, which has no values.
    pub(crate) async fn execute_schema(&mut self, statement: &'static str) -> Result<(), StoreError> {
        self.inner.execute(statement).await?;
        Ok(())
    }

    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        Ok(self.inner.commit().await?)
    }
}

async fn connect(options: &AnyConnectOptions, dialect: Dialect) -> Result<AnyConnection, sqlx::Error> {
    let mut connection = options.connect().await?;
    connection.execute(dialect.on_connect()).await?;
    Ok(connection)
}

/// The switch needs the file for itself and does not heed the busy timeout: two processes that start together must take turns.
async fn switch_to_wal(connection: &mut AnyConnection, file: &Path) -> Result<(), StoreError> {
    let started = Instant::now();
    loop {
        let busy = match connection.fetch_one("PRAGMA journal_mode = WAL").await {
            Ok(row) => {
                let mode: String = row.try_get(0)?;
                if mode.eq_ignore_ascii_case("wal") {
                    return Ok(());
                }
                format!("journal mode stays `{mode}`; is it on a network drive?")
            }
            Err(error) if !is_busy(&error) => return Err(cannot_open(file, &error)),
            Err(error) => error.to_string(),
        };
        if started.elapsed() > SWITCH_TIMEOUT {
            return Err(StoreError::Unavailable(format!(
                "cannot switch the database {} to write-ahead logging: {busy}",
                file.display()
            )));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn cannot_open(file: &Path, error: &sqlx::Error) -> StoreError {
    // The driver says only that it could not; the system says why.
    if let Err(error) = std::fs::OpenOptions::new().read(true).write(true).open(file) {
        return location::unreachable(file, &error);
    }
    let file = file.display();
    match sqlite_code(error) {
        Some(26) => StoreError::Invalid(format!("{file} is not a SQLite database")),
        _ => StoreError::Unavailable(format!("cannot open the database {file}: {error}")),
    }
}

fn is_busy(error: &sqlx::Error) -> bool {
    // SQLITE_BUSY and SQLITE_LOCKED; the upper bits only say more.
    matches!(sqlite_code(error).map(|code| code & 0xff), Some(5 | 6))
}

fn sqlite_code(error: &sqlx::Error) -> Option<u32> {
    error.as_database_error()?.code()?.parse().ok()
}

/// Unix milliseconds.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
