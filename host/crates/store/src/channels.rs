//! Channels in the database: lists as JSON text, credentials sealed each for its own row and name.

use std::collections::BTreeMap;

use domain::{Approval, Channel, ChannelId, ChannelModel, ChannelStatus, Secret};
use sea_query::{Expr, ExprTrait, Order, Query, Value};
use sqlx::{Row, any::AnyRow};

use crate::{
    Store, StoreError,
    counters::{CHANNEL_ID, REVISION, bump},
    db::Tx,
    names::{check_name, not_found},
    seal::Sealer,
    stored::{StoredApproval, StoredModel, json},
};

const COLUMNS: [&str; 12] = [
    "id",
    "name",
    "provider",
    "base_url",
    "models",
    "group_names",
    "priority",
    "weight",
    "status",
    "settings",
    "secrets",
    "approval",
];

/// A channel that has no number yet; the fields are those of [`Channel`].
#[derive(Clone, Debug)]
pub struct NewChannel {
    /// The operator's name for it, unique, at most 100 characters.
    pub name: String,
    /// Provider id.
    pub provider: String,
    /// The operator's own address for the provider, as typed.
    pub base_url: Option<String>,
    /// Models it offers; empty means whatever the adapter's catalog lists.
    pub models: Vec<ChannelModel>,
    /// Groups that may use it, at least one.
    pub groups: Vec<String>,
    /// Higher goes first.
    pub priority: i64,
    /// Share inside a priority, at least 1.
    pub weight: u32,
    /// Whether it takes part.
    pub status: ChannelStatus,
    /// A JSON object.
    pub settings: String,
    /// Credentials by the catalog's names.
    pub secrets: BTreeMap<String, Secret>,
    /// What the operator allowed.
    pub approval: Approval,
}

impl NewChannel {
    fn with_id(self, id: ChannelId) -> Channel {
        let NewChannel {
            name,
            provider,
            base_url,
            models,
            groups,
            priority,
            weight,
            status,
            settings,
            secrets,
            approval,
        } = self;
        Channel { id, name, provider, base_url, models, groups, priority, weight, status, settings, secrets, approval }
    }
}

impl Store {
    /// Adds a channel and gives it a number that no channel ever had.
    ///
    /// # Errors
    /// `Conflict` when the name is taken, `Invalid` when a field cannot be stored.
    pub async fn add_channel(&self, new: NewChannel) -> Result<Channel, StoreError> {
        let mut channel = new.with_id(ChannelId(0));
        check(&channel)?;
        let mut tx = self.db().begin_write().await?;
        refuse_taken_name(&mut tx, &channel).await?;
        channel.id = ChannelId(bump(&mut tx, CHANNEL_ID).await?);
        let values = row_values(self.sealer(), &channel)?;
        let insert = Query::insert()
            .into_table("channels")
            .columns(COLUMNS)
            .values_panic(values.into_iter().map(Expr::val))
            .take();
        tx.execute(&insert).await?;
        bump(&mut tx, REVISION).await?;
        tx.commit().await?;
        Ok(channel)
    }

    /// Writes every field of an existing channel, found by its id.
    ///
    /// # Errors
    /// `NotFound` when it was removed, `Conflict` when its new name is taken, `Invalid` when a field cannot be stored.
    pub async fn save_channel(&self, channel: &Channel) -> Result<(), StoreError> {
        check(channel)?;
        let mut tx = self.db().begin_write().await?;
        refuse_taken_name(&mut tx, channel).await?;
        let values = COLUMNS.into_iter().zip(row_values(self.sealer(), channel)?.into_iter().map(Expr::val));
        let update =
            Query::update().table("channels").values(values).and_where(Expr::col("id").eq(channel.id.0)).take();
        if tx.execute(&update).await? == 0 {
            return Err(removed(channel.id));
        }
        bump(&mut tx, REVISION).await?;
        tx.commit().await
    }

    /// Every channel, ordered by id, credentials opened.
    ///
    /// # Errors
    /// `Corrupt` when a row is damaged; `Unavailable`.
    pub async fn channels(&self) -> Result<Vec<Channel>, StoreError> {
        self.db().rows(&all()).await?.iter().map(|row| read_row(self.sealer(), row)).collect()
    }

    /// The channel of this exact name, else of this id.
    ///
    /// # Errors
    /// `NotFound`, which lists the first names that exist.
    pub async fn channel(&self, name_or_id: &str) -> Result<Channel, StoreError> {
        let wanted = name_or_id.trim();
        let mut channels = self.channels().await?;
        let found = channels
            .iter()
            .position(|channel| channel.name == wanted)
            .or_else(|| channels.iter().position(|channel| channel.id.to_string() == wanted));
        match found {
            Some(position) => Ok(channels.swap_remove(position)),
            None => {
                Err(StoreError::NotFound(not_found("channel", wanted, channels.iter().map(|channel| &channel.name))))
            }
        }
    }

