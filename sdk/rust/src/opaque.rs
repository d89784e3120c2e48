//! Values computed from secrets: an expression that the host evaluates when the request leaves. The adapter never sees the result.

/// A hash function the host knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

impl Algorithm {
    /// As the contract spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Algorithm::Sha1 => "sha1",
            Algorithm::Sha256 => "sha256",
            Algorithm::Sha512 => "sha512",
        }
    }
}

/// How a value is to be built. Where it goes is said by [`Piece::Opaque`](crate::Piece::Opaque).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opaque {
    /// A secret of the channel, by name.
    Secret(String),
    /// Text the adapter knows.
    Text(String),
    /// One after the other.
    Concat(Vec<Opaque>),
    /// A keyed hash (raw bytes).
    Hmac(Algorithm, Box<Opaque>, Box<Opaque>),
    /// A hash (raw bytes).
    Hash(Algorithm, Box<Opaque>),
    /// An encoding of the contract: `hex`, `base64`, `base64url`, `url`.
    Encode(&'static str, Box<Opaque>),
    /// A signature of `data` (raw bytes): algorithm (`rs256`, whose key is a PEM text), key, data.
    Sign(&'static str, Box<Opaque>, Box<Opaque>),
}

impl Opaque {
    /// A secret of the channel.
    pub fn secret(name: impl Into<String>) -> Opaque {
        Opaque::Secret(name.into())
    }

    /// Text.
    pub fn text(value: impl Into<String>) -> Opaque {
        Opaque::Text(value.into())
    }

    /// One after the other.
    pub fn concat(values: impl IntoIterator<Item = Opaque>) -> Opaque {
        Opaque::Concat(values.into_iter().collect())
    }

    /// A keyed hash of `data`, raw bytes.
    pub fn hmac(algorithm: Algorithm, key: Opaque, data: Opaque) -> Opaque {
        Opaque::Hmac(algorithm, Box::new(key), Box::new(data))
    }

    /// A hash of `data`, raw bytes.
    pub fn hash(algorithm: Algorithm, data: Opaque) -> Opaque {
        Opaque::Hash(algorithm, Box::new(data))
    }

    /// RSASSA-PKCS1-v1_5 with SHA-256 of `data`, raw bytes; `key` is a PEM text.
    pub fn rs256(key: Opaque, data: Opaque) -> Opaque {
        Opaque::Sign("rs256", Box::new(key), Box::new(data))
    }

    /// Lower-case hex.
    pub fn hex(data: Opaque) -> Opaque {
        Opaque::Encode("hex", Box::new(data))
    }

    /// base64 with padding.
    pub fn base64(data: Opaque) -> Opaque {
        Opaque::Encode("base64", Box::new(data))
    }

    /// base64url without padding.
    pub fn base64url(data: Opaque) -> Opaque {
        Opaque::Encode("base64url", Box::new(data))
    }

    /// Percent-encoding of everything but unreserved characters.
    pub fn url(data: Opaque) -> Opaque {
        Opaque::Encode("url", Box::new(data))
    }
}

/// Shows the expression, for fixtures: `hex(hmac(sha256, secret:key, "GET"))`.
impl std::fmt::Display for Opaque {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Opaque::Secret(name) => write!(f, "secret:{name}"),
            Opaque::Text(value) => write!(f, "{value:?}"),
            Opaque::Concat(values) => {
                f.write_str("concat(")?;
                for (index, value) in values.iter().enumerate() {
                    write!(f, "{}{value}", if index == 0 { "" } else { ", " })?;
                }
                f.write_str(")")
            }
            Opaque::Hmac(algorithm, key, data) => write!(f, "hmac({}, {key}, {data})", algorithm.as_str()),
            Opaque::Hash(algorithm, data) => write!(f, "hash({}, {data})", algorithm.as_str()),
            Opaque::Encode(encoding, data) => write!(f, "{encoding}({data})"),
            Opaque::Sign(algorithm, key, data) => write!(f, "{algorithm}({key}, {data})"),
        }
    }
}
