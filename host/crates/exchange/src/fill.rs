//! Joins the pieces of a value when its request leaves: secrets, values computed from them and access tokens go in here and nowhere else,
//! and only where the catalog declared a place for them that the operator approved.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
};

use base64::Engine as _;
use domain::{Fault, Placement, PlacementSpot, Secret};
use plugin_runtime::{
    Guest,
    machine::{Atom, Piece},
};

use crate::{
    chosen::Chosen,
    driver::{broken, refused, unsupported},
};

/// Bytes of secrets, and of what was computed from them, in one request. A piece is a few bytes; what it stands for is not.
const SECRET_BYTES_MAX: usize = 1 << 20;

/// What values of one request are joined from.
pub(crate) struct Filler<'a> {
    pub(crate) chosen: &'a Chosen,
    pub(crate) guest: &'a Guest,
    pub(crate) endpoint: &'a str,
    pub(crate) tokens: &'a BTreeMap<String, Secret>,
    /// What was computed here, to be masked when it comes back.
    pub(crate) computed: RefCell<Vec<Vec<u8>>>,
    /// Bytes that secrets may still take.
    room: Cell<usize>,
}

/// A joined value.
pub(crate) struct Joined {
    pub(crate) value: Vec<u8>,
    /// Something in it must not be seen.
    pub(crate) secret: bool,
}

impl<'a> Filler<'a> {
    pub(crate) fn new(
        chosen: &'a Chosen,
        guest: &'a Guest,
        endpoint: &'a str,
        tokens: &'a BTreeMap<String, Secret>,
    ) -> Filler<'a> {
        Filler { chosen, guest, endpoint, tokens, computed: RefCell::default(), room: Cell::new(SECRET_BYTES_MAX) }
    }

    /// The value for this place. Text alone may go anywhere.
    pub(crate) fn join(&self, spot: PlacementSpot, name: &str, pieces: &[Piece]) -> Result<Joined, Fault> {
        // Before anything is copied: what may not stand there costs nothing.
        if pieces.iter().any(|piece| !matches!(piece, Piece::Text(_) | Piece::Ext(_))) {
            self.allow(spot, name, pieces)?;
        }
        let mut joined = Joined { value: Vec::new(), secret: false };
        for piece in pieces {
            match piece {
                Piece::Text(text) => joined.value.extend_from_slice(text.as_bytes()),
                Piece::Secret(name) => joined.push_secret(self.secret(name)?),
                Piece::Opaque(number) => {
                    let value = self.opaque(*number)?;
                    self.computed.borrow_mut().push(value.to_vec());
                    joined.push_secret(value);
                }
                Piece::Token(name) => joined.push_secret(self.token(name)?),
                Piece::Basic(basic) => {
                    let mut pair = self.atoms(&basic.user)?;
                    pair.push(b':');
                    pair.extend(self.atoms(&basic.password)?);
                    let pair = base64::engine::general_purpose::STANDARD.encode(pair);
                    joined.push_secret(pair.as_bytes());
                    self.computed.borrow_mut().push(pair.into_bytes());
                }
                Piece::Ext(extra) => return Err(unsupported(&format!("the piece `{}`", extra.name))),
            }
        }
        Ok(joined)
    }

    fn atoms(&self, atoms: &[Atom]) -> Result<Vec<u8>, Fault> {
        let mut value = Vec::new();
        for atom in atoms {
            value.extend_from_slice(match atom {
                Atom::Text(text) => text.as_bytes(),
                Atom::Secret(name) => self.secret(name)?,
                Atom::Opaque(number) => self.opaque(*number)?,
                Atom::Token(name) => self.token(name)?,
                Atom::Ext(extra) => return Err(unsupported(&format!("the piece `{}`", extra.name))),
            });
        }
        Ok(value)
    }

    fn secret(&self, name: &str) -> Result<&[u8], Fault> {
        let found = self.chosen.keys.secrets.get(name).map(|secret| secret.expose().as_bytes());
        self.spend(found.ok_or_else(|| refused(format!("the channel has no secret `{name}`")))?)
    }

    fn opaque(&self, number: u32) -> Result<&[u8], Fault> {
        self.spend(self.guest.opaque(number).ok_or_else(|| broken(format!("there is no opaque value {number}")))?)
    }

    fn token(&self, name: &str) -> Result<&[u8], Fault> {
        let found = self.tokens.get(name).map(|token| token.expose().as_bytes());
        self.spend(found.ok_or_else(|| broken(format!("there is no access token `{name}` in a grant")))?)
    }

    fn spend<'v>(&self, value: &'v [u8]) -> Result<&'v [u8], Fault> {
        let room = self.room.get().checked_sub(value.len()).ok_or_else(|| {
            broken(format!("the adapter put more than {SECRET_BYTES_MAX} bytes of secrets into one request"))
        })?;
        self.room.set(room);
        Ok(value)
    }

    /// A wide place (any value of a header) or a narrow one (only a bearer token in it) that was declared and approved.
    fn allow(&self, spot: PlacementSpot, name: &str, pieces: &[Piece]) -> Result<(), Fault> {
        let place = |spot, name: &str| Placement { endpoint: self.endpoint.to_owned(), spot, name: name.to_owned() };
        let mut fitting = vec![place(spot, name)];
        if spot == PlacementSpot::Header && name == "authorization" {
            match pieces {
                [Piece::Text(scheme), Piece::Basic(_)] if scheme == "Basic " => {
                    fitting.push(place(PlacementSpot::Basic, name));
                }
                [Piece::Text(scheme), ..] if scheme == "Bearer " => fitting.push(place(PlacementSpot::Bearer, name)),
                _ => {}
            }
        }
        let declared = &self.chosen.adapter.provider().placements;
        let approved = &self.chosen.channel.approval.placements;
        if fitting.iter().any(|place| declared.contains(place) && approved.contains(place)) {
            return Ok(());
        }
        match fitting.iter().find(|place| declared.contains(place)) {
            None => Err(broken(format!(
                "the adapter put a secret into {}, which its catalog does not declare",
                place(spot, name)
            ))),
            Some(place) => Err(refused(format!(
                "the adapter asks to put a secret into {place}, which this channel does not approve; `witgate channel set {} --approve` approves it",
                self.chosen.channel.name
            ))),
        }
    }
}

impl Joined {
    fn push_secret(&mut self, bytes: &[u8]) {
        self.secret = true;
        self.value.extend_from_slice(bytes);
    }
}
