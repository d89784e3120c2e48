//! The versions of the adapter contract that this host serves.
//!
//! A component names the version that it was built for in its imports and exports. Before 1.0 every minor version is a generation of its
//! own, with types of its own; a patch version only adds interfaces and functions.

use crate::Capability;

/// The contract as this host speaks it.
pub const CONTRACT: &str = "0.2.0";

/// The generations that are served, newest first. Components of an older one are spoken to in its own types, for ever.
pub const CONTRACTS: [&str; 2] = ["0.2", "0.1"];

/// A generation of the contract: everything that shares its types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Generation {
    /// `0.1`, as released in 0.1.0.
    V0_1,
    /// `0.2`, the host's own.
    V0_2,
}

impl Generation {
    /// The generation of a full version; none when it is not served.
    pub(crate) fn of(version: &str) -> Option<Generation> {
        match numbers(version)? {
            (0, 1, _) => Some(Generation::V0_1),
            (0, 2, _) => Some(Generation::V0_2),
            _ => None,
        }
    }

    /// The newest version of it that the host knows.
    pub(crate) fn contract(self) -> &'static str {
        match self {
            Generation::V0_1 => "0.1.0",
            Generation::V0_2 => CONTRACT,
        }
    }

    /// The capabilities that it has.
    pub(crate) fn capabilities(self) -> &'static [Capability] {
        match self {
            Generation::V0_1 => &[Capability::Chat],
            Generation::V0_2 => &Capability::ALL,
        }
    }
}

/// What to tell about a version that is not served.
pub(crate) fn refusal(built: &str) -> String {
    let served = CONTRACTS.map(|generation| format!("{generation}.x")).join(" and ");
    let advice = match (numbers(built), numbers(CONTRACT)) {
        (Some(built), Some(own)) if built > own => "update the host, or take an older build of the plugin",
        _ => "rebuild the plugin with a newer SDK",
    };
    format!("built for adapter contract {built}, this host serves {served}: {advice}")
}

fn numbers(version: &str) -> Option<(u32, u32, u32)> {
    let mut parts = version.splitn(3, '.');
    let mut next = || parts.next()?.parse().ok();
    Some((next()?, next()?, next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_generation_that_is_served_is_known() {
        for generation in CONTRACTS {
            let known = Generation::of(&format!("{generation}.7")).unwrap();
            assert!(known.contract().starts_with(generation), "{generation}");
        }
        assert_eq!(Generation::of(CONTRACT), Some(Generation::V0_2));
        for other in ["0.0.9", "0.3.0", "1.0.0", "0.1", "0.2.0-rc.1", "x"] {
            assert_eq!(Generation::of(other), None, "{other}");
        }
    }

    #[test]
    fn a_refusal_names_both_sides_and_what_to_do() {
        for (built, advice) in [
            ("0.3.0", "update the host"),
            ("1.0.0", "update the host"),
            ("0.0.4", "rebuild the plugin"),
            ("0.2.0-rc.1", "rebuild the plugin"),
        ] {
            let text = refusal(built);
            assert!(text.contains(built) && text.contains("0.2.x and 0.1.x") && text.contains(advice), "{text}");
        }
    }
}
