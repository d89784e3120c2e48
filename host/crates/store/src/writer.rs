//! The ledger's writer: one task, one connection. What queues up while a batch is written is the next batch, so a commit is paid once per
//! batch and not once per request.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use domain::{Fault, FaultCode, UsageRecord};
use quota::{Ledger, Reservation, Reserved};
use sqlx::{AnyConnection, AssertSqlSafe, Connection, any::AnyArguments};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

use crate::{StoreError, db::Db, usage_records};

/// Settlements that may wait; beyond it `settle` itself waits for room.
const QUEUE: usize = 8192;
/// Settlements in one transaction.
const BATCH: usize = 512;
/// Records in one statement. Each count is a statement of its own and the driver keeps the last hundred prepared.
const STATEMENT: usize = 64;

/// What the task is sent.
enum Order {
    Settle(Box<UsageRecord>, oneshot::Sender<Result<(), Fault>>),
    Stop,
}

/// The running task, as the store holds it.
#[derive(Debug)]
pub(crate) struct Writer {
    orders: mpsc::Sender<Order>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(crate) fn start(db: Arc<Db>) -> Writer {
        let (orders, queue) = mpsc::channel(QUEUE);
        let texts = (1..=STATEMENT).map(|records| usage_records::insert_text(db.dialect, records).into()).collect();
        let task = WriterTask { db, queue, texts, connection: None };
        Writer { orders, task: Mutex::new(Some(tokio::spawn(task.run()))) }
    }

    pub(crate) fn ledger(&self) -> Arc<dyn Ledger> {
        Arc::new(StoreLedger { orders: self.orders.clone() })
    }

    /// Writes what is queued, then ends. Settlements that come later are refused.
    pub(crate) async fn stop(&self) {
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(task) = task else { return };
        // A failed send means that the task has ended already.
        let _ = self.orders.send(Order::Stop).await;
        if let Err(error) = task.await {
            tracing::error!(%error, "the task that writes usage records failed");
        }
    }
}

struct StoreLedger {
    orders: mpsc::Sender<Order>,
}

#[async_trait]
impl Ledger for StoreLedger {
    async fn reserve(&self, reservation: Reservation) -> Result<Reserved, Fault> {
        if self.orders.is_closed() {
            return Err(stopping());
        }
        Ok(Reserved { request: reservation.request })
    }

    async fn settle(&self, reserved: Reserved, record: UsageRecord) -> Result<(), Fault> {
        debug_assert_eq!(reserved.request, record.request, "a reservation is settled by its own record");
        let (done, answer) = oneshot::channel();
        let order = Order::Settle(Box::new(record), done);
        self.orders.send(order).await.map_err(|_| stopping())?;
        answer.await.unwrap_or_else(|_| Err(stopping()))
    }
}

fn stopping() -> Fault {
    Fault::new(FaultCode::Unavailable, "The gateway is stopping. Try again in a moment.")
}

struct WriterTask {
    db: Arc<Db>,
    queue: mpsc::Receiver<Order>,
    /// The insert statement for one record, two records...
    texts: Vec<Arc<str>>,
    /// Made anew after an error: what state it is in then nobody knows.
    connection: Option<AnyConnection>,
}

impl WriterTask {
    async fn run(mut self) {
        // Early, so that the first settlement does not wait for it. An error shows when there is something to write.
        self.connection = self.db.connect().await.ok();
        let mut orders = Vec::with_capacity(BATCH);
        let mut failing = false;
        while self.queue.recv_many(&mut orders, BATCH).await > 0 {
            let mut records = Vec::with_capacity(orders.len());
            let mut waiters = Vec::with_capacity(orders.len());
            for order in orders.drain(..) {
                match order {
                    Order::Settle(record, done) => {
                        records.push(record);
                        waiters.push(done);
                    }
                    // What is queued behind it is still taken, nothing new is.
                    Order::Stop => self.queue.close(),
                }
            }
            let result = self.write(&records).await;
            match &result {
                Err(error) if !failing => tracing::error!(%error, "usage records cannot be written"),
                Ok(()) if failing => tracing::info!("usage records are written again"),
                _ => {}
            }
            failing = result.is_err();
            let answer = result.map_err(StoreError::into_ledger_fault);
            for done in waiters {
                // A waiter that is gone does not need the answer; its record is kept all the same.
                let _ = done.send(answer.clone());
            }
        }
        if let Some(connection) = self.connection.take() {
            let _ = connection.close().await;
        }
    }

    /// All or none of them.
    async fn write(&mut self, records: &[Box<UsageRecord>]) -> Result<(), StoreError> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.db.connect().await?,
        };
        if records.len() <= STATEMENT {
            // One statement is atomic by itself, which saves two trips to the database.
            insert(&self.texts, &mut connection, records).await?;
        } else {
            let mut tx = connection.begin_with(self.db.dialect.begin_write()).await?;
            for chunk in records.chunks(STATEMENT) {
                insert(&self.texts, &mut tx, chunk).await?;
            }
            tx.commit().await?;
        }
        self.connection = Some(connection);
        Ok(())
    }
}

/// One statement; `texts` has it for every count of records.
async fn insert(
    texts: &[Arc<str>],
    connection: &mut AnyConnection,
    records: &[Box<UsageRecord>],
) -> Result<(), StoreError> {
    let Some(text) = records.len().checked_sub(1).and_then(|position| texts.get(position)) else {
        return Ok(());
    };
    let mut values = AnyArguments::default();
    for record in records {
        usage_records::bind(&mut values, record)?;
    }
    let done = sqlx::query_with(AssertSqlSafe(Arc::clone(text)), values).execute(connection).await?;
    let known = records.len() as u64 - done.rows_affected().min(records.len() as u64);
    if known > 0 {
        tracing::warn!(known, "requests were settled that have a usage record already; the first one stays");
    }
    Ok(())
}
