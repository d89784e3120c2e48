//! The schema, as numbered steps that only go forward. Each step is one transaction; two processes may start at once.
//!
//! Rules for a step: the column types SMALLINT, INT, BIGINT, DOUBLE, VARCHAR(n) and TEXT only, so that one text serves every database;
//! VARCHAR where there is an index; no words that a database reserves; and the previous release must go on working with the new schema.

use sea_query::{Expr, ExprTrait, OnConflict, Query};
use sqlx::Row;

use crate::{
    StoreError,
    db::{Db, Tx},
};

const VERSION_TABLE: &str =
    "CREATE TABLE IF NOT EXISTS schema_version (id SMALLINT NOT NULL PRIMARY KEY, version INT NOT NULL)";

/// Step n brings the schema from version n to n + 1. A released step is never edited.
const STEPS: &[&[&str]] = &[FIRST, PARKED_EXCHANGES, PARKED_OF_A_KEY];

const FIRST: &[&str] = &[
    "CREATE TABLE counters (name VARCHAR(40) NOT NULL PRIMARY KEY, value BIGINT NOT NULL)",
    "INSERT INTO counters (name, value) VALUES ('revision', 1), ('channel', 0), ('api-key', 0)",
    "CREATE TABLE settings (name VARCHAR(64) NOT NULL PRIMARY KEY, value TEXT NOT NULL)",
    "CREATE TABLE channels (
        id BIGINT NOT NULL PRIMARY KEY,
        name VARCHAR(100) NOT NULL UNIQUE,
        provider VARCHAR(40) NOT NULL,
        base_url TEXT,
        models TEXT NOT NULL,
        group_names TEXT NOT NULL,
        priority BIGINT NOT NULL,
        weight BIGINT NOT NULL,
        status SMALLINT NOT NULL,
        settings TEXT NOT NULL,
        secrets TEXT NOT NULL,
        approval TEXT NOT NULL
    )",
    // `active_name` is the name while the key is active, else NULL: unique among active keys, free again after a revocation.
    "CREATE TABLE api_keys (
        id BIGINT NOT NULL PRIMARY KEY,
        name VARCHAR(100) NOT NULL,
        active_name VARCHAR(100) UNIQUE,
        prefix VARCHAR(16) NOT NULL,
        key_hash VARCHAR(64) NOT NULL UNIQUE,
        status SMALLINT NOT NULL,
        group_name VARCHAR(100) NOT NULL,
        models TEXT,
        created_ms BIGINT NOT NULL
    )",
    "CREATE TABLE plugin_states (
        ordinal INT NOT NULL PRIMARY KEY,
        file_name TEXT NOT NULL,
        providers TEXT NOT NULL,
        version TEXT NOT NULL,
        digest TEXT NOT NULL,
        models BIGINT NOT NULL,
        state VARCHAR(40) NOT NULL,
        reason TEXT NOT NULL,
        changed_ms BIGINT NOT NULL
    )",
    "CREATE TABLE server_beats (id SMALLINT NOT NULL PRIMARY KEY, listen TEXT NOT NULL, beat_ms BIGINT NOT NULL)",
    // Ids are UUIDv7, so rows are appended in order of time and newest first needs no further index.
    "CREATE TABLE usage_records (
        id VARCHAR(32) NOT NULL PRIMARY KEY,
        request TEXT NOT NULL,
        api_key_id BIGINT NOT NULL,
        operation VARCHAR(40) NOT NULL,
        model TEXT NOT NULL,
        upstream_model TEXT NOT NULL,
        provider TEXT NOT NULL,
        channel_id BIGINT,
        plugin_version TEXT NOT NULL,
        plugin_digest TEXT NOT NULL,
        streaming SMALLINT NOT NULL,
        estimated SMALLINT NOT NULL,
        input_tokens BIGINT NOT NULL,
        cached_read_tokens BIGINT NOT NULL,
        cache_write_5m_tokens BIGINT NOT NULL,
        cache_write_1h_tokens BIGINT NOT NULL,
        output_tokens BIGINT NOT NULL,
        reasoning_tokens BIGINT NOT NULL,
        audio_in_tokens BIGINT NOT NULL,
        audio_out_tokens BIGINT NOT NULL,
        images BIGINT NOT NULL,
        seconds BIGINT NOT NULL,
        characters BIGINT NOT NULL,
        fault VARCHAR(40) NOT NULL,
        attempts TEXT NOT NULL,
        losses TEXT NOT NULL,
        started_ms BIGINT NOT NULL,
        first_token_ms BIGINT,
        total_ms BIGINT NOT NULL
    )",
];

const PARKED_EXCHANGES: &[&str] = &[
    "CREATE TABLE parked_exchanges (
        request VARCHAR(64) NOT NULL PRIMARY KEY,
        api_key_id BIGINT NOT NULL,
        channel_id BIGINT NOT NULL,
        operation VARCHAR(40) NOT NULL,
        upstream_model TEXT NOT NULL,
        sealed_request TEXT NOT NULL,
        sealed_state TEXT NOT NULL,
        arrived_ms BIGINT NOT NULL,
        due_ms BIGINT NOT NULL,
        outcome VARCHAR(40) NOT NULL,
        sealed_outcome TEXT,
        ended_ms BIGINT
    )",
    // For the deletion of old answers, which must not read the large rows of the others.
    "CREATE INDEX parked_exchanges_ended ON parked_exchanges (ended_ms)",
];

const PARKED_OF_A_KEY: &[&str] = &[
    // For the count of what a key has under way, which must not read the large rows either.
    "CREATE INDEX parked_exchanges_of_a_key ON parked_exchanges (api_key_id, outcome)",
];

/// Brings the schema up to this program's version; refuses one that is ahead of it.
pub(crate) async fn migrate(db: &Db) -> Result<(), StoreError> {
    let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    // The common start: nothing to do, found out without the write lock. An error here is a database without the table.
    if let Ok(Some(row)) = db.row(&version_query()).await
        && check(row.try_get("version")?, known)? == known
    {
        return Ok(());
    }
    loop {
        let mut tx = db.begin_write().await?;
        tx.execute_schema(VERSION_TABLE).await?;
        // Read again under the lock: another process may have gone ahead meanwhile.
        let found = match tx.row(&version_query()).await? {
            Some(row) => check(row.try_get("version")?, known)?,
            None => 0,
        };
        let Some(step) = usize::try_from(found).ok().and_then(|found| STEPS.get(found)) else {
            return Ok(());
        };
        for statement in *step {
            tx.execute_schema(statement).await?;
        }
        write_version(&mut tx, found + 1).await?;
        tx.commit().await?;
        tracing::info!(version = found + 1, "the database schema was migrated");
    }
}

fn check(found: i64, known: i64) -> Result<i64, StoreError> {
    if found > known { Err(StoreError::Newer { found, known }) } else { Ok(found) }
}

fn version_query() -> sea_query::SelectStatement {
    Query::select().column("version").from("schema_version").and_where(Expr::col("id").eq(1)).take()
}

async fn write_version(tx: &mut Tx, version: i64) -> Result<(), StoreError> {
    tx.execute(
        Query::insert()
            .into_table("schema_version")
            .columns(["id", "version"])
            .values_panic([1.into(), version.into()])
            .on_conflict(OnConflict::column("id").update_column("version").to_owned()),
    )
    .await?;
    Ok(())
}
