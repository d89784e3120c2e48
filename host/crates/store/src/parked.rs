//! Parked exchanges as rows: what a client said, what its adapter wants back and what came of it are sealed, each for its own row.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{ApiKeyId, ChannelId, Fault, FaultCode, RequestId, Secret};
use quota::{Outcome, ParkedExchange, Parking};
use sea_query::{Expr, ExprTrait, OnConflict, Order, Query, Value};
use serde::{Deserialize, Serialize};
use sqlx::{Row, any::AnyRow};

use crate::{Store, StoreError, db::now_ms, seal::Sealer, stored::json};

/// How long an answer is kept for a client that is gone, milliseconds: a day.
const KEPT_MS: i64 = 24 * 3_600_000;
/// Old answers that are deleted at a time: more than the one that each ending adds, so that they never pile up.
const PURGE: u64 = 100;
/// How far the clocks of two processes may be apart, milliseconds.
const CLOCKS_MS: i64 = 3_600_000;
/// Exchanges of one API key that may wait at once. Those that are parked in the same moment may exceed it by their number.
const PARKED_PER_KEY: i64 = 1_000;
/// Exchanges whose records are looked for at a time.
const LOOKED_UP: usize = 500;

const TABLE: &str = "parked_exchanges";
const COLUMNS: [&str; 12] = [
    "request",
    "api_key_id",
    "channel_id",
    "operation",
    "upstream_model",
    "sealed_request",
    "sealed_state",
    "arrived_ms",
    "due_ms",
    "outcome",
    "sealed_outcome",
    "ended_ms",
];
/// What changes when an exchange is parked again. The client's request does not, and it may be large.
const AGAIN: [&str; 4] = ["channel_id", "upstream_model", "sealed_state", "due_ms"];
const RUNNING: &str = "running";
const ANSWER: &str = "answer";
const FAILED: &str = "failed";

impl Store {
    /// Where exchanges of this database wait.
    pub fn parking(&self) -> Arc<dyn Parking> {
        Arc::new(StoreParking { store: self.clone() })
    }
}

struct StoreParking {
    store: Store,
}

#[async_trait]
impl Parking for StoreParking {
    async fn park(&self, parked: ParkedExchange) -> Result<(), Fault> {
        match self.store.park(parked).await {
            Ok(true) => Ok(()),
            Ok(false) => {
                let message = format!("this API key has {PARKED_PER_KEY} tasks under way; wait for one of them");
                Err(Fault::new(FaultCode::RateLimited, message))
            }
            Err(error) => Err(error.into_ledger_fault()),
        }
    }

    async fn unpark(&self, request: &RequestId, outcome: Option<Outcome>) -> Result<(), Fault> {
        self.store.unpark(request, outcome).await.map_err(StoreError::into_ledger_fault)
    }

    async fn waiting(&self) -> Result<Vec<ParkedExchange>, Fault> {
        self.store.waiting().await.map_err(StoreError::into_ledger_fault)
    }

    async fn outcome(&self, api_key: ApiKeyId, request: &RequestId) -> Result<Option<Outcome>, Fault> {
        self.store.outcome(api_key, request).await.map_err(StoreError::into_ledger_fault)
    }
}

impl Store {
    /// `false`: as many exchanges of this key wait as may.
    async fn park(&self, parked: ParkedExchange) -> Result<bool, StoreError> {
        let id = &parked.request.0;
        let state = self.sealer().seal(&place(id, "sealed_state"), &Secret::new(&json(&parked.state)?))?;
        let update = Query::update()
            .table(TABLE)
            .values(AGAIN.into_iter().zip([
                Expr::val(parked.channel.0),
                Expr::val(parked.upstream_model.as_str()),
                Expr::val(state.as_str()),
                Expr::val(parked.due_ms),
            ]))
            .and_where(Expr::col("request").eq(id.as_str()))
            .and_where(Expr::col("outcome").eq(RUNNING))
            .take();
        if self.db().execute(&update).await? > 0 {
            return Ok(true);
        }
        let count = Query::select()
            .expr_as(Expr::col("request").count(), "waiting")
            .from(TABLE)
            .and_where(Expr::col("api_key_id").eq(parked.api_key.0))
            .and_where(Expr::col("outcome").eq(RUNNING))
            .take();
        let waiting: i64 = match self.db().row(&count).await? {
            Some(row) => row.try_get("waiting")?,
            None => 0,
        };
        if waiting >= PARKED_PER_KEY {
            return Ok(false);
        }
        let said = StoredRequest { body: parked.body, headers: parked.headers };
        let values: [Value; 12] = [
            id.as_str().into(),
            parked.api_key.0.into(),
            parked.channel.0.into(),
            parked.operation.as_str().into(),
            parked.upstream_model.as_str().into(),
            self.seal_large(place(id, "sealed_request"), said).await?.into(),
            state.into(),
            parked.arrived_ms.into(),
            parked.due_ms.into(),
            RUNNING.into(),
            Value::String(None),
            Value::BigInt(None),
        ];
        // Should it have ended before, it runs again.
        let again = OnConflict::column("request").update_columns(COLUMNS.into_iter().skip(1)).to_owned();
        let insert = Query::insert()
            .into_table(TABLE)
            .columns(COLUMNS)
            .values_panic(values.map(Expr::val))
            .on_conflict(again)
            .take();
        self.db().execute(&insert).await?;
        Ok(true)
    }

