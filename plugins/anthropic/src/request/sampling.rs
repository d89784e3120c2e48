//! `temperature`, `top_p` and `top_k`, which newer models, thinking models and the newer API version refuse.

use serde_json::value::RawValue;
use witgate_sdk::{Body, Fault};

use super::field;
use crate::ability::Ability;
use crate::fault::{refused, unread};
use crate::lost::Lost;

/// What is sent. Numbers stay as the client wrote them.
#[derive(Default)]
pub(crate) struct Sampling<'a> {
    pub(crate) temperature: Option<&'a RawValue>,
    pub(crate) top_p: Option<&'a RawValue>,
    pub(crate) top_k: Option<&'a RawValue>,
}

/// Reads the three. `version`: the API version takes them; `thinks`: the model will think.
pub(crate) fn read<'a>(
    body: &'a Body,
    able: Ability,
    version: bool,
    thinks: bool,
    lost: &mut Lost,
) -> Result<Sampling<'a>, Fault> {
    let mut asked = Sampling {
        temperature: field(body, "temperature")?,
        top_p: field(body, "top_p")?,
        top_k: field(body, "top_k")?,
    };
    if !able.samples || !version {
        let why = if version { "the model refuses it" } else { "the channel's API version refuses it" };
        drop(&mut asked.temperature, "temperature", why, lost);
        drop(&mut asked.top_p, "top_p", why, lost);
        drop(&mut asked.top_k, "top_k", why, lost);
        return Ok(asked);
    }
    let temperature = number(asked.temperature, "temperature")?;
    if temperature.is_some_and(|temperature| temperature > 1.0) {
        asked.temperature = Some(serde_json::from_str("1").map_err(|error| unread("temperature", &error))?);
        lost.add("temperature", "the vendor's temperatures end at 1");
    }
    if thinks {
        let why = "the model refuses it when it thinks";
        if temperature.is_some_and(|temperature| temperature < 1.0) {
            drop(&mut asked.temperature, "temperature", why, lost);
        }
        if number(asked.top_p, "top_p")?.is_some_and(|top_p| top_p < 0.95) {
            drop(&mut asked.top_p, "top_p", why, lost);
        }
        drop(&mut asked.top_k, "top_k", why, lost);
    }
    if asked.temperature.is_some() && !able.samples_both {
        drop(&mut asked.top_p, "top_p", "the model refuses it beside temperature", lost);
    }
    Ok(asked)
}

fn number(raw: Option<&RawValue>, name: &str) -> Result<Option<f64>, Fault> {
    let Some(raw) = raw else { return Ok(None) };
    raw.get().parse().map(Some).map_err(|_| refused(name, "must be a number"))
}

fn drop(field: &mut Option<&RawValue>, name: &'static str, why: &'static str, lost: &mut Lost) {
    if field.take().is_some() {
        lost.add(name, why);
    }
}
