//! Calling a hostile guest, and what is wrong with what came back.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::{SseReader, eventually};

use super::{
    canary::Canary,
    cases::Is,
    stage::{LATEST, Stage},
};
use crate::{expect::Expected, setup::question};

/// The largest answer that says no.
const ERROR_MAX: usize = 16 << 10;
/// The headers of any answer together.
const HEADERS_MAX: usize = 16 << 10;

/// What a caller got.
pub(super) struct Got {
    status: u16,
    /// The code of the error; `-` when there is none.
    code: String,
    /// The text of the answer.
    said: String,
    headers: String,
    request: String,
    /// Everything that came, byte for byte as far as it is text.
    raw: String,
    took: Duration,
}

/// Calls a guest. The prompt says, disguised, what `scans-memory` looks for.
pub(super) async fn ask(stage: &Stage, name: &str, streaming: bool) -> Result<Got, String> {
    let begun = Instant::now();
    let disguise = |text: &str| text.bytes().map(|byte| format!("{:02x}", byte ^ 0x5a)).collect::<String>();
    let mut body = question(&format!("hostile-{name}"));
    let content = format!("find-me needle:{}: control:{}: ping", disguise(&stage.canary.secret), disguise("find-me"));
    body["messages"][0]["content"] = json!(content);
    body["stream"] = json!(streaming);
    let call = stage.gateway.call("POST", "/v1/chat/completions").bearer(&stage.key).json(&body);
    let call = async { read(call.try_open().await.map_err(|error| format!("no answer: {error:#}"))?).await };
    let got = tokio::time::timeout(LATEST, call).await;
    let mut got = got.map_err(|_| format!("no end of an answer after {LATEST:?}"))??;
    got.took = begun.elapsed();
    Ok(got)
}

async fn read(mut answer: SseReader) -> Result<Got, String> {
    let headers: String = answer.headers.iter().map(|(name, value)| format!("{name}: {value:?}\n")).collect();
    let mut got = Got {
        status: answer.status.as_u16(),
        code: "-".to_owned(),
        said: String::new(),
        headers,
        request: answer.header("x-request-id").to_owned(),
        raw: String::new(),
        took: Duration::ZERO,
    };
    if !answer.header("content-type").starts_with("text/event-stream") {
        let answer = answer.whole().await;
        if answer.broken {
            return Err("the connection was cut instead of closed".to_owned());
        }
        got.raw = answer.text();
        let body: Value = serde_json::from_str(&got.raw).map_err(|error| format!("not JSON ({error}): {}", got.raw))?;
        got.take(&body, "message");
        return Ok(got);
    }
    let mut done = false;
    while let Some(frame) = answer.next().await {
        let Some(data) = frame.data else { continue };
        if done {
            return Err(format!("an event after [DONE]: {data}"));
        }
        got.raw.push_str(&data);
        done = data == "[DONE]";
        if !done {
            let chunk =
                serde_json::from_str(&data).map_err(|error| format!("an event is not JSON ({error}): {data}"))?;
            got.take(&chunk, "delta");
        }
    }
    if done == (got.code == "-") {
        Ok(got)
    } else {
        Err(format!("done {done} and an error `{}`: {}", got.code, got.raw))
    }
}

impl Got {
    fn take(&mut self, body: &Value, part: &str) {
        if let Some(error) = body.get("error") {
            self.code = error["code"].as_str().unwrap_or_default().to_owned();
        }
        self.said.push_str(body["choices"][0][part]["content"].as_str().unwrap_or_default());
    }

    /// What is wrong with it, whatever was expected.
    fn is_clean(&self, canary: &Canary) -> Result<(), String> {
        if let Some(what) = canary.found_in(self.raw.as_bytes()).or_else(|| canary.found_in(self.headers.as_bytes())) {
            return Err(format!("{what} is in the answer: {}", cut(&self.raw)));
        }
        if self.headers.len() > HEADERS_MAX || self.headers.contains("set-cookie") || self.headers.contains("x-forged")
        {
            return Err(format!("headers: {}", cut(&self.headers)));
        }
        if self.code != "-" && self.raw.len() > ERROR_MAX {
            return Err(format!("an error of {} bytes", self.raw.len()));
        }
        if self.request.is_empty() {
            return Err("no request id".to_owned());
        }
        Ok(())
    }

    /// Whether it is what should come of this guest.
    pub(super) async fn check(&self, stage: &Stage, is: Is) -> Result<(), String> {
        self.is_clean(&stage.canary)?;
        match is {
            Is::Fails(expected, reasons) => {
                self.fails(expected)?;
                if !reasons.is_empty() {
                    self.is_explained(stage, reasons).await?;
                }
                Ok(())
            }
            Is::Says(text) if self.status == 200 && self.code == "-" && self.said.contains(text) => Ok(()),
            Is::Says(text) => Err(format!("{text:?} was expected instead of {}", self.shown())),
            Is::Unoffered if matches!(self.status, 404 | 503) => Ok(()),
            Is::Ends if self.code == "-" || is_documented(&self.code) => Ok(()),
            Is::Unoffered | Is::Ends | Is::Refused(_) => Err(format!("not {}", self.shown())),
        }
    }

    fn fails(&self, expected: Expected) -> Result<(), String> {
        // After the first byte of a stream the status is 200 and the error an event.
        let status = self.status == expected.status() || self.status == 200;
        let code = self.code == expected.code() || expected.code().is_empty() && self.code != "-";
        if status && code { Ok(()) } else { Err(format!("{expected:?} was expected instead of {}", self.shown())) }
    }

    /// The operator finds the reason beside the request's id.
    async fn is_explained(&self, stage: &Stage, reasons: &str) -> Result<(), String> {
        let lines = || -> Vec<String> {
            stage.gateway.log().lines().filter(|line| line.contains(&self.request)).map(str::to_owned).collect()
        };
        eventually("the request is in the log", testkit::DEADLINE, async || !lines().is_empty()).await;
        let found = lines().iter().any(|line| reasons.split('|').any(|reason| line.contains(reason)));
        if found { Ok(()) } else { Err(format!("the log does not say {reasons:?} of it but: {}", lines().join("\n"))) }
    }

    fn shown(&self) -> String {
        format!("{} `{}` after {:?}: {}", self.status, self.code, self.took, cut(&self.raw))
    }
}

/// Every code of an error that has to do with an upstream or its adapter.
fn is_documented(code: &str) -> bool {
    [
        "adapter_broken",
        "upstream_broken",
        "upstream_timeout",
        "upstream_unreachable",
        "egress_refused",
        "unsupported",
        "unavailable",
        "insufficient_quota",
    ]
    .contains(&code)
}

/// The beginning of a text, for people.
pub(super) fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(600)]
}
