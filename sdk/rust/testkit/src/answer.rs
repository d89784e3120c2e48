//! The vendor's answer to one request, from its file: head, parts and end as the host would tell them.

use crate::dialogue::{self, Line};
use crate::frames::{Content, Cutter, Frame};
use crate::{Case, case, withhold};
use std::borrow::Cow;
use std::collections::BTreeSet;
use witgate_sdk::{Binary, Event, Failure, Framing, Head, Message, Request};

/// What comes after the first dot in an answer's file.
pub(crate) const ENDINGS: [&str; 7] = ["json", "sse", "ndjson", "txt", "bin", "events.json", "ws.ndjson"];
/// Failures of a request that has no answer.
const NO_ANSWER: [&str; 3] = ["connect", "timeout-first-byte", "refused-by-host"];
/// Steps that a `bytes` answer is told in, one piece at a time, and places where it is split in two; at most.
const PIECES_MAX: usize = 512;

/// An answer.
pub(crate) struct Reply {
    /// None when there is no answer.
    pub(crate) head: Option<Head>,
    pub(crate) parts: Parts,
    /// The end, or the failure in its place.
    pub(crate) last: Event,
    /// The whole text, when a grant sees only a part of it.
    pub(crate) original: Option<String>,
}

pub(crate) enum Parts {
    Frames(Vec<Frame>, BTreeSet<usize>),
    Bytes(Vec<u8>),
    Dialogue(Vec<Line>),
}

impl Parts {
    fn none() -> Parts {
        Parts::Frames(Vec::new(), BTreeSet::new())
    }

    /// Where the answer can be split in two so that the adapter notices: after that many messages, or bytes.
    pub(crate) fn cuts(&self) -> Vec<usize> {
        match self {
            Parts::Frames(_, cuts) => cuts.iter().copied().collect(),
            Parts::Bytes(bytes) => (0..=bytes.len()).step_by(bytes.len() / PIECES_MAX + 1).collect(),
            Parts::Dialogue(_) => Vec::new(),
        }
    }

    /// One event for each part; `cut` is a place where bytes are split.
    pub(crate) fn events(&self, id: u32, cut: Option<usize>) -> Vec<Event> {
        match self {
            Parts::Frames(frames, _) => frames.iter().map(|frame| event(id, frame.clone())).collect(),
            Parts::Bytes(bytes) => {
                let pieces: Vec<&[u8]> = match cut {
                    Some(at) => <[&[u8]; 2]>::from(bytes.split_at(at.min(bytes.len()))).into(),
                    None => bytes.chunks(bytes.len() / PIECES_MAX + 1).collect(),
                };
                let pieces = pieces.into_iter().filter(|piece| !piece.is_empty());
                pieces.map(|piece| Event::Body { id, data: piece.to_vec() }).collect()
            }
            Parts::Dialogue(_) => Vec::new(),
        }
    }
}

/// The event of a message.
pub(crate) fn event(id: u32, frame: Frame) -> Event {
    let Frame { name, headers, content } = frame;
    match content {
        Content::Text(data) => Event::Message(Message { id, name, headers, data }),
        Content::Bytes(data) => Event::Binary(Binary { id, name, headers, data }),
    }
}

/// The answer to the `number`-th request; none when nothing ever comes.
pub(crate) fn reply(
    case: &Case,
    number: usize,
    request: &Request,
    cutter: &dyn Cutter,
) -> Result<Option<Reply>, String> {
    let (id, known) = (request.id, case.answer(number));
    if known.silent {
        return Ok(None);
    }
    let failed = known
        .failure
        .as_ref()
        .map(|code| Event::Failed(Failure { id, code: code.clone(), text: format!("the connection failed: {code}") }));
    if let (Some(code), Some(last)) = (known.failure.as_deref(), &failed)
        && NO_ANSWER.contains(&code)
    {
        return Ok(Some(Reply { head: None, parts: Parts::none(), last: last.clone(), original: None }));
    }
    let (ending, bytes) = file(case, number)?;
    let broken_off = failed.is_some();
    let last = failed.unwrap_or(Event::End(id));
    let usual = if ending == "ws.ndjson" { 101 } else { 200 };
    let status = known.status.unwrap_or(usual);
    let mut headers: Vec<(String, String)> =
        known.headers.iter().map(|(name, value)| (name.to_lowercase(), value.clone())).collect();
    if !headers.iter().any(|(name, _)| name == "content-type")
        && let Some(kind) = content_type(ending)
    {
        headers.push(("content-type".to_owned(), kind.to_owned()));
    }
    let framing = effective(request.framing, ending, status, &headers)?;
    let (parts, original) = parts(case, framing, ending, bytes, status, broken_off, cutter)
        .map_err(|what| format!("{}.{ending}: {what}", case::name_of("upstream-response", number)))?;
    if case.capability == "grant" {
        headers.retain(|(name, _)| withhold::HEADERS.contains(&name.as_str()));
    }
    let head = Some(Head { id, status, headers, framing: framing.as_str().to_owned() });
    Ok(Some(Reply { head, parts, last, original }))
}

