//! The client's side of an exchange: what the adapter emits and what the host passes on by itself, in the form the client asked for.

use std::time::{Duration, Instant};

use domain::{Fault, FaultCode, Usage};
use quota::Outcome;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::{
    admit::{Admission, Ask},
    assemble::Assembly,
    chunk::{Kind, Look},
    count,
    outlet::{Outlet, Part, gone},
    rechunk::rechunked,
    rooms::Limits,
};

/// The pause between the pieces of a whole answer that is streamed to the client.
const PIECE_PAUSE: Duration = Duration::from_millis(200);
/// Lost fields that the client is told of, and bytes of the name of each.
const LOSSES_MAX: usize = 32;
const LOSS_BYTES_MAX: usize = 128;
/// The most pauses in one answer.
const PAUSES: usize = 10;
/// How long the last parts wait for a client that reads slowly.
const LAST_PART: Duration = Duration::from_secs(5);

/// How deep canonical JSON may be nested: readers of it give up at this depth.
const DEPTH_MAX: usize = 128;

/// What a relay has produced, for the settlement.
pub(crate) struct Produced {
    pub(crate) usage: Usage,
    pub(crate) losses: Vec<String>,
    pub(crate) first_token: Option<Instant>,
}

/// Collects, rewrites and sends. One per exchange, whatever the number of attempts.
pub(crate) struct Relay {
    model_json: String,
    streaming: bool,
    include_usage: bool,
    outlet: Outlet,
    watch: Watch,
    usage: Option<Usage>,
    losses: Vec<String>,
    produced: String,
    assembly: Assembly,
    whole: Option<String>,
    finished: bool,
    first_token: Option<Instant>,
    last_sent: Instant,
    /// `id` and `created` of the answer, JSON: the vendor's, until then our own.
    stamp: (String, String),
    own_stamp: bool,
    upstream_status: u16,
    operation: &'static str,
    /// Bytes that the adapter emitted, or had passed on.
    emitted: usize,
    /// The exchange was parked: it goes on when its client leaves.
    parked: bool,
    /// The client has left, or was told to come back for the answer.
    detached: bool,
}

/// What ends an exchange from outside, and when.
pub(crate) struct Watch {
    pub(crate) limits: Limits,
    pub(crate) stopping: CancellationToken,
    pub(crate) began: Instant,
    pub(crate) deadline: Instant,
}

impl Watch {
    /// The answer took too long.
    pub(crate) fn too_long(&self) -> Fault {
        let seconds = self.deadline.duration_since(self.began).as_secs();
        Fault::new(FaultCode::UpstreamTimeout, format!("the answer took longer than {seconds} s"))
    }

    /// The process is about to end.
    pub(crate) fn ending() -> Fault {
        Fault::new(FaultCode::Unavailable, "the gateway is stopping").with_retry_after(Duration::from_secs(1))
    }
}

impl Relay {
    pub(crate) fn new(ask: &Ask, admission: &Admission, outlet: Outlet, watch: Watch) -> Relay {
        Relay {
            model_json: Value::from(admission.model.as_str()).to_string(),
            streaming: admission.streaming,
            include_usage: admission.include_usage,
            outlet,
            watch,
            usage: None,
            losses: Vec::new(),
            produced: String::new(),
            assembly: Assembly::default(),
            whole: None,
            finished: false,
            first_token: None,
            last_sent: Instant::now(),
            stamp: (Value::from(format!("chatcmpl-{}", ask.request)).to_string(), (ask.arrived_ms / 1_000).to_string()),
            own_stamp: true,
            upstream_status: 0,
            operation: ask.operation,
            emitted: 0,
            parked: false,
            detached: false,
        }
    }

    /// A new try begins: what the last one reported is not its answer.
    pub(crate) fn begin_attempt(&mut self) {
        self.usage = None;
        self.losses.clear();
        self.finished = false;
        self.set_upstream_head(0, &http::HeaderMap::new());
    }

    /// What ends the exchange from outside.
    pub(crate) fn watch(&self) -> &Watch {
        &self.watch
    }

    /// Finished and counted: nothing that may still come matters.
    pub(crate) fn complete(&self) -> bool {
        self.finished && self.usage.is_some()
    }

