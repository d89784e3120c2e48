//! Numbers that only grow: ids of channels and keys, and the revision that tells every process to read its snapshot again.
//!
//! Rows of a table rather than each product's own sequences: the same on every database, and an id is never given twice.

use sea_query::{Expr, ExprTrait, Query};
use sqlx::Row;

use crate::{
    StoreError,
    db::{Db, Tx},
};

/// The row that every change of channels or keys bumps, in the same transaction.
pub(crate) const REVISION: &str = "revision";
pub(crate) const CHANNEL_ID: &str = "channel";
pub(crate) const API_KEY_ID: &str = "api-key";

/// Adds one and returns the new value. The row stays locked until the transaction ends, so others wait and get the next.
pub(crate) async fn bump(tx: &mut Tx, counter: &'static str) -> Result<i64, StoreError> {
    tx.execute(
        Query::update()
            .table("counters")
            .value("value", Expr::col("value").add(1))
            .and_where(Expr::col("name").eq(counter)),
    )
    .await?;
    read_in(tx, counter).await
}

/// The value, as this transaction sees it.
pub(crate) async fn read_in(tx: &mut Tx, counter: &'static str) -> Result<i64, StoreError> {
    value_of(tx.row(&query(counter)).await?.as_ref(), counter)
}

/// The value now.
pub(crate) async fn read(db: &Db, counter: &'static str) -> Result<i64, StoreError> {
    value_of(db.row(&query(counter)).await?.as_ref(), counter)
}

fn query(counter: &'static str) -> sea_query::SelectStatement {
    Query::select().column("value").from("counters").and_where(Expr::col("name").eq(counter)).take()
}

fn value_of(row: Option<&sqlx::any::AnyRow>, counter: &str) -> Result<i64, StoreError> {
    let row = row.ok_or_else(|| StoreError::Corrupt(format!("the database has no counter `{counter}`")))?;
    Ok(row.try_get("value")?)
}
