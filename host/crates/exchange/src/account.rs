//! Questions to a vendor about a channel's account: its balance, its models, the tokens of a request. Asked by operators, not by clients.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use domain::{Channel, Fault, FaultCode};
use plugin_runtime::{Capability, machine};

use crate::{
    chosen::Chosen,
    driver::{Clock, Driver, End, Subject, broken},
    held::hold,
    rooms::Rooms,
    side::Quiet,
};

/// How long an answer may take.
const WITHIN: Duration = Duration::from_secs(60);

/// A question about an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Query<'a> {
    /// `{"amount": "12.5", "currency": "USD"}`.
    Balance,
    /// `{"models": [{"id": "..."}]}`.
    Models,
    /// `{"input_tokens": 12}` for a canonical chat request, of which the model name is the vendor's.
    CountTokens {
        /// The request, JSON.
        body: &'a str,
        /// The vendor's name of the model.
        model: &'a str,
    },
}

impl Query<'_> {
    /// As catalogs spell it.
    pub fn operation(&self) -> &'static str {
        match self {
            Query::Balance => "balance",
            Query::Models => "models",
            Query::CountTokens { .. } => "count-tokens",
        }
    }
}

/// Asks the channel's adapter, and checks the shape of what it answers.
///
/// # Errors
/// `no-channel` when its plugin is not loaded or the channel does not fit it, `unsupported` when the adapter does not offer the question,
/// else what became of the request.
pub async fn query(rooms: &Arc<Rooms>, channel: &Arc<Channel>, query: Query<'_>) -> Result<serde_json::Value, Fault> {
    let none = |detail: String| {
        Fault::new(FaultCode::NoChannel, format!("the channel `{}` cannot be asked: {detail}", channel.name))
    };
    let adapter = rooms
        .registry
        .provider(&channel.provider)
        .ok_or_else(|| none(format!("no plugin for the provider `{}` is loaded", channel.provider)))?;
    let operation = query.operation();
    if !adapter.supports(operation) {
        let message = format!("the plugin for `{}` does not offer `{operation}`", channel.provider);
        return Err(Fault::new(FaultCode::Unsupported, message));
    }
    let (body, model) = match query {
        Query::CountTokens { body, model } => (body, model),
        Query::Balance | Query::Models => ("", ""),
    };
    let chosen = Arc::new(Chosen::new(Arc::clone(channel), model.to_owned(), adapter).map_err(none)?);
    let clock = Clock::new();
    let seed = format!("{:032x}", rand::random::<u128>());
    let over = if chosen.adapter.provider().whole_body { usize::MAX } else { rooms.limits.held_over };
    let held = hold(body, over, &seed);
    let payload = match body {
        "" => machine::Payload::Empty,
        _ => machine::Payload::Text(held.text.clone().into_owned()),
    };
    let call = chosen.call(operation, &clock, seed, payload);
    let guest = chosen.adapter.open_as(Capability::Account, operation, call, chosen.keys.secrets.clone()).await?;
    let began = Instant::now();
    let subject = Subject { rooms, chosen: &chosen, clock, began, deadline: began + WITHIN, grants: true };
    let mut side = Quiet::<false>::default();
    let mut driver = Driver::new(subject, guest, held);
    if let End::Parked(_) = driver.run(&mut side).await? {
        return Err(broken("a question about an account cannot park".to_owned()));
    }
    let answer = side.answer.ok_or_else(|| broken(format!("`{operation}` ended without an answer")))?;
    checked(query, &answer)
        .ok_or_else(|| broken(format!("`{operation}` was answered in a shape that it does not have")))
}

fn checked(query: Query<'_>, answer: &str) -> Option<serde_json::Value> {
    let value: serde_json::Value = serde_json::from_str(answer).ok()?;
    let text = |value: &serde_json::Value, name: &str| value.get(name).is_some_and(serde_json::Value::is_string);
    let fits = match query {
        Query::Balance => text(&value, "amount") && text(&value, "currency"),
        Query::Models => value.get("models")?.as_array()?.iter().all(|model| text(model, "id")),
        Query::CountTokens { .. } => value.get("input_tokens")?.is_u64(),
    };
    fits.then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_another_shape_are_refused() {
        let count = Query::CountTokens { body: "{}", model: "m" };
        for (query, answer, fits) in [
            (Query::Balance, r#"{"amount":"12.5","currency":"USD","note":1}"#, true),
            (Query::Balance, r#"{"amount":12.5,"currency":"USD"}"#, false),
            (Query::Models, r#"{"models":[{"id":"m"}]}"#, true),
            (Query::Models, r#"{"models":["m"]}"#, false),
            (count, r#"{"input_tokens":3}"#, true),
            (count, r#"{"input_tokens":-3}"#, false),
            (count, "nonsense", false),
        ] {
            assert_eq!(checked(query, answer).is_some(), fits, "{answer}");
        }
    }
}