    /// Whether a byte has gone to the client or an answer has begun to form: then there is no other try.
    pub(crate) fn started(&self) -> bool {
        self.outlet.opened() || self.begun()
    }

    /// Whether there is something of the answer. Signs of life, and that it comes later, may be out before.
    pub(crate) fn begun(&self) -> bool {
        self.first_token.is_some()
    }

    pub(crate) fn finished(&self) -> bool {
        self.finished
    }

    pub(crate) fn set_finished(&mut self) {
        self.finished = true;
    }

    pub(crate) fn upstream_status(&self) -> u16 {
        self.upstream_status
    }

    pub(crate) fn set_upstream_head(&mut self, status: u16, headers: &http::HeaderMap) {
        self.upstream_status = status;
        self.outlet.pass_on(headers);
    }

    pub(crate) fn set_usage(&mut self, usage: Usage) {
        self.usage = Some(usage);
    }

    pub(crate) fn lose(&mut self, field: String) {
        // They go into one header: what does not fit there would hide the others.
        let fits = field.len() <= LOSS_BYTES_MAX && field.bytes().all(|byte| byte.is_ascii_graphic());
        if fits && self.losses.len() < LOSSES_MAX && !self.losses.contains(&field) {
            self.losses.push(field);
        }
    }

    /// Resolves when the client left and the exchange ends with that. One that was parked goes on.
    pub(crate) async fn client_left(&mut self) {
        if !self.detached {
            self.outlet.left().await;
            if !self.parked {
                return;
            }
            self.detached = true;
        }
        std::future::pending().await
    }

    /// The exchange waits, and is kept: from now on it has more time, and goes on without its client. `async_ok`: the client asked not to
    /// wait for it.
    pub(crate) fn parked(&mut self, async_ok: bool) {
        if !self.parked {
            self.parked = true;
            self.watch.deadline += self.watch.limits.parked_total.saturating_sub(self.watch.limits.total);
        }
        if async_ok && !self.streaming && !self.outlet.opened() {
            self.outlet.accept();
            self.detached = true;
        }
    }

    pub(crate) fn was_parked(&self) -> bool {
        self.parked
    }

    /// What is kept for a client that is gone; nothing for one that is here.
    pub(crate) fn outcome(&self, fault: Option<&Fault>) -> Option<Outcome> {
        if !self.detached && !self.outlet.is_closed() {
            return None;
        }
        Some(match (fault, self.whole_answer()) {
            (Some(fault), _) => {
                Outcome::Failed { code: fault.code.as_str().to_owned(), message: fault.message.clone() }
            }
            (None, Some(answer)) => Outcome::Answer(answer),
            (None, None) => {
                let fault = broken("no answer was emitted");
                Outcome::Failed { code: fault.code.as_str().to_owned(), message: fault.message }
            }
        })
    }

    /// When the next comment is due; never for a whole answer.
    pub(crate) fn ping_at(&self) -> Option<Instant> {
        (self.streaming && !self.detached).then(|| self.last_sent + self.watch.limits.keepalive)
    }

    pub(crate) async fn ping(&mut self) -> Result<(), Fault> {
        self.part(Part::Ping).await
    }

    /// Passes a plain chunk on without the adapter. `look` is of `text`.
    pub(crate) async fn pass(&mut self, look: &Look<'_>) -> Result<(), Fault> {
        if self.operation != "chat" {
            return Err(broken(&format!("`{}` has no answers that could be passed on", self.operation)));
        }
        self.count(look.len())?;
        self.chunk(look).await
    }

    /// So many bytes more of the answer.
    fn count(&mut self, bytes: usize) -> Result<(), Fault> {
        self.emitted = self.emitted.saturating_add(bytes);
        let most = self.watch.limits.answer_max;
        if self.emitted > most {
            return Err(broken(&format!("the answer has more than {most} bytes (exchange.answer_max_bytes)")));
        }
        Ok(())
    }

