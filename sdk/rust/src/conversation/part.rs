//! The parts of a message's content.

use serde_json::{Map, Value};

/// A part of a content.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// Text.
    Text {
        /// The text.
        text: String,
        /// What else the client put there: `cache_control`.
        extra: Map<String, Value>,
    },
    /// A picture: `image_url`.
    Image {
        /// Where it is.
        media: Media,
        /// `low`, `high` or `auto`, when the client says it.
        detail: Option<String>,
    },
    /// Sound: `input_audio`.
    Audio {
        /// base64.
        data: String,
        /// `wav`, `mp3`.
        format: String,
    },
    /// A moving picture: `video_url`.
    Video(Media),
    /// A document: `file`.
    File {
        /// Where it is.
        media: Media,
        /// What it is called.
        filename: Option<String>,
    },
    /// Why the model refused, in an earlier answer.
    Refusal(String),
    /// A part that OpenAI's API does not have: `thinking`, and what is invented tomorrow.
    Other(Map<String, Value>),
}

/// Where something is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Media {
    /// At an address.
    Url(String),
    /// In a data URL.
    Data {
        /// The media type: `image/png`.
        mime: String,
        /// base64, or the host's token for it.
        data: String,
    },
    /// With the vendor, under this id.
    Id(String),
}

impl Media {
    /// Reads a URL. A data URL that is not base64 stays a URL.
    pub fn read(url: &str) -> Media {
        let data = url.strip_prefix("data:").and_then(|rest| rest.split_once(','));
        match data.and_then(|(kind, data)| Some((kind.strip_suffix(";base64")?, data))) {
            Some((kind, data)) => {
                let mime = kind.split(';').next().filter(|mime| !mime.is_empty()).unwrap_or("text/plain");
                Media::Data { mime: mime.to_owned(), data: data.to_owned() }
            }
            None => Media::Url(url.to_owned()),
        }
    }
}

/// The parts of a content, which may be a text, a list of parts, or `null`.
///
/// # Errors
/// What is wrong with it, in words.
pub fn parts(content: &Value) -> Result<Vec<Part>, String> {
    match content {
        Value::Null => Ok(Vec::new()),
        Value::String(text) => Ok(vec![Part::Text { text: text.clone(), extra: Map::new() }]),
        Value::Array(parts) => parts.iter().enumerate().map(|(index, value)| part(value, index)).collect(),
        _ => Err("`content` must be a text or a list of parts".to_owned()),
    }
}

/// All text of a content, joined.
pub fn text(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(|part| part.get("text")?.as_str()).collect(),
        _ => String::new(),
    }
}

fn part(value: &Value, index: usize) -> Result<Part, String> {
    let Value::Object(object) = value else { return Err(format!("`content[{index}]` must be an object")) };
    let kind = object.get("type").and_then(Value::as_str).unwrap_or_default();
    let place = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let need = |pointer: &str| {
        let field = pointer.trim_start_matches('/').replace('/', ".");
        place(pointer).ok_or_else(|| format!("`content[{index}].{field}` must be a text"))
    };
    // Some clients write the address itself in place of an object with `url`.
    let address = |field: &str| place(&format!("/{field}")).map_or_else(|| need(&format!("/{field}/url")), Ok);
    Ok(match kind {
        "text" | "input_text" | "output_text" => {
            let mut extra = object.clone();
            extra.retain(|name, _| !matches!(name.as_str(), "type" | "text"));
            Part::Text { text: need("/text")?, extra }
        }
        "image_url" => Part::Image { media: Media::read(&address("image_url")?), detail: place("/image_url/detail") },
        "video_url" => Part::Video(Media::read(&address("video_url")?)),
        "input_audio" => Part::Audio { data: need("/input_audio/data")?, format: need("/input_audio/format")? },
        "file" => {
            let media = match (place("/file/file_id"), place("/file/file_data")) {
                (Some(id), _) => Media::Id(id),
                (None, Some(data)) => Media::read(&data),
                (None, None) => return Err(format!("`content[{index}].file` needs `file_data` or `file_id`")),
            };
            Part::File { media, filename: place("/file/filename") }
        }
        "refusal" => Part::Refusal(need("/refusal")?),
        "" => return Err(format!("`content[{index}].type` must be a text")),
        _ => Part::Other(object.clone()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn addresses_and_data_are_told_apart() {
        let data = |mime: &str| Media::Data { mime: mime.into(), data: "AA==".into() };
        assert_eq!(Media::read("data:image/png;base64,AA=="), data("image/png"));
        assert_eq!(Media::read("data:audio/wav;rate=8000;base64,AA=="), data("audio/wav"));
        assert_eq!(Media::read("data:;base64,AA=="), data("text/plain"));
        for url in ["https://a.test/x,y", "data:text/plain,hi", "data:image/png;base64"] {
            assert_eq!(Media::read(url), Media::Url(url.into()));
        }
    }

    #[test]
    fn every_kind_of_part_is_read() {
        let url = || Media::Url("https://a.test".into());
        for (value, part) in [
            (json!({"type": "text", "text": "a"}), Part::Text { text: "a".into(), extra: Map::new() }),
            (
                json!({"type": "thinking", "thinking": "hm"}),
                Part::Other(json!({"type": "thinking", "thinking": "hm"}).as_object().unwrap().clone()),
            ),
            (
                json!({"type": "image_url", "image_url": {"url": "https://a.test", "detail": "low"}}),
                Part::Image { media: url(), detail: Some("low".into()) },
            ),
            (json!({"type": "image_url", "image_url": "https://a.test"}), Part::Image { media: url(), detail: None }),
            (json!({"type": "video_url", "video_url": {"url": "https://a.test"}}), Part::Video(url())),
            (
                json!({"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}}),
                Part::Audio { data: "AA==".into(), format: "wav".into() },
            ),
            (
                json!({"type": "file", "file": {"file_id": "f1", "filename": "a.pdf"}}),
                Part::File { media: Media::Id("f1".into()), filename: Some("a.pdf".into()) },
            ),
            (json!({"type": "refusal", "refusal": "no"}), Part::Refusal("no".into())),
        ] {
            assert_eq!(parts(&json!([value])), Ok(vec![part]));
        }
        let marked = json!({"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}});
        let Part::Text { text: marked_text, extra } = &parts(&json!([marked])).unwrap()[0] else { panic!() };
        assert_eq!((marked_text.as_str(), extra.len()), ("a", 1));
        assert_eq!(text(&json!([marked, {"type": "text", "text": "b"}])), "ab");
    }

    #[test]
    fn wrong_parts_are_named() {
        for (content, what) in [
            (json!({}), "`content` must be a text or a list of parts"),
            (json!(["a"]), "`content[0]` must be an object"),
            (json!([{"text": "a"}]), "`content[0].type` must be a text"),
            (json!([{"type": "image_url", "image_url": {}}]), "`content[0].image_url.url` must be a text"),
            (json!([{"type": "file", "file": {}}]), "`content[0].file` needs `file_data` or `file_id`"),
        ] {
            assert_eq!(parts(&content), Err(what.to_owned()), "{content}");
        }
    }
}
