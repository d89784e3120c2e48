//! Forms: what a request carries when the vendor wants fields and files in place of JSON.

use crate::Piece;

/// How a form is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FormEncoding {
    /// `application/x-www-form-urlencoded`: names and pieces only.
    #[default]
    Urlencoded,
    /// `multipart/form-data`.
    Multipart,
}

impl FormEncoding {
    /// As the contract spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            FormEncoding::Urlencoded => "urlencoded",
            FormEncoding::Multipart => "multipart",
        }
    }
}

/// A form. The host writes it, its boundary and its content type.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Form {
    /// How it is written.
    pub encoding: FormEncoding,
    /// Its parts in order.
    pub parts: Vec<Part>,
}

impl Form {
    /// A form without parts, for `application/x-www-form-urlencoded`.
    pub fn urlencoded() -> Form {
        Form::default()
    }

    /// A form without parts, for `multipart/form-data`.
    pub fn multipart() -> Form {
        Form { encoding: FormEncoding::Multipart, parts: Vec::new() }
    }

    /// With a field.
    #[must_use]
    pub fn field(self, name: impl Into<String>, value: impl IntoIterator<Item = Piece>) -> Form {
        let data = Data::Pieces(value.into_iter().collect());
        self.part(Part { name: name.into(), filename: None, content_type: None, data })
    }

    /// With a file; only `multipart` has files.
    #[must_use]
    pub fn file(
        self,
        name: impl Into<String>,
        filename: impl Into<String>,
        content_type: impl Into<String>,
        data: Data,
    ) -> Form {
        let part =
            Part { name: name.into(), filename: Some(filename.into()), content_type: Some(content_type.into()), data };
        self.part(part)
    }

    /// With any part.
    #[must_use]
    pub fn part(mut self, part: Part) -> Form {
        self.parts.push(part);
        self
    }
}

/// A part of a form.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// The field's name.
    pub name: String,
    /// The file's name, for a file.
    pub filename: Option<String>,
    /// The media type.
    pub content_type: Option<String>,
    /// The content.
    pub data: Data,
}

/// The content of a form's part.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// A value that the host joins.
    Pieces(Vec<Piece>),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Bytes that the host keeps under this name: a file that `fetch` brought, by its token.
    Held(String),
}
