//! Reads the client's request: what to say back, how many words came in, and what is ignored.

use serde::Deserialize;
use witgate_sdk::{Body, Fault};

/// Fields that an echo honors, or that say nothing about the answer: it is the same at every temperature.
const HONORED: &[&str] = &[
    "model",
    "messages",
    "n",
    "stream",
    "stream_options",
    "temperature",
    "top_p",
    "seed",
    "frequency_penalty",
    "presence_penalty",
    "logit_bias",
    "user",
    "safety_identifier",
    "prompt_cache_key",
    "metadata",
    "store",
    "service_tier",
];

/// What is to be said.
#[derive(Debug, PartialEq)]
pub(crate) struct Echo {
    /// The last user message's text.
    pub(crate) text: String,
    /// Words in all messages.
    pub(crate) words: u32,
    /// Fields that are ignored, and why.
    pub(crate) losses: Vec<(String, String)>,
}

#[derive(Deserialize)]
struct Message {
    role: String,
    #[serde(default)]
    content: Option<Content>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Deserialize)]
struct Part {
    text: Option<String>,
}

impl Message {
    fn text(&self) -> String {
        match &self.content {
            Some(Content::Text(text)) => text.clone(),
            Some(Content::Parts(parts)) => parts.iter().filter_map(|part| part.text.as_deref()).collect(),
            None => String::new(),
        }
    }

    /// Whether there is something in it that is no text.
    fn has_media(&self) -> bool {
        matches!(&self.content, Some(Content::Parts(parts)) if parts.iter().any(|part| part.text.is_none()))
    }
}

impl Echo {
    /// # Errors
    /// `invalid-request` when there is nothing to echo, or more than one answer is wanted.
    pub(crate) fn read(body: &Body) -> Result<Echo, Fault> {
        if body.optional::<u64>("n")?.is_some_and(|n| n != 1) {
            return Err(Fault::invalid_request("`n` must be 1: the echo gives one answer"));
        }
        let messages: Vec<Message> = body.required("messages")?;
        let Some(last) = messages.iter().rfind(|message| message.role == "user") else {
            return Err(Fault::invalid_request(
                "`messages` has no message with the role `user`, so there is nothing to echo",
            ));
        };
        let ignored = |key: &&str| !HONORED.contains(key) && body.raw(key) != Some("null");
        let mut losses: Vec<(String, String)> =
            body.keys().filter(ignored).map(|key| (key.to_owned(), "the echo ignores it".to_owned())).collect();
        if last.has_media() {
            losses.push(("messages".to_owned(), "only text is echoed".to_owned()));
        }
        let words = messages.iter().map(|message| words(&message.text())).fold(0, u32::saturating_add);
        Ok(Echo { text: last.text(), words, losses })
    }
}

/// Words, which stand for tokens here.
pub(crate) fn words(text: &str) -> u32 {
    u32::try_from(text.split_whitespace().count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use witgate_sdk::Code;

    fn read(body: &str) -> Result<Echo, Fault> {
        Echo::read(&Body::parse(body).unwrap())
    }

    #[test]
    fn the_last_user_message_counts() {
        let echo = read(
            r#"{"messages":[{"role":"system","content":"be brief"},{"role":"user","content":"one"},
                {"role":"assistant","content":null},{"role":"user","content":[{"type":"text","text":"two "},{"type":"text","text":"three"}]},
                {"role":"tool","content":"x"}],"temperature":1,"tools":null}"#,
        );
        assert_eq!(echo, Ok(Echo { text: "two three".into(), words: 6, losses: vec![] }));
    }

    #[test]
    fn media_is_a_loss() {
        let echo =
            read(r#"{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}}]}]}"#).unwrap();
        assert_eq!(echo.text, "");
        assert_eq!(echo.losses, [("messages".to_owned(), "only text is echoed".to_owned())]);
    }

    #[test]
    fn wrong_requests_say_what_is_wrong() {
        for (body, part) in [
            (r#"{"messages":[{"role":"user","content":"a"}],"n":2}"#, "`n` must be 1"),
            (r#"{"messages":[{"role":"user","content":"a"}],"n":"2"}"#, "`n`: invalid type"),
            (r#"{"messages":[{"role":"system","content":"a"}]}"#, "no message with the role `user`"),
            (r#"{"messages":[]}"#, "no message with the role `user`"),
            (r#"{"messages":"hi"}"#, "`messages`: invalid type"),
            (r"{}", "`messages` is required"),
        ] {
            let fault = read(body).unwrap_err();
            assert_eq!(fault.code, Code::InvalidRequest);
            assert!(fault.message.contains(part), "{body}: {}", fault.message);
        }
    }
}