    /// Takes what the adapter emitted: a chunk or a whole answer, whichever form the client asked for.
    pub(crate) async fn emit(&mut self, json: &str) -> Result<(), Fault> {
        self.count(json.len())?;
        if depth(json) > DEPTH_MAX {
            return Err(broken(&format!("the adapter emitted JSON that is nested more than {DEPTH_MAX} deep")));
        }
        let look = Look::at(json).ok_or_else(|| broken("the adapter emitted text that is not a JSON object"))?;
        if self.finished && !look.is_only_usage() {
            return Err(broken("the adapter went on emitting after `finish`"));
        }
        match (self.operation, look.kind) {
            ("chat", Kind::Chunk) => self.chunk(&look).await,
            ("chat", Kind::Whole) | ("embeddings", Kind::List) => self.whole(json, &look).await,
            _ => Err(broken(&format!("the adapter emitted JSON that is no answer of `{}`", self.operation))),
        }
    }

    async fn chunk(&mut self, look: &Look<'_>) -> Result<(), Fault> {
        self.begin();
        look.collect_text(&mut self.produced);
        if !self.streaming || self.parked {
            self.assembly.push(look.rewritten(&self.model_json, false).as_ref()).map_err(|what| broken(&what))?;
        }
        if !self.streaming || self.detached {
            return Ok(());
        }
        self.take_stamp(look);
        if look.is_only_usage() {
            return Ok(());
        }
        let text = look.rewritten(&self.model_json, true).into_owned();
        self.part(Part::Chunk(text)).await
    }

    async fn whole(&mut self, json: &str, look: &Look<'_>) -> Result<(), Fault> {
        if self.begun() {
            return Err(broken("the adapter emitted a whole answer beside another"));
        }
        self.begin();
        look.collect_text(&mut self.produced);
        self.take_stamp(look);
        if !self.streaming || self.parked {
            self.whole = Some(json.to_owned());
        }
        if !self.streaming || self.detached {
            return Ok(());
        }
        let pieces = rechunked(json, &self.model_json, &self.stamp)
            .ok_or_else(|| broken("the adapter emitted a whole answer without choices"))?;
        let mut pauses = 0;
        for piece in pieces {
            if piece.pause && pauses < PAUSES {
                pauses += 1;
                match self.pause().await {
                    Err(fault) if self.parked && fault.code == FaultCode::ClientGone => self.detached = true,
                    paused => paused?,
                }
            }
            if self.detached {
                return Ok(());
            }
            self.part(Part::Chunk(piece.json)).await?;
        }
        Ok(())
    }

    async fn pause(&mut self) -> Result<(), Fault> {
        tokio::select! {
            () = tokio::time::sleep(PIECE_PAUSE) => Ok(()),
            () = self.outlet.left() => Err(gone()),
            () = self.watch.stopping.cancelled() => Err(Watch::ending()),
        }
    }

    /// The vendor's `id` and `created`, of the first message that has both.
    fn take_stamp(&mut self, look: &Look<'_>) {
        if self.own_stamp {
            let text = |name: &str| look.get(name).map(|raw| raw.get().to_owned());
            if let Some(stamp) = text("id").zip(text("created")) {
                self.stamp = stamp;
                self.own_stamp = false;
            }
        }
    }

    fn begin(&mut self) {
        if self.first_token.is_none() {
            self.first_token = Some(Instant::now());
        }
    }

    /// Sends a part. A client that has stopped reading does not stop the clocks.
    async fn part(&mut self, part: Part) -> Result<(), Fault> {
        let sent = self.part_to_client(part).await;
        match sent {
            Err(fault) if self.parked && fault.code == FaultCode::ClientGone => {
                self.detached = true;
                // What was sent is not followed by an end as if it were whole.
                self.outlet.cut();
                Ok(())
            }
            sent => sent,
        }
    }

    async fn part_to_client(&mut self, part: Part) -> Result<(), Fault> {
        self.last_sent = Instant::now();
        let Some(part) = self.outlet.try_part(part, &self.losses)? else { return Ok(()) };
        let stalled = self.last_sent + self.watch.limits.stall;
        tokio::select! {
            sent = self.outlet.part_when_read(part) => sent,
            () = self.watch.stopping.cancelled() => Err(Watch::ending()),
            () = tokio::time::sleep_until(stalled.into()) => {
                Err(Fault::new(FaultCode::ClientGone, "the client stopped reading (exchange.stall_ms)"))
            }
            () = tokio::time::sleep_until(self.watch.deadline.into()) => Err(self.watch.too_long()),
        }
    }

