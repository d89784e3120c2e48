//! What values are made of: text, secrets and access tokens by name, and values that the host computes. The host joins them.

use crate::Opaque;

/// Part of a value of a header, a query parameter or a form field. The host joins the pieces when the request leaves.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    /// Text as it is.
    Text(String),
    /// A secret of the channel, by the name the catalog gave it, or a secret part of a composite key.
    Secret(String),
    /// A value that the host computes from secrets. Needs `secrets` in [`adapter!`](crate::adapter).
    Opaque(Opaque),
    /// The access token of a grant of the catalog, by the grant's name. The host obtains and caches it.
    Token(String),
    /// Base64 of `user:password`, as HTTP Basic wants it. Its pieces cannot be `Basic` again.
    Basic {
        /// The user's name.
        user: Vec<Piece>,
        /// The password.
        password: Vec<Piece>,
    },
}

/// A piece that is text.
pub fn text(value: impl Into<String>) -> Piece {
    Piece::Text(value.into())
}

/// A piece that is a secret of the channel.
pub fn secret(name: impl Into<String>) -> Piece {
    Piece::Secret(name.into())
}

/// A piece that is the access token of a grant.
pub fn token(grant: impl Into<String>) -> Piece {
    Piece::Token(grant.into())
}

/// A piece that is base64 of `user:password`.
pub fn basic(user: impl IntoIterator<Item = Piece>, password: impl IntoIterator<Item = Piece>) -> Piece {
    Piece::Basic { user: user.into_iter().collect(), password: password.into_iter().collect() }
}

impl From<Opaque> for Piece {
    fn from(value: Opaque) -> Self {
        Piece::Opaque(value)
    }
}
