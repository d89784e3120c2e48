//! From the SDK's own types to the generated ones: effects.

use super::Lower;
use super::shared::witgate::adapter::machine;
use crate::{Data, Effect, Extra, Fault, Part, Payload, Piece, Request, Usage};

/// The effects of a step. A request that cannot be expressed ends the exchange there.
pub(super) fn effects<L: Lower>(effects: Vec<Effect>) -> Vec<machine::Effect> {
    let mut out = Vec::with_capacity(effects.len());
    for effect in effects {
        match self::effect::<L>(effect) {
            Ok(effect) => out.push(effect),
            Err(what) => {
                out.push(machine::Effect::Fail(fault(Fault::adapter_broken(what))));
                break;
            }
        }
    }
    out
}

fn effect<L: Lower>(effect: Effect) -> Result<machine::Effect, String> {
    Ok(match effect {
        Effect::Send(request) => machine::Effect::Send(self::request::<L>(request)?),
        Effect::Cancel(id) => machine::Effect::Cancel(id),
        Effect::Sleep { id, ms } => machine::Effect::Sleep(machine::Pause { id, ms }),
        Effect::Emit(json) => machine::Effect::Emit(json),
        Effect::Relay(id) => machine::Effect::Relay(id),
        Effect::Usage(usage) => machine::Effect::Usage(self::usage(usage)),
        Effect::Loss { field, what } => machine::Effect::Loss(machine::Lost { field, what }),
        Effect::Finish(reason) => machine::Effect::Finish(reason),
        Effect::Fail(fault) => machine::Effect::Fail(self::fault(fault)),
        Effect::Park { state, ms } => machine::Effect::Park(machine::Parked { state, ms }),
        Effect::Ext(extra) => machine::Effect::Ext(self::extra(extra)),
    })
}

fn request<L: Lower>(request: Request) -> Result<machine::Request, String> {
    Ok(machine::Request {
        id: request.id,
        method: request.method,
        endpoint: request.endpoint,
        path: request.path,
        query: fields::<L>(request.query)?,
        headers: fields::<L>(request.headers)?,
        body: payload(request.body),
        framing: request.framing.as_str().to_owned(),
        extras: request.extras.into_iter().map(extra).collect(),
    })
}

fn fields<L: Lower>(fields: Vec<(String, Vec<Piece>)>) -> Result<Vec<machine::Field>, String> {
    let field = |(name, value): (String, Vec<Piece>)| {
        let value = value.into_iter().map(piece::<L>).collect::<Result<_, _>>()?;
        Ok(machine::Field { name, value })
    };
    fields.into_iter().map(field).collect()
}

fn piece<L: Lower>(piece: Piece) -> Result<machine::Piece, String> {
    Ok(match piece {
        Piece::Text(text) => machine::Piece::Text(text),
        Piece::Secret(name) => machine::Piece::Secret(name),
        Piece::Opaque(value) => machine::Piece::Opaque(L::lower(value)?),
    })
}

fn payload(payload: Payload) -> machine::Payload {
    match payload {
        Payload::Empty => machine::Payload::Empty,
        Payload::Text(text) => machine::Payload::Text(text),
        Payload::Bytes(bytes) => machine::Payload::Bytes(bytes),
        Payload::Form(parts) => machine::Payload::Form(parts.into_iter().map(part).collect()),
        Payload::Held(name) => machine::Payload::Held(name),
    }
}

fn part(part: Part) -> machine::Part {
    let data = match part.data {
        Data::Text(text) => machine::Data::Text(text),
        Data::Bytes(bytes) => machine::Data::Bytes(bytes),
        Data::Held(name) => machine::Data::Held(name),
    };
    machine::Part {
        name: part.name,
        filename: part.filename,
        content_type: part.content_type,
        data,
        extras: Vec::new(),
    }
}

fn usage(usage: Usage) -> machine::Usage {
    let amount = |(class, count): (crate::Class, u32)| machine::Amount { class: class.as_str().to_owned(), count };
    let amounts = usage.amounts.into_iter().map(amount).collect();
    machine::Usage { amounts, estimated: usage.estimated, extras: Vec::new() }
}

fn fault(fault: Fault) -> machine::Fault {
    machine::Fault {
        code: fault.code.as_str().to_owned(),
        status: fault.status,
        retry_after_ms: fault.retry_after_ms,
        message: fault.message,
        vendor: fault.vendor,
        extras: Vec::new(),
    }
}

fn extra(extra: Extra) -> machine::Extra {
    machine::Extra { name: extra.name, json: extra.json }
}