    /// One of the last parts, after the settlement: it waits a little for a slow client, and for nothing else.
    async fn last_part(&mut self, part: Part) {
        if let Ok(Some(part)) = self.outlet.try_part(part, &self.losses) {
            let _unread = tokio::time::timeout(LAST_PART, self.outlet.part_when_read(part)).await;
        }
    }

    /// Answers with a refusal before anything was tried.
    pub(crate) async fn refuse(mut self, fault: Fault) {
        self.outlet.answer(Err(fault));
    }

    /// What the answer used: the vendor's report, else our own count of it.
    pub(crate) async fn produce(&mut self, request: bytes::Bytes) -> Produced {
        let usage = match self.usage.take() {
            Some(usage) => usage,
            None if self.first_token.is_none() => Usage::default(),
            None => count::estimate(request, std::mem::take(&mut self.produced)).await,
        };
        self.usage = Some(usage.clone());
        Produced { usage, losses: self.losses.clone(), first_token: self.first_token }
    }

    /// The whole answer with what the host adds: the model's public name, usage where there is none.
    fn whole_answer(&self) -> Option<String> {
        let usage = self.usage.as_ref().map(|usage| usage_json(usage, self.operation));
        let json = match &self.whole {
            Some(whole) => whole.clone(),
            None => self.assembly.clone().finish(),
        };
        Look::at(&json).map(|look| look.completed(&self.model_json, usage.as_deref()))
    }

    /// The last thing the client gets, after the settlement.
    pub(crate) async fn close(mut self, fault: Option<Fault>) {
        match (fault, self.streaming) {
            (Some(fault), _) if !self.outlet.opened() => self.outlet.answer(Err(fault)),
            (Some(fault), _) => {
                self.last_part(Part::Fault(fault)).await;
            }
            (None, false) => {
                let json = self.whole_answer().ok_or_else(|| broken("no answer was emitted"));
                let losses = std::mem::take(&mut self.losses);
                self.outlet.answer(json.map(|json| (json, losses)));
            }
            (None, true) => {
                let usage = self.usage.as_ref().map(|usage| usage_json(usage, self.operation));
                if let (true, Some(usage)) = (self.include_usage, usage) {
                    let chunk = self.usage_chunk(&usage);
                    self.last_part(Part::Chunk(chunk)).await;
                }
                self.last_part(Part::Done).await;
            }
        }
    }

    fn usage_chunk(&self, usage: &str) -> String {
        let (id, created) = &self.stamp;
        format!(
            r#"{{"id":{id},"object":"chat.completion.chunk","created":{created},"model":{},"choices":[],"usage":{usage}}}"#,
            self.model_json
        )
    }
}

/// How deep brackets are nested, those in strings aside.
fn depth(json: &str) -> usize {
    let (mut now, mut most, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                now += 1;
                most = most.max(now);
            }
            b'}' | b']' if !in_string => now = now.saturating_sub(1),
            _ => {}
        }
    }
    most
}

/// Our classes as the client's dialect counts them: cached inside prompt, reasoning inside completion.
fn usage_json(usage: &Usage, operation: &str) -> String {
    use domain::TokenClass::{AudioIn, AudioOut, CacheWrite1h, CacheWrite5m, CachedRead, Reasoning};
    let (prompt, completion) = (usage.prompt_tokens(), usage.completion_tokens());
    if operation == "embeddings" {
        return serde_json::json!({ "prompt_tokens": prompt, "total_tokens": prompt }).to_string();
    }
    let mut prompt_details = serde_json::json!({
        "cached_tokens": usage.count(CachedRead), "audio_tokens": usage.count(AudioIn),
    });
    let written = usage.count(CacheWrite5m) + usage.count(CacheWrite1h);
    if written > 0 {
        prompt_details["cache_write_tokens"] = written.into();
    }
    serde_json::json!({
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": prompt_details,
        "completion_tokens_details": {
            "reasoning_tokens": usage.count(Reasoning), "audio_tokens": usage.count(AudioOut),
        },
    })
    .to_string()
}

fn broken(what: &str) -> Fault {
    Fault::new(FaultCode::AdapterBroken, "the adapter for this model failed").with_detail(what)
}

#[cfg(test)]
mod tests;
