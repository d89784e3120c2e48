//! Usage records as rows: written in batches by the writer, read newest first.

use domain::{ApiKeyId, ChannelId, RequestId, TokenClass, Usage, UsageRecord};
use sea_query::{Expr, OnConflict, Order, Query, Value};
use sqlx::{
    Arguments, Row,
    any::{AnyArguments, AnyRow},
};
use uuid::Uuid;

use crate::{
    Store, StoreError,
    db::Dialect,
    stored::{StoredAttempt, json},
};

/// The class columns come from `CLASS_COLUMNS`.
const COLUMNS: [&str; 18] = [
    "id",
    "request",
    "api_key_id",
    "operation",
    "model",
    "upstream_model",
    "provider",
    "channel_id",
    "plugin_version",
    "plugin_digest",
    "streaming",
    "estimated",
    "fault",
    "attempts",
    "losses",
    "started_ms",
    "first_token_ms",
    "total_ms",
];
const CLASS_COLUMNS: [(TokenClass, &str); 11] = [
    (TokenClass::Input, "input_tokens"),
    (TokenClass::CachedRead, "cached_read_tokens"),
    (TokenClass::CacheWrite5m, "cache_write_5m_tokens"),
    (TokenClass::CacheWrite1h, "cache_write_1h_tokens"),
    (TokenClass::Output, "output_tokens"),
    (TokenClass::Reasoning, "reasoning_tokens"),
    (TokenClass::AudioIn, "audio_in_tokens"),
    (TokenClass::AudioOut, "audio_out_tokens"),
    (TokenClass::Images, "images"),
    (TokenClass::Seconds, "seconds"),
    (TokenClass::Characters, "characters"),
];

impl Store {
    /// The last `limit` usage records, newest first: in the order in which their requests arrived.
    ///
    /// # Errors
    /// `Corrupt` when a row is damaged; `Unavailable`.
    pub async fn usage_records(&self, limit: u32) -> Result<Vec<UsageRecord>, StoreError> {
        let query = Query::select()
            .columns(columns())
            .from("usage_records")
            .order_by("id", Order::Desc)
            .limit(u64::from(limit))
            .take();
        self.db().rows(&query).await?.iter().map(read_row).collect()
    }
}

/// The text of a statement that inserts this many records, except those that are there already.
pub(crate) fn insert_text(dialect: Dialect, records: usize) -> String {
    let mut insert = Query::insert();
    insert.into_table("usage_records").columns(columns());
    for _ in 0..records {
        insert.values_panic(columns().map(|_| Expr::val(Value::BigInt(None))));
    }
    insert.on_conflict(OnConflict::column("id").do_nothing_on(["id"]).to_owned());
    dialect.sql(&insert).into_text()
}

/// Adds a record's values in the order of the columns.
pub(crate) fn bind(values: &mut AnyArguments, record: &UsageRecord) -> Result<(), StoreError> {
    let attempts = json(&record.attempts.iter().map(StoredAttempt::of).collect::<Vec<_>>())?;
    let losses = json(&record.losses)?;
    let add = || {
        values.add(id_of(&record.request))?;
        values.add(record.request.0.as_str())?;
        values.add(record.api_key.0)?;
        values.add(record.operation.as_str())?;
        values.add(record.model.as_str())?;
        values.add(record.upstream_model.as_str())?;
        values.add(record.provider.as_str())?;
        values.add(record.channel.map(|channel| channel.0))?;
        values.add(record.plugin_version.as_str())?;
        values.add(record.plugin_digest.as_str())?;
        values.add(i16::from(record.streaming))?;
        values.add(i16::from(record.usage.estimated))?;
        values.add(record.fault.as_str())?;
        values.add(attempts)?;
        values.add(losses)?;
        values.add(record.started_ms)?;
        values.add(record.first_token_ms)?;
        values.add(record.total_ms)?;
        for (class, _) in CLASS_COLUMNS {
            values.add(i64::from(record.usage.counts.get(&class).copied().unwrap_or(0)))?;
        }
        Ok(())
    };
    add().map_err(|error: sqlx::error::BoxDynError| {
        StoreError::Invalid(format!("a usage record cannot be stored: {error}"))
    })
}

/// A request's own UUIDv7, so that a request which is settled twice has one record, or else a new one. They grow with time, so that new
/// rows come to the end of the index.
fn id_of(request: &RequestId) -> String {
    let own = request.0.strip_prefix("req_").and_then(|id| Uuid::try_parse(id).ok());
    own.filter(|id| id.get_version_num() == 7).unwrap_or_else(Uuid::now_v7).simple().to_string()
}

fn columns() -> impl Iterator<Item = &'static str> {
    COLUMNS.into_iter().chain(CLASS_COLUMNS.into_iter().map(|(_, column)| column))
}

fn read_row(row: &AnyRow) -> Result<UsageRecord, StoreError> {
    let request: String = row.try_get("request")?;
    let corrupt = |what: &str| StoreError::Corrupt(format!("the usage record of `{request}` has an unreadable {what}"));
    let attempts: Vec<StoredAttempt> =
        serde_json::from_str(&row.try_get::<String, _>("attempts")?).map_err(|_| corrupt("list of attempts"))?;
    let mut usage = Usage { estimated: row.try_get::<i16, _>("estimated")? != 0, ..Usage::default() };
    for (class, column) in CLASS_COLUMNS {
        let count = u32::try_from(row.try_get::<i64, _>(column)?).map_err(|_| corrupt(column))?;
        if count > 0 {
            usage.counts.insert(class, count);
        }
    }
    Ok(UsageRecord {
        api_key: ApiKeyId(row.try_get("api_key_id")?),
        operation: row.try_get("operation")?,
        model: row.try_get("model")?,
        upstream_model: row.try_get("upstream_model")?,
        provider: row.try_get("provider")?,
        channel: row.try_get::<Option<i64>, _>("channel_id")?.map(ChannelId),
        plugin_version: row.try_get("plugin_version")?,
        plugin_digest: row.try_get("plugin_digest")?,
        streaming: row.try_get::<i16, _>("streaming")? != 0,
        usage,
        fault: row.try_get("fault")?,
        attempts: attempts.into_iter().map(StoredAttempt::read).collect(),
        losses: serde_json::from_str(&row.try_get::<String, _>("losses")?).map_err(|_| corrupt("list of losses"))?,
        started_ms: row.try_get("started_ms")?,
        first_token_ms: row.try_get("first_token_ms")?,
        total_ms: row.try_get("total_ms")?,
        request: RequestId(request),
    })
}
