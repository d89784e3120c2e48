//! What the server tells the command line through the database: that it is alive, where it listens, and how its plugins are.

use std::sync::atomic::Ordering;

use sea_query::{Expr, ExprTrait, OnConflict, Order, Query, Value};
use sqlx::Row;

use crate::{Store, StoreError, db::now_ms, stored::json};

const COLUMNS: [&str; 9] =
    ["ordinal", "file_name", "providers", "version", "digest", "models", "state", "reason", "changed_ms"];
/// A server that has not written for this long is taken for dead, milliseconds.
const ALIVE_FOR_MS: i64 = 10_000;

/// One plugin file as the server sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginState {
    /// File name in the plugins directory.
    pub file: String,
    /// Ids of the providers it offers.
    pub providers: Vec<String>,
    /// The adapter's version.
    pub version: String,
    /// SHA-256 of the file, hex.
    pub digest: String,
    /// How many models its catalog lists.
    pub models: u32,
    /// `serving`, `refused`, `serving-last-good` or `loading`.
    pub state: String,
    /// Why it is not serving; empty when it is.
    pub reason: String,
    /// When it came into this state, Unix milliseconds.
    pub changed_ms: i64,
}

impl Store {
    /// Replaces the whole list.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn publish_plugins(&self, states: &[PluginState]) -> Result<(), StoreError> {
        let mut tx = self.db().begin_write().await?;
        tx.execute(&Query::delete().from_table("plugin_states").take()).await?;
        for (ordinal, state) in (0i64..).zip(states) {
            let values: [Value; 9] = [
                ordinal.into(),
                state.file.as_str().into(),
                json(&state.providers)?.into(),
                state.version.as_str().into(),
                state.digest.as_str().into(),
                i64::from(state.models).into(),
                state.state.as_str().into(),
                state.reason.as_str().into(),
                state.changed_ms.into(),
            ];
            let insert =
                Query::insert().into_table("plugin_states").columns(COLUMNS).values_panic(values.map(Expr::val)).take();
            tx.execute(&insert).await?;
        }
        tx.commit().await
    }

    /// The list as it was last published, in that order. Whether a server stands behind it says [`Store::server_alive`].
    ///
    /// # Errors
    /// `Corrupt` when a row is damaged; `Unavailable`.
    pub async fn plugin_states(&self) -> Result<Vec<PluginState>, StoreError> {
        let query = Query::select().columns(COLUMNS).from("plugin_states").order_by("ordinal", Order::Asc).take();
        let read = |row: &sqlx::any::AnyRow| {
            let file: String = row.try_get("file_name")?;
            let corrupt = |what: &str| StoreError::Corrupt(format!("plugin state `{file}` has an unreadable {what}"));
            Ok(PluginState {
                providers: serde_json::from_str(&row.try_get::<String, _>("providers")?)
                    .map_err(|_| corrupt("list of providers"))?,
                version: row.try_get("version")?,
                digest: row.try_get("digest")?,
                models: u32::try_from(row.try_get::<i64, _>("models")?).map_err(|_| corrupt("number of models"))?,
                state: row.try_get("state")?,
                reason: row.try_get("reason")?,
                changed_ms: row.try_get("changed_ms")?,
                file,
            })
        };
        self.db().rows(&query).await?.iter().map(read).collect()
    }

    /// Says that a server listens at this address now. To be called every few seconds; [`Store::close`] takes it back.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn heartbeat(&self, listen: &str) -> Result<(), StoreError> {
        let upsert = Query::insert()
            .into_table("server_beats")
            .columns(["id", "listen", "beat_ms"])
            .values_panic([1.into(), listen.into(), now_ms().into()])
            .on_conflict(OnConflict::column("id").update_columns(["listen", "beat_ms"]).to_owned())
            .take();
        self.db().execute(&upsert).await?;
        self.inner.beats.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Where a server that works on this database listens; `None` when none has given a sign of life for ten seconds.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn server_alive(&self) -> Result<Option<String>, StoreError> {
        let query = Query::select()
            .column("listen")
            .from("server_beats")
            .and_where(Expr::col("id").eq(1))
            .and_where(Expr::col("beat_ms").gt(now_ms() - ALIVE_FOR_MS))
            .take();
        Ok(self.db().row(&query).await?.map(|row| row.try_get("listen")).transpose()?)
    }

    /// Takes the sign of life back, if this handle gave one.
    pub(crate) async fn clear_heartbeat(&self) -> Result<(), StoreError> {
        if self.inner.beats.swap(false, Ordering::Relaxed) {
            self.db().execute(&Query::delete().from_table("server_beats").take()).await?;
        }
        Ok(())
    }
}
