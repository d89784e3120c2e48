//! What a component of contract 0.1 asks for, in the types of today. Nothing is judged here: codes and extras pass as they are.

use super::interface as old;
use crate::machine as new;

/// One effect.
pub(crate) fn effect(effect: old::Effect) -> new::Effect {
    match effect {
        old::Effect::Send(wanted) => new::Effect::Send(request(wanted)),
        old::Effect::Cancel(id) => new::Effect::Cancel(id),
        old::Effect::Sleep(pause) => new::Effect::Sleep(new::Pause { id: pause.id, ms: pause.ms }),
        old::Effect::Emit(json) => new::Effect::Emit(json),
        old::Effect::Relay(id) => new::Effect::Relay(id),
        old::Effect::Usage(counted) => new::Effect::Usage(usage(counted)),
        old::Effect::Loss(lost) => new::Effect::Loss(new::Lost { field: lost.field, what: lost.what }),
        old::Effect::Finish(reason) => new::Effect::Finish(reason),
        old::Effect::Fail(failed) => new::Effect::Fail(fault(failed)),
        old::Effect::Park(parked) => new::Effect::Park(new::Parked { state: parked.state, ms: parked.ms }),
        old::Effect::Ext(one) => new::Effect::Ext(extra(one)),
    }
}

fn request(request: old::Request) -> new::Request {
    new::Request {
        id: request.id,
        method: request.method,
        endpoint: request.endpoint,
        path: request.path,
        query: fields(request.query),
        headers: fields(request.headers),
        body: payload(request.body),
        framing: request.framing,
        extras: extras(request.extras),
    }
}

fn fields(fields: Vec<old::Field>) -> Vec<new::Field> {
    fields
        .into_iter()
        .map(|field| new::Field { name: field.name, value: field.value.into_iter().map(piece).collect() })
        .collect()
}

fn piece(piece: old::Piece) -> new::Piece {
    match piece {
        old::Piece::Text(text) => new::Piece::Text(text),
        old::Piece::Secret(name) => new::Piece::Secret(name),
        old::Piece::Opaque(number) => new::Piece::Opaque(number),
        old::Piece::Ext(one) => new::Piece::Ext(extra(one)),
    }
}

fn payload(payload: old::Payload) -> new::Payload {
    match payload {
        old::Payload::Empty => new::Payload::Empty,
        old::Payload::Text(text) => new::Payload::Text(text),
        old::Payload::Bytes(bytes) => new::Payload::Bytes(bytes),
        old::Payload::Held(name) => new::Payload::Held(name),
        old::Payload::Ext(one) => new::Payload::Ext(extra(one)),
        // The only encoding that 0.1 has.
        old::Payload::Form(parts) => new::Payload::Form(new::Form {
            encoding: "multipart".to_owned(),
            parts: parts.into_iter().map(part).collect(),
        }),
    }
}

fn part(part: old::Part) -> new::Part {
    new::Part {
        name: part.name,
        filename: part.filename,
        content_type: part.content_type,
        data: match part.data {
            old::Data::Text(text) => new::Data::Pieces(vec![new::Piece::Text(text)]),
            old::Data::Bytes(bytes) => new::Data::Bytes(bytes),
            old::Data::Held(name) => new::Data::Held(name),
            old::Data::Ext(one) => new::Data::Ext(extra(one)),
        },
        extras: extras(part.extras),
    }
}

fn usage(usage: old::Usage) -> new::Usage {
    new::Usage {
        amounts: usage
            .amounts
            .into_iter()
            .map(|amount| new::Amount { class: amount.class, count: amount.count })
            .collect(),
        estimated: usage.estimated,
        extras: extras(usage.extras),
    }
}

fn fault(fault: old::Fault) -> new::Fault {
    new::Fault {
        code: fault.code,
        status: fault.status,
        retry_after_ms: fault.retry_after_ms,
        until: None,
        param: None,
        message: fault.message,
        vendor: fault.vendor,
        extras: extras(fault.extras),
    }
}

fn extras(extras: Vec<old::Extra>) -> Vec<new::Extra> {
    extras.into_iter().map(extra).collect()
}

fn extra(extra: old::Extra) -> new::Extra {
    new::Extra { name: extra.name, json: extra.json }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn old_extra() -> old::Extra {
        old::Extra { name: "x-own".to_owned(), json: "{}".to_owned() }
    }

    fn new_extra() -> new::Extra {
        new::Extra { name: "x-own".to_owned(), json: "{}".to_owned() }
    }

    #[test]
    fn a_request_with_a_form_arrives_whole() {
        let asked = old::Request {
            id: 3,
            method: "POST".to_owned(),
            endpoint: "api".to_owned(),
            path: "/files".to_owned(),
            query: vec![old::Field { name: "q".to_owned(), value: vec![old::Piece::Opaque(2)] }],
            headers: vec![old::Field {
                name: "authorization".to_owned(),
                value: vec![old::Piece::Text("Bearer ".to_owned()), old::Piece::Secret("key".to_owned())],
            }],
            body: old::Payload::Form(vec![old::Part {
                name: "purpose".to_owned(),
                filename: None,
                content_type: None,
                data: old::Data::Text("batch".to_owned()),
                extras: vec![old_extra()],
            }]),
            framing: "text".to_owned(),
            extras: Vec::new(),
        };
        let new::Effect::Send(got) = effect(old::Effect::Send(asked)) else { panic!("not a request") };
        assert_eq!(
            (got.id, got.method.as_str(), got.path.as_str(), got.framing.as_str()),
            (3, "POST", "/files", "text")
        );
        assert_eq!(got.query[0].value, [new::Piece::Opaque(2)]);
        assert_eq!(got.headers[0].value[1], new::Piece::Secret("key".to_owned()));
        let new::Payload::Form(form) = got.body else { panic!("not a form") };
        assert_eq!(form.encoding, "multipart");
        assert_eq!(form.parts[0].data, new::Data::Pieces(vec![new::Piece::Text("batch".to_owned())]));
        assert_eq!(form.parts[0].extras, [new_extra()]);
    }

    #[test]
    fn codes_and_extras_pass_untouched() {
        assert_eq!(effect(old::Effect::Ext(old_extra())), new::Effect::Ext(new_extra()));
        let failed = old::Fault {
            code: "a-code-of-tomorrow".to_owned(),
            status: 418,
            retry_after_ms: Some(5),
            message: "no".to_owned(),
            vendor: "{}".to_owned(),
            extras: vec![old_extra()],
        };
        let new::Effect::Fail(got) = effect(old::Effect::Fail(failed)) else { panic!("not a fault") };
        assert_eq!((got.code.as_str(), got.status, got.retry_after_ms), ("a-code-of-tomorrow", 418, Some(5)));
        assert_eq!((got.until, got.param), (None, None));
        assert_eq!(got.extras, [new_extra()]);
    }
}