fn file(case: &Case, number: usize) -> Result<(&'static str, &[u8]), String> {
    let name = case::name_of("upstream-response", number);
    let mut found = None;
    for ending in ENDINGS {
        let Some(bytes) = case.files.get(&format!("{name}.{ending}")) else { continue };
        if let Some((other, _)) = found.replace((ending, bytes.as_slice())) {
            return Err(format!("there are two answers, {name}.{other} and {name}.{ending}"));
        }
    }
    found.ok_or_else(|| format!("request {number} was sent, but there is no {name} file"))
}

fn content_type(ending: &str) -> Option<&'static str> {
    match ending {
        "json" => Some("application/json"),
        "sse" => Some("text/event-stream"),
        "ndjson" => Some("application/x-ndjson"),
        "events.json" => Some("application/vnd.amazon.eventstream"),
        "txt" => Some("text/plain"),
        "bin" => Some("application/octet-stream"),
        _ => None,
    }
}

/// How the answer arrives in fact: an error, and an answer of another kind than asked for, comes whole.
fn effective(asked: Framing, ending: &str, status: u16, headers: &[(String, String)]) -> Result<Framing, String> {
    let only = match ending {
        "sse" => Some(Framing::Sse),
        "ndjson" => Some(Framing::Ndjson),
        "events.json" => Some(Framing::AwsEventStream),
        "ws.ndjson" => Some(Framing::WebSocket),
        _ => None,
    };
    if only.is_some_and(|only| only != asked) {
        return Err(format!("the answer is .{ending}, but the request asks for framing `{}`", asked.as_str()));
    }
    if status >= 400 {
        return Ok(Framing::Text);
    }
    let media = headers.iter().find(|(name, _)| name == "content-type").map_or("", |(_, value)| value.as_str());
    let media = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let page = matches!(media.as_str(), "text/html" | "application/xhtml+xml" | "text/xml" | "application/xml");
    let json = matches!(media.as_str(), "application/json" | "text/json" | "application/problem+json");
    let fits = match asked {
        Framing::Text | Framing::Bytes | Framing::WebSocket => true,
        Framing::Sse | Framing::AwsEventStream => !page && !json && media != "text/plain",
        Framing::Ndjson | Framing::JsonArray => {
            !page && !matches!(media.as_str(), "text/event-stream" | "application/problem+json")
        }
    };
    if asked == Framing::WebSocket && ending != "ws.ndjson" {
        return Err("a WebSocket is answered by .ws.ndjson, or by an error status".to_owned());
    }
    Ok(if fits { asked } else { Framing::Text })
}

fn parts(
    case: &Case,
    framing: Framing,
    ending: &str,
    bytes: &[u8],
    status: u16,
    broken_off: bool,
    cutter: &dyn Cutter,
) -> Result<(Parts, Option<String>), String> {
    let encoded = if ending == "events.json" && framing == Framing::AwsEventStream {
        let list = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8")?;
        Cow::Owned(crate::frames::event_stream::encode(list)?)
    } else {
        Cow::Borrowed(bytes)
    };
    match framing {
        Framing::Bytes => Ok((Parts::Bytes(encoded.into_owned()), None)),
        Framing::WebSocket => dialogue::read(bytes).map(|lines| (Parts::Dialogue(lines), None)),
        Framing::Text if broken_off => Ok((Parts::none(), None)),
        Framing::Text => {
            let whole = match String::from_utf8(encoded.into_owned()) {
                Ok(whole) => whole,
                Err(error) if status >= 400 => String::from_utf8_lossy(error.as_bytes()).into_owned(),
                Err(_) => return Err("it is not UTF-8".to_owned()),
            };
            if case.capability == "grant" && status < 400 {
                let seen = withhold::withheld(&whole);
                return Ok((Parts::Frames(vec![Frame::text(seen)], BTreeSet::new()), Some(whole)));
            }
            Ok((Parts::Frames(vec![Frame::text(whole)], BTreeSet::new()), None))
        }
        Framing::Sse | Framing::Ndjson | Framing::JsonArray | Framing::AwsEventStream => {
            let cut = cutter.cut(framing, &encoded, !broken_off)?;
            if let Some(what) = cut.broken
                && !broken_off
            {
                return Err(format!("{what}; a case about that says `\"failure\": \"bad-framing\"` in its answer"));
            }
            let (places, frames): (Vec<usize>, Vec<Frame>) = cut.frames.into_iter().unzip();
            // How many messages are complete when the bytes are split at `at`, for every `at`.
            let complete = |at: usize| places.iter().filter(|place| **place <= at).count();
            let cuts = std::iter::once(0).chain(places.iter().copied()).map(complete).collect();
            Ok((Parts::Frames(frames, cuts), None))
        }
    }
}
