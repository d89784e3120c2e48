//! Everything that is kept: channels, API keys, usage records, what the server tells the command line. The only room that knows sqlx.
//!
//! SQLite now; every statement goes through sea-query and every column has a type that PostgreSQL and MySQL share, so that those are an
//! addition in `db.rs`. Several processes may have the same database open: the server and any number of commands.

mod api_keys;
mod channels;
mod counters;
mod db;
mod error;
mod location;
mod master_key;
mod migrations;
mod names;
mod parked;
mod plugin_states;
mod seal;
mod settings;
mod snapshot;
mod stored;
mod usage_records;
mod writer;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock, atomic::AtomicBool},
};

use auth::KeyHasher;
use domain::Secret;
use quota::Ledger;

pub use api_keys::check_import;
pub use channels::NewChannel;
pub use error::StoreError;
pub use plugin_states::PluginState;
pub use snapshot::{WATCH_INTERVAL, Watched};

use crate::{db::Db, master_key::MasterKey, seal::Sealer, writer::Writer};

const KEY_FILE: &str = "master.key";
/// A known text sealed when the database was made: it tells a wrong master key before anything else is touched.
const KEY_CHECK: &str = "master-key-check";
const KEY_CHECK_PLACE: &str = "settings/master-key-check/value";
const KEY_CHECK_TEXT: &str = "witgate";

/// How to open a store.
#[derive(Clone, Debug)]
pub struct OpenOptions {
    /// `sqlite:PATH`; `None` is `witgate.db` in the data directory.
    pub url: Option<String>,
    /// Where the database and the master key are unless told otherwise. Made, with mode 0700, when it is needed and absent.
    pub data_dir: PathBuf,
    /// 64 hexadecimal digits; `None` is the file `master.key` in the data directory, made when database and file are new.
    pub master_key: Option<Secret>,
    /// Whether a database that does not exist is made; else it is an error.
    pub create: bool,
}

/// The store. A handle; clones share connections and the writer.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    db: Arc<Db>,
    sealer: Sealer,
    hasher: KeyHasher,
    /// Started by the first ledger, so that commands do without.
    writer: OnceLock<Writer>,
    /// Whether this handle has said that a server is alive.
    beats: AtomicBool,
}

impl Store {
    /// Opens the database, brings its schema up to date and checks the master key against it.
    ///
    /// # Errors
    /// `NotFound` when there is none and `create` is false, `Newer` when a newer program has used it, `MasterKey` when the key is
    /// missing or another one, `Invalid` when the URL is not supported, `Unavailable` when it cannot be opened.
    pub async fn open(options: OpenOptions) -> Result<Store, StoreError> {
        let file = location::locate(options.url.as_deref(), &options.data_dir)?;
        let key_file = options.data_dir.join(KEY_FILE);
        let given = options.master_key.as_ref();
        let given = given.map(|key| MasterKey::parse(key.expose(), "the configuration")).transpose()?;
        location::prepare(&file, options.create)?;
        let db = Db::open(&file).await?;
        migrations::migrate(&db).await?;
        let key = unlock(&db, given, &key_file).await?;
        let inner = Inner {
            db: Arc::new(db),
            sealer: Sealer::new(&key),
            hasher: KeyHasher::new(&key.derive("key-hash")),
            writer: OnceLock::new(),
            beats: AtomicBool::new(false),
        };
        Ok(Store { inner: Arc::new(inner) })
    }

    /// Hashes API keys the way the snapshot's map has them.
    pub fn key_hasher(&self) -> KeyHasher {
        self.inner.hasher.clone()
    }

    /// The ledger of this database. Must be called inside a tokio runtime: the first call starts the writer.
    pub fn ledger(&self) -> Arc<dyn Ledger> {
        self.inner.writer.get_or_init(|| Writer::start(Arc::clone(&self.inner.db))).ledger()
    }

    /// Writes what is queued, takes the sign of life back and closes every connection. Settlements that come later are refused.
    pub async fn close(&self) {
        if let Some(writer) = self.inner.writer.get() {
            writer.stop().await;
        }
        if let Err(error) = self.clear_heartbeat().await {
            tracing::debug!(%error, "the sign of life stays until it is too old");
        }
        self.inner.db.close().await;
    }

    fn db(&self) -> &Db {
        &self.inner.db
    }

    fn sealer(&self) -> &Sealer {
        &self.inner.sealer
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Store")
    }
}

/// The key that opens this database. A new database takes the key that is there, or a new one; an old one takes only its own.
async fn unlock(db: &Db, given: Option<MasterKey>, key_file: &Path) -> Result<MasterKey, StoreError> {
    // In this order: whoever sealed the check value has made the key file before.
    let sealed = settings::read(db, KEY_CHECK).await?;
    let key = match given {
        Some(given) => Some(given),
        None => MasterKey::read(key_file)?,
    };
    let key = match (key, &sealed) {
        (Some(key), _) => key,
        (None, None) => MasterKey::create(key_file)?,
        (None, Some(_)) => {
            return Err(StoreError::MasterKey(format!(
                "the master key file {} is missing, and this database was sealed with it: put it back, or give the key in the \
                 configuration",
                key_file.display()
            )));
        }
    };
    let sealer = Sealer::new(&key);
    let sealed = match sealed {
        Some(sealed) => sealed,
        None => {
            let mut tx = db.begin_write().await?;
            let fresh = sealer.seal(KEY_CHECK_PLACE, &Secret::new(KEY_CHECK_TEXT))?;
            settings::write_first(&mut tx, KEY_CHECK, &fresh).await?;
            tx.commit().await?;
            // Another process may have been first, with another key.
            settings::read(db, KEY_CHECK).await?.unwrap_or(fresh)
        }
    };
    sealer.open(KEY_CHECK_PLACE, &sealed)?;
    Ok(key)
}
