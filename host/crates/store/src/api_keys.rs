//! API keys in the database: only their keyed hash is stored, so a lost key cannot be shown again, only replaced.

use auth::{display_prefix, generate_key};
use domain::{ApiKey, ApiKeyId, KeyStatus, Secret};
use sea_query::{Expr, ExprTrait, Order, Query, Value};
use sqlx::{Row, any::AnyRow};

use crate::{
    Store, StoreError,
    counters::{API_KEY_ID, REVISION, bump},
    db::{Tx, now_ms},
    names::{check_name, not_found},
    stored::json,
};

const COLUMNS: [&str; 9] =
    ["id", "name", "active_name", "prefix", "key_hash", "status", "group_name", "models", "created_ms"];
const ACTIVE: i16 = 1;
const REVOKED: i16 = 2;
const SHORTEST_IMPORT: usize = 8;

impl Store {
    /// Makes a key. The secret is returned this once; nobody can read it again.
    ///
    /// # Errors
    /// `Conflict` when an active key has this name, `Invalid` when the name or group cannot be stored.
    pub async fn create_api_key(
        &self,
        name: &str,
        group: &str,
        models: Option<Vec<String>>,
    ) -> Result<(ApiKey, Secret), StoreError> {
        check_name("API key", name)?;
        check_name("group", group)?;
        if name.chars().all(|char| char.is_ascii_digit()) {
            return Err(StoreError::Invalid(format!(
                "`{name}`: an API key name of digits only would be taken for an id"
            )));
        }
        let secret = generate_key().map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let mut tx = self.db().begin_write().await?;
        if let Some(id) = active_of_name(&mut tx, name).await? {
            return Err(StoreError::Conflict(format!(
                "there is an active API key named `{name}` already (id {id}); choose another name or revoke that one"
            )));
        }
        let api_key = insert(&mut tx, &self.hash_text(secret.expose()), secret.expose(), name, group, models).await?;
        tx.commit().await?;
        Ok((api_key, secret))
    }

    /// Makes sure that a key which was chosen elsewhere (an environment variable) exists. A key that is known already is returned as it
    /// is, also when it was revoked: an old configuration does not undo a revocation. When an active key has the name, a number is added.
    ///
    /// # Errors
    /// `Invalid` when the key is shorter than 8 characters or contains white space, or the name or group cannot be stored.
    pub async fn import_api_key(&self, name: &str, key: &str, group: &str) -> Result<ApiKey, StoreError> {
        check_name("API key", name)?;
        check_name("group", group)?;
        let key = key.trim();
        check_import(name, key)?;
        let hash = self.hash_text(key);
        let mut tx = self.db().begin_write().await?;
        let known =
            Query::select().columns(COLUMNS).from("api_keys").and_where(Expr::col("key_hash").eq(hash.as_str())).take();
        if let Some(row) = tx.row(&known).await? {
            return Ok(read_row(&row)?.1);
        }
        let mut free = name.to_owned();
        let mut number = 2;
        while active_of_name(&mut tx, &free).await?.is_some() {
            free = format!("{name}-{number}");
            number += 1;
        }
        check_name("API key", &free)?;
        let api_key = insert(&mut tx, &hash, key, &free, group, None).await?;
        tx.commit().await?;
        Ok(api_key)
    }

    /// Every key, revoked ones included, ordered by id.
    ///
    /// # Errors
    /// `Corrupt` when a row is damaged; `Unavailable`.
    pub async fn api_keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        self.db().rows(&all()).await?.iter().map(|row| Ok(read_row(row)?.1)).collect()
    }

    /// Revokes a key for ever: the active one of this name, else the one of this id, prefix or whole key (for a leaked one). Revoking
    /// a revoked key changes nothing.
    ///
    /// # Errors
    /// `NotFound`, which lists the first names that exist; `Conflict` when several active keys have the prefix.
    pub async fn revoke_api_key(&self, name_or_id_or_prefix: &str) -> Result<ApiKey, StoreError> {
        let wanted = name_or_id_or_prefix.trim();
        let mut tx = self.db().begin_write().await?;
        let keys = tx.rows(&all()).await?.iter().map(read_row).collect::<Result<Vec<_>, _>>()?;
        let mut api_key = choose(&keys, wanted, self.key_hasher().hash(wanted))?.clone();
        if api_key.status == KeyStatus::Revoked {
            return Ok(api_key);
        }
        let update = Query::update()
            .table("api_keys")
            .value("status", REVOKED)
            .value("active_name", Value::String(None))
            .and_where(Expr::col("id").eq(api_key.id.0))
            .take();
        tx.execute(&update).await?;
        bump(&mut tx, REVISION).await?;
        tx.commit().await?;
        api_key.status = KeyStatus::Revoked;
        Ok(api_key)
    }

    fn hash_text(&self, key: &str) -> String {
        hex::encode(self.key_hasher().hash(key))
    }
}