    /// Seals what may be large on a thread for slow work. As JSON: a secret loses the white space around it, an answer must not.
    async fn seal_large(&self, place: String, value: impl Serialize + Send + 'static) -> Result<String, StoreError> {
        let store = self.clone();
        let sealing = tokio::task::spawn_blocking(move || store.sealer().seal(&place, &Secret::new(&json(&value)?)));
        sealing.await.map_err(|error| StoreError::Unavailable(format!("a parked exchange was not sealed: {error}")))?
    }

    async fn unpark(&self, request: &RequestId, outcome: Option<Outcome>) -> Result<(), StoreError> {
        match outcome {
            // Nothing has ended.
            Some(Outcome::Running) => return Ok(()),
            Some(Outcome::Answer(answer)) => self.end(request, ANSWER, answer).await?,
            Some(Outcome::Failed { code, message }) => {
                self.end(request, FAILED, json(&StoredFailure { code, message })?).await?;
            }
            None => {
                let delete =
                    Query::delete().from_table(TABLE).and_where(Expr::col("request").eq(request.0.as_str())).take();
                self.db().execute(&delete).await?;
            }
        }
        self.purge().await
    }

    /// Keeps what came of it, and nothing else of it.
    async fn end(&self, request: &RequestId, kind: &str, text: String) -> Result<(), StoreError> {
        let sealed = self.seal_large(place(&request.0, "sealed_outcome"), text).await?;
        let update = Query::update()
            .table(TABLE)
            .value("sealed_request", "")
            .value("sealed_state", "")
            .value("outcome", kind)
            .value("sealed_outcome", sealed)
            .value("ended_ms", now_ms())
            .and_where(Expr::col("request").eq(request.0.as_str()))
            .take();
        self.db().execute(&update).await?;
        Ok(())
    }

    async fn waiting(&self) -> Result<Vec<ParkedExchange>, StoreError> {
        self.purge().await?;
        self.end_settled().await?;
        let query = Query::select()
            .columns(COLUMNS)
            .from(TABLE)
            .and_where(Expr::col("outcome").eq(RUNNING))
            .order_by("due_ms", Order::Asc)
            .take();
        let mut waiting = Vec::new();
        for row in self.db().rows(&query).await? {
            let request = RequestId(row.try_get("request")?);
            match read_row(self.sealer(), &row) {
                Ok(parked) => waiting.push(parked),
                Err(error) => {
                    // One damaged row must not keep the others from going on, nor its client asking for ever.
                    tracing::error!(%request, %error, "a parked exchange cannot be read and is given up");
                    let lost = Outcome::Failed {
                        code: FaultCode::Internal.as_str().to_owned(),
                        message: "the gateway lost this task; send the request again".to_owned(),
                    };
                    self.unpark(&request, Some(lost)).await?;
                }
            }
        }
        Ok(waiting)
    }

    /// Ends what was settled when a process died before it could end it: taken up again, it would be settled twice.
    async fn end_settled(&self) -> Result<(), StoreError> {
        let running = Query::select()
            .columns(["request", "arrived_ms"])
            .from(TABLE)
            .and_where(Expr::col("outcome").eq(RUNNING))
            .order_by("arrived_ms", Order::Asc)
            .take();
        let rows = self.db().rows(&running).await?;
        // Many at a time: each look reads every record since the oldest of them arrived.
        for chunk in rows.chunks(LOOKED_UP) {
            let Some(oldest) = chunk.first() else { continue };
            let arrived: i64 = oldest.try_get("arrived_ms")?;
            // Records have ids in the order of time: those that are older than the request are not looked at.
            let since = format!("{:012x}", u64::try_from(arrived.saturating_sub(CLOCKS_MS)).unwrap_or(0));
            let requests = chunk.iter().map(|row| row.try_get("request")).collect::<Result<Vec<String>, _>>()?;
            let settled = Query::select()
                .distinct()
                .column("request")
                .from("usage_records")
                .and_where(Expr::col("id").gte(since))
                .and_where(Expr::col("request").is_in(requests))
                .take();
            for row in self.db().rows(&settled).await? {
                let request: String = row.try_get("request")?;
                tracing::warn!(request, "a task was settled, but the process ended before its answer was kept");
                let lost = Outcome::Failed {
                    code: FaultCode::Internal.as_str().to_owned(),
                    message: "the gateway ended in the moment that this task was complete; its answer is lost"
                        .to_owned(),
                };
                self.unpark(&RequestId(request), Some(lost)).await?;
            }
        }
        Ok(())
    }

