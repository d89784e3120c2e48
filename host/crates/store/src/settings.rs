//! Small named values that belong to the database as a whole.

use sea_query::{Expr, ExprTrait, OnConflict, Query};
use sqlx::Row;

use crate::{
    StoreError,
    db::{Db, Tx},
};

/// The value of this name, if it was ever set.
pub(crate) async fn read(db: &Db, name: &'static str) -> Result<Option<String>, StoreError> {
    let query = Query::select().column("value").from("settings").and_where(Expr::col("name").eq(name)).take();
    Ok(db.row(&query).await?.map(|row| row.try_get("value")).transpose()?)
}

/// Sets a value unless there is one.
pub(crate) async fn write_first(tx: &mut Tx, name: &'static str, value: &str) -> Result<(), StoreError> {
    tx.execute(
        Query::insert()
            .into_table("settings")
            .columns(["name", "value"])
            .values_panic([name.into(), value.into()])
            .on_conflict(OnConflict::column("name").do_nothing().to_owned()),
    )
    .await?;
    Ok(())
}
