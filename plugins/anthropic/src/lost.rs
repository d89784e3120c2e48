//! What of a client's request could not be mapped: collected while the request is built, each field told once.

use std::borrow::Cow;

use witgate_sdk::Out;

/// Fields that were lost, in the order in which they were met.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Lost(Vec<(Cow<'static, str>, &'static str)>);

impl Lost {
    /// A field, by its path without positions, and what became of it.
    pub(crate) fn add(&mut self, field: impl Into<Cow<'static, str>>, what: &'static str) {
        let field = field.into();
        if !self.0.iter().any(|(known, _)| *known == field) {
            self.0.push((field, what));
        }
    }

    /// Tells the host.
    pub(crate) fn report(self, out: &mut Out) {
        for (field, what) in self.0 {
            out.loss(field, what);
        }
    }
}