    async fn outcome(&self, api_key: ApiKeyId, request: &RequestId) -> Result<Option<Outcome>, StoreError> {
        let query = Query::select()
            .columns(["outcome", "sealed_outcome", "ended_ms"])
            .from(TABLE)
            .and_where(Expr::col("request").eq(request.0.as_str()))
            .and_where(Expr::col("api_key_id").eq(api_key.0))
            .take();
        let Some(row) = self.db().row(&query).await? else { return Ok(None) };
        let corrupt = |what: &str| StoreError::Corrupt(format!("the outcome of `{request}` has an unreadable {what}"));
        let kind: String = row.try_get("outcome")?;
        if kind == RUNNING {
            return Ok(Some(Outcome::Running));
        }
        let ended: i64 = row.try_get::<Option<i64>, _>("ended_ms")?.ok_or_else(|| corrupt("time"))?;
        if ended < oldest() {
            return Ok(None);
        }
        let sealed: String = row.try_get::<Option<_>, _>("sealed_outcome")?.ok_or_else(|| corrupt("text"))?;
        let opened = self.sealer().open(&place(&request.0, "sealed_outcome"), &sealed)?;
        let text: String = serde_json::from_str(opened.expose()).map_err(|_| corrupt("text"))?;
        match kind.as_str() {
            ANSWER => Ok(Some(Outcome::Answer(text))),
            FAILED => {
                let StoredFailure { code, message } = serde_json::from_str(&text).map_err(|_| corrupt("fault"))?;
                Ok(Some(Outcome::Failed { code, message }))
            }
            _ => Err(corrupt("kind")),
        }
    }

    /// Deletes answers that nobody came for.
    async fn purge(&self) -> Result<(), StoreError> {
        let old = Query::select()
            .column("request")
            .from(TABLE)
            .and_where(Expr::col("ended_ms").lt(oldest()))
            .order_by("ended_ms", Order::Asc)
            .limit(PURGE)
            .take();
        // In two steps: not every database deletes with a limit, or from what a subquery reads.
        let rows = self.db().rows(&old).await?;
        if rows.is_empty() {
            return Ok(());
        }
        let requests = rows.iter().map(|row| row.try_get("request")).collect::<Result<Vec<String>, _>>()?;
        let delete = Query::delete().from_table(TABLE).and_where(Expr::col("request").is_in(requests)).take();
        self.db().execute(&delete).await?;
        Ok(())
    }
}

/// What the client said.
#[derive(Serialize, Deserialize)]
struct StoredRequest {
    body: String,
    headers: Vec<(String, String)>,
}

#[derive(Serialize, Deserialize)]
struct StoredFailure {
    code: String,
    message: String,
}

fn place(request: &str, column: &str) -> String {
    format!("{TABLE}/{request}/{column}")
}

fn oldest() -> i64 {
    now_ms() - KEPT_MS
}

fn read_row(sealer: &Sealer, row: &AnyRow) -> Result<ParkedExchange, StoreError> {
    let request: String = row.try_get("request")?;
    let open = |column: &'static str| sealer.open(&place(&request, column), &row.try_get::<String, _>(column)?);
    let corrupt = |what: &str| StoreError::Corrupt(format!("the parked exchange `{request}` has an unreadable {what}"));
    let said: StoredRequest = serde_json::from_str(open("sealed_request")?.expose()).map_err(|_| corrupt("request"))?;
    let state = serde_json::from_str(open("sealed_state")?.expose()).map_err(|_| corrupt("state"))?;
    Ok(ParkedExchange {
        api_key: ApiKeyId(row.try_get("api_key_id")?),
        channel: ChannelId(row.try_get("channel_id")?),
        operation: row.try_get("operation")?,
        upstream_model: row.try_get("upstream_model")?,
        body: said.body,
        headers: said.headers,
        arrived_ms: row.try_get("arrived_ms")?,
        state,
        due_ms: row.try_get("due_ms")?,
        request: RequestId(request),
    })
}
