//! From the SDK's own types to the generated ones: effects.

use super::Lower;
use super::shared::witgate::adapter::machine;
use crate::{Data, Effect, Extra, Fault, Form, Frame, Part, Payload, Piece, Request, Usage};

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
        Effect::WsSend { id, message } => machine::Effect::WsSend(machine::Outgoing { id, message: frame(message) }),
        Effect::Cancel(id) => machine::Effect::Cancel(id),
        Effect::Sleep { id, ms } => machine::Effect::Sleep(machine::Pause { id, ms }),
        Effect::Fetch { id, url } => machine::Effect::Fetch(machine::Media { id, url }),
        Effect::Emit(json) => machine::Effect::Emit(json),
        Effect::Relay(id) => machine::Effect::Relay(id),
        Effect::Usage(usage) => machine::Effect::Usage(self::usage(usage)),
        Effect::Loss { field, what } => machine::Effect::Loss(machine::Lost { field, what }),
        Effect::Finish(reason) => machine::Effect::Finish(reason),
        Effect::Fail(fault) => machine::Effect::Fail(self::fault(fault)),
        Effect::Park { state, ms } => machine::Effect::Park(machine::Parked { state, ms }),
        Effect::Grant { id, pointer, lifetime_s } => {
            machine::Effect::Grant(machine::Granted { id, pointer, lifetime_s, extras: Vec::new() })
        }
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
        body: payload::<L>(request.body)?,
        framing: request.framing.as_str().to_owned(),
        extras: request.extras.into_iter().map(extra).collect(),
    })
}

fn fields<L: Lower>(fields: Vec<(String, Vec<Piece>)>) -> Result<Vec<machine::Field>, String> {
    fields.into_iter().map(|(name, value)| Ok(machine::Field { name, value: pieces::<L>(value)? })).collect()
}

fn pieces<L: Lower>(pieces: Vec<Piece>) -> Result<Vec<machine::Piece>, String> {
    pieces.into_iter().map(piece::<L>).collect()
}

fn piece<L: Lower>(piece: Piece) -> Result<machine::Piece, String> {
    Ok(match piece {
        Piece::Text(text) => machine::Piece::Text(text),
        Piece::Secret(name) => machine::Piece::Secret(name),
        Piece::Opaque(value) => machine::Piece::Opaque(L::lower(value)?),
        Piece::Token(grant) => machine::Piece::Token(grant),
        Piece::Basic { user, password } => {
            machine::Piece::Basic(machine::Basic { user: atoms::<L>(user)?, password: atoms::<L>(password)? })
        }
    })
}

fn atoms<L: Lower>(pieces: Vec<Piece>) -> Result<Vec<machine::Atom>, String> {
    let atom = |piece: Piece| match piece {
        Piece::Text(text) => Ok(machine::Atom::Text(text)),
        Piece::Secret(name) => Ok(machine::Atom::Secret(name)),
        Piece::Opaque(value) => L::lower(value).map(machine::Atom::Opaque),
        Piece::Token(grant) => Ok(machine::Atom::Token(grant)),
        Piece::Basic { .. } => Err("a `Basic` piece holds another; it can hold every other kind".to_owned()),
    };
    pieces.into_iter().map(atom).collect()
}

fn frame(frame: Frame) -> machine::Frame {
    match frame {
        Frame::Text(text) => machine::Frame::Text(text),
        Frame::Bytes(bytes) => machine::Frame::Bytes(bytes),
    }
}

fn payload<L: Lower>(payload: Payload) -> Result<machine::Payload, String> {
    Ok(match payload {
        Payload::Empty => machine::Payload::Empty,
        Payload::Text(text) => machine::Payload::Text(text),
        Payload::Bytes(bytes) => machine::Payload::Bytes(bytes),
        Payload::Form(form) => machine::Payload::Form(self::form::<L>(form)?),
        Payload::Held(name) => machine::Payload::Held(name),
    })
}

fn form<L: Lower>(form: Form) -> Result<machine::Form, String> {
    let parts = form.parts.into_iter().map(part::<L>).collect::<Result<_, _>>()?;
    Ok(machine::Form { encoding: form.encoding.as_str().to_owned(), parts })
}

fn part<L: Lower>(part: Part) -> Result<machine::Part, String> {
    let data = match part.data {
        Data::Pieces(pieces) => machine::Data::Pieces(self::pieces::<L>(pieces)?),
        Data::Bytes(bytes) => machine::Data::Bytes(bytes),
        Data::Held(name) => machine::Data::Held(name),
    };
    Ok(machine::Part {
        name: part.name,
        filename: part.filename,
        content_type: part.content_type,
        data,
        extras: Vec::new(),
    })
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
        until: fault.until,
        param: fault.param,
        message: fault.message,
        vendor: fault.vendor,
        extras: Vec::new(),
    }
}

fn extra(extra: Extra) -> machine::Extra {
    machine::Extra { name: extra.name, json: extra.json }
}
