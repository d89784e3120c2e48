//! What a model takes and what it refuses, by the beginning of its name: no exchange reads a catalog. A test holds the limits against it.

/// How a model is asked to think.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Thinks {
    /// It does not.
    Never,
    /// With a budget of tokens.
    Budget,
    /// By an effort. It takes a budget, too.
    Either,
    /// By an effort only, which goes up to `xhigh`.
    Effort,
}

/// What one generation of models takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ability {
    /// The most tokens of one answer: what `max_tokens` is when the client does not say.
    pub(crate) output: u32,
    pub(crate) thinks: Thinks,
    /// Takes `temperature`, `top_p`, `top_k`.
    pub(crate) samples: bool,
    /// Takes `temperature` and `top_p` together.
    pub(crate) samples_both: bool,
    /// Takes `output_config.format` and strict tools.
    pub(crate) formats: bool,
    /// Continues a last message of the assistant.
    pub(crate) prefills: bool,
}

const fn ability(output: u32, thinks: Thinks) -> Ability {
    let newest = matches!(thinks, Thinks::Effort);
    let older = matches!(thinks, Thinks::Never | Thinks::Budget);
    Ability { output, thinks, samples: !newest, samples_both: older, formats: !older, prefills: older }
}

/// 4.5: formats its answers, but thinks by budget and continues messages.
const fn formatting(output: u32) -> Ability {
    Ability { samples_both: false, formats: true, ..ability(output, Thinks::Budget) }
}

/// The first that fits counts. A newer name of a generation is that generation; a newer Claude is like the newest here.
const TABLE: &[(&str, Ability)] = &[
    ("claude-opus-4-6", ability(128_000, Thinks::Either)),
    ("claude-sonnet-4-6", ability(128_000, Thinks::Either)),
    ("claude-opus-4-5", formatting(64_000)),
    ("claude-sonnet-4-5", formatting(64_000)),
    ("claude-haiku-4-5", formatting(64_000)),
    ("claude-opus-4-1", ability(32_000, Thinks::Budget)),
    ("claude-opus-4-0", ability(32_000, Thinks::Budget)),
    ("claude-opus-4-2025", ability(32_000, Thinks::Budget)),
    ("claude-sonnet-4-0", ability(64_000, Thinks::Budget)),
    ("claude-sonnet-4-2025", ability(64_000, Thinks::Budget)),
    ("claude-3-7-sonnet", ability(64_000, Thinks::Budget)),
    ("claude-3-5", ability(8_192, Thinks::Never)),
    ("claude-3", ability(4_096, Thinks::Never)),
    ("claude-2", ability(4_096, Thinks::Never)),
    ("claude-instant", ability(4_096, Thinks::Never)),
    ("claude-", ability(128_000, Thinks::Effort)),
];

/// A server that speaks the dialect with models of its own: nothing is known of them.
const FOREIGN: Ability = ability(4_096, Thinks::Budget);

/// What the model of this name takes.
pub(crate) fn of(model: &str) -> Ability {
    TABLE.iter().find(|(name, _)| model.starts_with(name)).map_or(FOREIGN, |(_, ability)| *ability)
}

impl Ability {
    /// Thinks by an effort rather than by a budget.
    pub(crate) fn by_effort(self) -> bool {
        matches!(self.thinks, Thinks::Either | Thinks::Effort)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn the_table_says_what_the_catalog_says() {
        let catalog: Value = serde_json::from_str(crate::catalog::FILE).unwrap();
        for model in catalog["models"].as_array().unwrap() {
            let name = model["id"].as_str().unwrap();
            let able = of(name);
            assert_eq!(Value::from(able.output), model["max_output"], "{name}");
            let reasons = model["capabilities"].as_array().unwrap().contains(&"reasoning".into());
            assert_eq!(able.thinks != Thinks::Never, reasons, "{name}");
        }
    }

    #[test]
    fn generations_are_told_apart() {
        for name in ["claude-opus-5", "claude-opus-4-8", "claude-opus-4-7", "claude-sonnet-5", "claude-fable-5"] {
            assert!(!of(name).samples && of(name).thinks == Thinks::Effort && !of(name).prefills, "{name}");
        }
        for name in ["claude-opus-4-6", "claude-sonnet-4-6"] {
            assert!(of(name).samples && !of(name).samples_both && of(name).by_effort() && !of(name).prefills, "{name}");
        }
        for name in ["claude-haiku-4-5-20251001", "claude-opus-4-5", "claude-sonnet-4-5-20250929"] {
            assert!(of(name).formats && !of(name).by_effort() && !of(name).samples_both && of(name).prefills, "{name}");
        }
        for name in ["claude-opus-4-1", "claude-sonnet-4-20250514", "claude-3-haiku-20240307", "MiniMax-M2"] {
            assert!(!of(name).formats && of(name).samples_both && of(name).prefills, "{name}");
        }
        assert_eq!(of("claude-opus-6"), of("claude-opus-5"));
        assert_eq!(of("glm-5").output, 4_096);
    }
}
