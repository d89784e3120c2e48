//! How large what an adapter asks for is.

use witgate_sdk::{Data, Effect, Frame, Part, Payload, Piece, Request};

/// About how many bytes an effect is; none is free.
pub(super) fn size(effect: &Effect) -> usize {
    let large = match effect {
        Effect::Send(request) => request_size(request),
        Effect::WsSend { message: Frame::Text(text), .. } | Effect::Emit(text) | Effect::Finish(text) => text.len(),
        Effect::WsSend { message: Frame::Bytes(bytes), .. } => bytes.len(),
        Effect::Fetch { url, .. } => url.len(),
        Effect::Loss { field, what } => field.len() + what.len(),
        Effect::Fail(fault) => fault.message.len() + fault.vendor.len(),
        Effect::Park { state, .. } => state.len(),
        Effect::Grant { pointer, .. } => pointer.len(),
        Effect::Usage(usage) => usage.amounts.len() * 8,
        Effect::Cancel(_) | Effect::Sleep { .. } | Effect::Relay(_) | Effect::Ext(_) => 0,
    };
    large + 128
}

fn request_size(request: &Request) -> usize {
    let pieces = |pieces: &[Piece]| {
        pieces.iter().map(|piece| if let Piece::Text(text) = piece { text.len() } else { 64 }).sum::<usize>()
    };
    let fields = request.query.iter().chain(&request.headers);
    let fields: usize = fields.map(|(name, value)| name.len() + pieces(value) + 64).sum();
    let part = |part: &Part| match &part.data {
        Data::Pieces(value) => pieces(value),
        Data::Bytes(bytes) => bytes.len(),
        Data::Held(name) => name.len(),
    };
    let body = match &request.body {
        Payload::Text(text) | Payload::Held(text) => text.len(),
        Payload::Bytes(bytes) => bytes.len(),
        Payload::Form(form) => form.parts.iter().map(|each| part(each) + 64).sum(),
        Payload::Empty => 0,
    };
    request.path.len() + fields + body
}
