//! Models that a catalog knows, with their dated prices.

use domain::{Model, ModelPrice, TokenClass};

use super::{Read, list};
use crate::descriptor::At;

/// Models of one provider. The longest lists of aggregators have a tenth of it.
const MODELS_MAX: usize = 5_000;

/// Reads the list of models.
pub(super) fn models(root: &At<'_>) -> Read<Vec<Model>> {
    let mut seen = std::collections::HashSet::new();
    let mut models = Vec::new();
    let listed = list(root, "models")?;
    if listed.len() > MODELS_MAX {
        return Err(root.wrong(format!("`models` lists {} models, the limit is {MODELS_MAX}", listed.len())));
    }
    for at in listed {
        let id = at.need("id")?.name()?.to_owned();
        if !seen.insert(id.clone()) {
            return Err(at.wrong(format!("model `{id}` is listed twice")));
        }
        let count = |name: &str| Ok(at.get(name)?.map(|at| at.count()).transpose()?.unwrap_or(0));
        let mut prices = list(&at, "prices")?.iter().map(price).collect::<Read<Vec<_>>>()?;
        prices.sort_by(|a, b| a.from.cmp(&b.from));
        models.push(Model {
            id,
            context: count("context")?,
            max_output: count("max_output")?,
            capabilities: at.get("capabilities")?.map(|at| at.names()).transpose()?.unwrap_or_default(),
            prices,
        });
    }
    Ok(models)
}

fn price(at: &At<'_>) -> Read<ModelPrice> {
    let from = at.need("from")?;
    if !is_day(from.text()?) {
        return Err(from.wrong("must be a day, YYYY-MM-DD"));
    }
    let currency = at.need("currency")?;
    if !matches!(currency.text()?, "USD" | "CNY") {
        return Err(currency.wrong("must be `USD` or `CNY`"));
    }
    let mut per_million = Vec::new();
    for (class, amount) in at.need("per_million")?.members()? {
        if TokenClass::parse(class).is_none() {
            return Err(amount.wrong(format!("`{class}` is no class of usage")));
        }
        if !amount.text().is_ok_and(is_decimal) {
            return Err(amount.wrong("must be a decimal number in a string, like \"2.5\", with at most nine decimals"));
        }
        per_million.push((class.to_owned(), amount.text()?.to_owned()));
    }
    Ok(ModelPrice { from: from.text()?.to_owned(), currency: currency.text()?.to_owned(), per_million })
}

/// Whether this is `YYYY-MM-DD` with a month and day that exist in some year.
fn is_day(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts[..] else { return false };
    let number = |text: &str, length: usize, range: std::ops::RangeInclusive<u32>| {
        text.len() == length
            && text.bytes().all(|byte| byte.is_ascii_digit())
            && text.parse().is_ok_and(|n| range.contains(&n))
    };
    number(year, 4, 2000..=9999) && number(month, 2, 1..=12) && number(day, 2, 1..=31)
}

/// Whether this is digits, or digits, a point and up to nine digits: what nano-units can hold.
fn is_decimal(text: &str) -> bool {
    let digits = |text: &str, max: usize| {
        !text.is_empty() && text.len() <= max && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    match text.split_once('.') {
        Some((whole, fraction)) => digits(whole, 9) && digits(fraction, 9),
        None => digits(text, 9),
    }
}
