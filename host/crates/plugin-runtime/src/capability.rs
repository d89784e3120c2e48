//! What a component can offer: one exported interface each, all on the same step machine.

use std::fmt;

/// An interface of the contract with an `exchange` in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Capability {
    /// Chat completions.
    Chat,
    /// Embeddings.
    Embeddings,
    /// Access tokens. Its operations are the grants of the catalog, by name.
    Grant,
    /// Questions about the account.
    Account,
}

impl Capability {
    /// All of them.
    pub const ALL: [Capability; 4] = [Capability::Chat, Capability::Embeddings, Capability::Grant, Capability::Account];

    /// The name of its interface: `chat`, `embeddings`, `grant`, `account`.
    pub fn as_str(self) -> &'static str {
        match self {
            Capability::Chat => "chat",
            Capability::Embeddings => "embeddings",
            Capability::Grant => "grant",
            Capability::Account => "account",
        }
    }

    /// The operations that a catalog can list for it. None for grants, which are no operations of a client.
    pub fn operations(self) -> &'static [&'static str] {
        match self {
            Capability::Chat => &["chat"],
            Capability::Embeddings => &["embeddings"],
            Capability::Grant => &[],
            Capability::Account => &["balance", "models", "count-tokens"],
        }
    }

    /// Which one serves this operation of a catalog.
    pub fn of(operation: &str) -> Option<Capability> {
        Capability::ALL.into_iter().find(|capability| capability.operations().contains(&operation))
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_has_one_capability() {
        assert_eq!(Capability::of("chat"), Some(Capability::Chat));
        assert_eq!(Capability::of("balance"), Some(Capability::Account));
        assert_eq!(Capability::of("count-tokens"), Some(Capability::Account));
        assert_eq!(Capability::of("grant"), None, "a grant is no operation");
        assert_eq!(Capability::of("account"), None);
    }
}