/// Says whether a key that was chosen elsewhere can be imported under this name.
///
/// # Errors
/// `Invalid` when the key is shorter than 8 characters or contains white space.
pub fn check_import(name: &str, key: &str) -> Result<(), StoreError> {
    let key = key.trim();
    if key.chars().count() < SHORTEST_IMPORT || key.chars().any(|char| char.is_whitespace() || char.is_control()) {
        return Err(StoreError::Invalid(format!(
            "the API key for `{name}` must have at least {SHORTEST_IMPORT} characters and no white space"
        )));
    }
    Ok(())
}

/// The query that `read_row` reads.
pub(crate) fn all() -> sea_query::SelectStatement {
    Query::select().columns(COLUMNS).from("api_keys").order_by("id", Order::Asc).take()
}

/// A key and its keyed hash from its row.
pub(crate) fn read_row(row: &AnyRow) -> Result<([u8; 32], ApiKey), StoreError> {
    let id = ApiKeyId(row.try_get("id")?);
    let corrupt = |what: &str| StoreError::Corrupt(format!("API key {id} has an unreadable {what} in the database"));
    let mut hash = [0u8; 32];
    hex::decode_to_slice(row.try_get::<String, _>("key_hash")?, &mut hash).map_err(|_| corrupt("hash"))?;
    let models = row
        .try_get::<Option<String>, _>("models")?
        .map(|text| serde_json::from_str(&text).map_err(|_| corrupt("list of models")))
        .transpose()?;
    let status = match row.try_get::<i16, _>("status")? {
        ACTIVE => KeyStatus::Active,
        REVOKED => KeyStatus::Revoked,
        _ => return Err(corrupt("status")),
    };
    let api_key = ApiKey {
        id,
        name: row.try_get("name")?,
        prefix: row.try_get("prefix")?,
        status,
        group: row.try_get("group_name")?,
        models,
        created_ms: row.try_get("created_ms")?,
    };
    Ok((hash, api_key))
}

fn choose<'a>(keys: &'a [([u8; 32], ApiKey)], wanted: &str, hash: [u8; 32]) -> Result<&'a ApiKey, StoreError> {
    let active = |key: &&ApiKey| key.status == KeyStatus::Active;
    let all = || keys.iter().map(|(_, key)| key);
    let exact = all()
        .filter(active)
        .find(|key| key.name == wanted)
        .or_else(|| all().find(|key| key.id.to_string() == wanted))
        .or_else(|| keys.iter().find(|(known, _)| *known == hash).map(|(_, key)| key));
    if let Some(key) = exact {
        return Ok(key);
    }
    let mut of_prefix = all().filter(active).filter(|key| key.prefix == wanted && !wanted.is_empty());
    match (of_prefix.next(), of_prefix.next()) {
        (Some(key), None) => return Ok(key),
        (Some(first), Some(second)) => {
            return Err(StoreError::Conflict(format!(
                "several API keys start with `{wanted}`: `{}` (id {}), `{}` (id {}); give the name or id",
                first.name, first.id, second.name, second.id
            )));
        }
        (None, _) => {}
    }
    let begins = wanted == "sk-" || all().any(|key| key.prefix.len() > wanted.len() && key.prefix.starts_with(wanted));
    if begins && wanted.starts_with("sk-") {
        return Err(StoreError::Invalid(format!(
            "`{wanted}` is only the beginning of a key; give its name, its id, or the whole prefix that `witgate key list` shows"
        )));
    }
    // Nothing active: a name that was revoked is no mistake, and saying so again is harmless.
    all().rev().find(|key| key.name == wanted).ok_or_else(|| {
        let shown = if wanted.starts_with("sk-") { display_prefix(wanted) } else { wanted.to_owned() };
        StoreError::NotFound(not_found("API key", &shown, all().filter(active).map(|key| &key.name)))
    })
}

async fn active_of_name(tx: &mut Tx, name: &str) -> Result<Option<i64>, StoreError> {
    let query = Query::select().column("id").from("api_keys").and_where(Expr::col("active_name").eq(name)).take();
    Ok(tx.row(&query).await?.map(|row| row.try_get("id")).transpose()?)
}

async fn insert(
    tx: &mut Tx,
    hash: &str,
    key: &str,
    name: &str,
    group: &str,
    models: Option<Vec<String>>,
) -> Result<ApiKey, StoreError> {
    let api_key = ApiKey {
        id: ApiKeyId(bump(tx, API_KEY_ID).await?),
        name: name.to_owned(),
        prefix: display_prefix(key),
        status: KeyStatus::Active,
        group: group.to_owned(),
        models,
        created_ms: now_ms(),
    };
    let values: [Value; 9] = [
        api_key.id.0.into(),
        name.into(),
        name.into(),
        api_key.prefix.as_str().into(),
        hash.into(),
        ACTIVE.into(),
        group.into(),
        api_key.models.as_ref().map(json).transpose()?.into(),
        api_key.created_ms.into(),
    ];
    let insert = Query::insert().into_table("api_keys").columns(COLUMNS).values_panic(values.map(Expr::val)).take();
    tx.execute(&insert).await?;
    bump(tx, REVISION).await?;
    Ok(api_key)
}
