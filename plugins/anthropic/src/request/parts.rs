//! The content of a message: a text or a list of parts, as blocks.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::value::RawValue;
use witgate_sdk::Fault;
use witgate_sdk::conversation::Media;

use crate::fault::{refused, unread};
use crate::lost::Lost;
use crate::wire::ask::{Block, Source, Text};
use crate::wire::canonical::{File, Image, Part};

/// The pictures that the vendor looks at.
const PICTURES: &[&str] = &["image/jpeg", "image/png", "image/gif", "image/webp"];

/// Where a content is, for errors.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) message: usize,
}

impl Place {
    /// A fault about the whole message.
    pub(crate) fn refused(self, what: impl Into<String>) -> Fault {
        refused(format!("messages[{}]", self.message), what)
    }

    fn part(self, at: usize, what: impl Into<String>) -> Fault {
        refused(format!("messages[{}].content[{at}]", self.message), what)
    }
}

/// The blocks of a content. The vendor takes no texts of white space alone.
pub(crate) fn read<'a>(content: Option<&'a RawValue>, place: Place, lost: &mut Lost) -> Result<Vec<Block<'a>>, Fault> {
    let Some(raw) = content.map(RawValue::get) else { return Ok(Vec::new()) };
    let wrong = |error: serde_json::Error| unread(format!("messages[{}].content", place.message), &error);
    if raw.starts_with('"') {
        return Ok(text(content, None).into_iter().collect());
    }
    let parts: Vec<Part<'a>> = serde_json::from_str(raw).map_err(wrong)?;
    let mut blocks = Vec::with_capacity(parts.len());
    for (at, part) in parts.into_iter().enumerate() {
        blocks.extend(block(part, lost).map_err(|what| place.part(at, what))?);
    }
    Ok(blocks)
}

/// A text, as it is written; `None` when nothing is in it.
fn text<'a>(raw: Option<&'a RawValue>, cache_control: Option<&'a RawValue>) -> Option<Block<'a>> {
    let text = Text::Written(raw?);
    (!text.is_blank()).then_some(Block::Text { text, cache_control })
}

/// One part; `None` when there is nothing in it. The error says what is wrong.
fn block<'a>(part: Part<'a>, lost: &mut Lost) -> Result<Option<Block<'a>>, String> {
    let mark = part.cache_control;
    let written = |raw: Option<&'a RawValue>| match raw {
        Some(raw) if !raw.get().starts_with('"') => Err(format!("`{}` must be a text", part.r#type)),
        raw => Ok(text(raw, mark)),
    };
    let mut block = match part.r#type.as_ref() {
        "text" => return written(part.text),
        "refusal" => return written(part.refusal),
        "image_url" => image(part.image_url.ok_or("`image_url` is missing")?, lost)?,
        "file" => file(part.file.ok_or("`file` is missing")?)?,
        "input_audio" => return Err("the model cannot hear: `input_audio` is not supported".to_owned()),
        other => return Err(format!("parts of the type `{other}` are not supported")),
    };
    block.mark(mark);
    Ok(Some(block))
}

fn image<'a>(image: Image<'a>, lost: &mut Lost) -> Result<Block<'a>, String> {
    let (url, detail) = match image {
        Image::Object { url, detail } => (url, detail),
        Image::Url(url) => (url, None),
    };
    if detail.is_some_and(|detail| detail != "auto") {
        lost.add("messages.content.image_url.detail", "the vendor decides how closely it looks");
    }
    let source = match Media::read(&url) {
        Media::Data { mime, data } => picture(&mime, data)?,
        Media::Url(url) if is_web(&url) => Source::Url { url: url.into() },
        _ => return Err("an image must be an http(s) URL or a data URL with base64".to_owned()),
    };
    Ok(Block::Image { source, cache_control: None })
}

fn file<'a>(file: File<'a>) -> Result<Block<'a>, String> {
    let Some(data) = file.file_data else {
        let what = match file.file_id {
            Some(_) => "files kept at another service (`file_id`) cannot be read; send `file_data`",
            None => "`file.file_data` is missing",
        };
        return Err(what.to_owned());
    };
    let title = file.filename.filter(|name| !name.is_empty());
    let (mime, data) = match Media::read(&data) {
        Media::Data { mime, data } => (mime, data),
        Media::Url(url) if is_web(&url) => {
            return Ok(Block::Document { source: Source::Url { url: url.into() }, title, cache_control: None });
        }
        // Bare base64, which is what older clients send.
        _ => (title.as_deref().map_or("application/pdf", mime_by_name).to_owned(), data.into_owned()),
    };
    let source = match mime.as_str() {
        mime if mime.starts_with("image/") => {
            return Ok(Block::Image { source: picture(mime, data)?, cache_control: None });
        }
        "application/pdf" => Source::Base64 { media_type: "application/pdf", data },
        mime if mime.starts_with("text/") || mime == "application/json" => {
            Source::Text { media_type: "text/plain", data: decoded(&data)? }
        }
        other => return Err(format!("files of the type `{other}` are not supported: PDF, text and pictures are")),
    };
    Ok(Block::Document { source, title, cache_control: None })
}

fn picture<'a>(mime: &str, data: String) -> Result<Source<'a>, String> {
    let mime = if mime == "image/jpg" { "image/jpeg" } else { mime };
    match PICTURES.iter().find(|known| **known == mime) {
        Some(media_type) => Ok(Source::Base64 { media_type, data }),
        None => Err(format!("pictures of the type `{mime}` are not supported: JPEG, PNG, GIF and WebP are")),
    }
}

fn decoded(content: &str) -> Result<String, String> {
    // The host keeps long base64 for itself and hands over a token.
    let bytes = STANDARD.decode(content).map_err(|_| {
        "the text file is not base64, or too long to be read here; send its text as a text part".to_owned()
    })?;
    String::from_utf8(bytes).map_err(|_| "the text file is not UTF-8".to_owned())
}

fn mime_by_name(name: &str) -> &'static str {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending).to_ascii_lowercase();
    match ending.as_str() {
        "txt" | "md" | "csv" | "json" | "xml" | "html" | "log" => "text/plain",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        _ => "application/pdf",
    }
}

fn is_web(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}