    /// Removes a channel. Its usage records stay.
    ///
    /// # Errors
    /// `NotFound` when there is no such channel.
    pub async fn remove_channel(&self, id: ChannelId) -> Result<(), StoreError> {
        let mut tx = self.db().begin_write().await?;
        let delete = Query::delete().from_table("channels").and_where(Expr::col("id").eq(id.0)).take();
        if tx.execute(&delete).await? == 0 {
            return Err(removed(id));
        }
        bump(&mut tx, REVISION).await?;
        tx.commit().await
    }
}

/// The query that `read_row` reads.
pub(crate) fn all() -> sea_query::SelectStatement {
    Query::select().columns(COLUMNS).from("channels").order_by("id", Order::Asc).take()
}

/// A channel from its row.
pub(crate) fn read_row(sealer: &Sealer, row: &AnyRow) -> Result<Channel, StoreError> {
    let id = ChannelId(row.try_get("id")?);
    let corrupt = |what: &str| StoreError::Corrupt(format!("channel {id} has an unreadable {what} in the database"));
    let text = |column: &'static str| row.try_get::<String, _>(column);
    let models: Vec<StoredModel> = serde_json::from_str(&text("models")?).map_err(|_| corrupt("list of models"))?;
    let sealed: BTreeMap<String, String> = serde_json::from_str(&text("secrets")?).map_err(|_| corrupt("secret"))?;
    let approval: StoredApproval = serde_json::from_str(&text("approval")?).map_err(|_| corrupt("approval"))?;
    let secrets = sealed
        .into_iter()
        .map(|(name, sealed)| Ok((name.clone(), sealer.open(&place(id, &name), &sealed)?)))
        .collect::<Result<_, StoreError>>()?;
    Ok(Channel {
        id,
        name: text("name")?,
        provider: text("provider")?,
        base_url: row.try_get("base_url")?,
        models: models.into_iter().map(StoredModel::read).collect(),
        groups: serde_json::from_str(&text("group_names")?).map_err(|_| corrupt("list of groups"))?,
        priority: row.try_get("priority")?,
        weight: u32::try_from(row.try_get::<i64, _>("weight")?).map_err(|_| corrupt("weight"))?,
        status: match row.try_get::<i64, _>("status")? {
            1 => ChannelStatus::Enabled,
            2 => ChannelStatus::Disabled,
            _ => return Err(corrupt("status")),
        },
        settings: text("settings")?,
        secrets,
        approval: approval.read().ok_or_else(|| corrupt("approval"))?,
    })
}

fn check(channel: &Channel) -> Result<(), StoreError> {
    check_name("channel", &channel.name)?;
    let invalid = |what: &str| Err(StoreError::Invalid(format!("channel `{}`: {what}", channel.name)));
    if channel.provider.is_empty() || channel.provider.chars().count() > 40 {
        return invalid("the provider id must have 1 to 40 characters");
    }
    if channel.weight == 0 {
        return invalid("the weight must be at least 1; to stop traffic, disable the channel");
    }
    if channel.groups.is_empty() {
        return invalid("it needs at least one group");
    }
    for group in &channel.groups {
        check_name("group", group)?;
    }
    if serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&channel.settings).is_err() {
        return invalid("the settings must be a JSON object");
    }
    Ok(())
}

fn removed(id: ChannelId) -> StoreError {
    StoreError::NotFound(format!("there is no channel with id {id} any more"))
}

async fn refuse_taken_name(tx: &mut Tx, channel: &Channel) -> Result<(), StoreError> {
    let query = Query::select()
        .column("id")
        .from("channels")
        .and_where(Expr::col("name").eq(channel.name.as_str()))
        .and_where(Expr::col("id").ne(channel.id.0))
        .take();
    match tx.row(&query).await? {
        None => Ok(()),
        Some(row) => Err(StoreError::Conflict(format!(
            "there is a channel named `{}` already (id {}); choose another name or change that one",
            channel.name,
            row.try_get::<i64, _>("id")?
        ))),
    }
}

fn place(id: ChannelId, secret: &str) -> String {
    format!("channels/{id}/secrets/{secret}")
}

/// The values of a row, in the order of `COLUMNS`.
fn row_values(sealer: &Sealer, channel: &Channel) -> Result<Vec<Value>, StoreError> {
    let sealed = channel
        .secrets
        .iter()
        .map(|(name, secret)| Ok((name.as_str(), sealer.seal(&place(channel.id, name), secret)?)))
        .collect::<Result<BTreeMap<_, _>, StoreError>>()?;
    let models: Vec<StoredModel> = channel.models.iter().map(StoredModel::of).collect();
    let status: i16 = match channel.status {
        ChannelStatus::Enabled => 1,
        ChannelStatus::Disabled => 2,
    };
    Ok(vec![
        channel.id.0.into(),
        channel.name.as_str().into(),
        channel.provider.as_str().into(),
        channel.base_url.clone().into(),
        json(&models)?.into(),
        json(&channel.groups)?.into(),
        channel.priority.into(),
        i64::from(channel.weight).into(),
        status.into(),
        channel.settings.as_str().into(),
        json(&sealed)?.into(),
        json(&StoredApproval::of(&channel.approval))?.into(),
    ])
}
