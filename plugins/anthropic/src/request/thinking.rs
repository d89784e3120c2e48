//! How much the model is to think: the client's effort in the words that its model takes.

use serde_json::value::RawValue;
use witgate_sdk::{Body, Fault};

use super::field;
use crate::ability::{Ability, Thinks};
use crate::fault::{refused, unread};
use crate::lost::Lost;
use crate::wire::ask::Thinking;
use crate::wire::canonical::AskedThinking;

/// The smallest budget that the vendor takes.
const LEAST: u32 = 1_024;
const FIELD: &str = "reasoning_effort";

/// What is asked of the model.
#[derive(Default)]
pub(crate) struct Plan<'a> {
    pub(crate) thinking: Option<Thinking<'a>>,
    pub(crate) effort: Option<&'static str>,
    kind: Kind,
}

/// How the model will think.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Off,
    Effort,
    Budget,
}

/// What else in the request bears on thinking.
#[derive(Clone, Copy)]
pub(crate) struct Around {
    pub(crate) able: Ability,
    pub(crate) max_tokens: u32,
    /// A tool must be used.
    pub(crate) forced: bool,
    /// Tools are being used, and what was thought before is gone.
    pub(crate) unthought: bool,
}

impl Plan<'_> {
    /// Whether the model will think.
    pub(crate) fn thinks(&self) -> bool {
        self.kind != Kind::Off
    }
}

/// Reads `thinking` and `reasoning_effort`; `default` is the channel's own effort.
pub(crate) fn plan<'a>(
    body: &'a Body,
    default: Option<&str>,
    around: Around,
    lost: &mut Lost,
) -> Result<Plan<'a>, Fault> {
    let asked: Option<String> = field(body, FIELD)?;
    let effort = match asked.as_deref().or(default) {
        Some(name) => Some(Effort::named(name).ok_or_else(|| refused(FIELD, format!("`{name}` is not supported")))?),
        None => None,
    };
    let own_words: Option<&RawValue> = field(body, "thinking")?;
    // What the channel would have liked is no loss to a client that did not ask for it.
    let mut nobody = Lost::default();
    let lost = if asked.is_some() || own_words.is_some() { lost } else { &mut nobody };
    let plan = match own_words {
        Some(raw) => own(raw, effort, around, lost)?,
        None => effort.map(|effort| by_effort(effort, around, lost)).unwrap_or_default(),
    };
    if !plan.thinks() {
        return Ok(plan);
    }
    if around.forced {
        lost.add(FIELD, "the model cannot think when it must use a tool");
        return Ok(Plan { effort: plan.effort, ..Plan::default() });
    }
    if plan.kind == Kind::Budget && around.unthought {
        lost.add(FIELD, "the model cannot think when it goes on after a tool and its thinking_blocks were not sent");
        return Ok(Plan::default());
    }
    Ok(plan)
}

/// `thinking` as the client wrote it, when its model takes it so.
fn own<'a>(raw: &'a RawValue, effort: Option<Effort>, around: Around, lost: &mut Lost) -> Result<Plan<'a>, Fault> {
    let asked: AskedThinking<'_> = serde_json::from_str(raw.get()).map_err(|error| unread("thinking", &error))?;
    let level = around.able.by_effort().then_some(effort).flatten().and_then(|effort| effort.level(around.able));
    match (asked.r#type.as_ref(), around.able.thinks) {
        ("enabled", Thinks::Effort) => {
            lost.add("thinking.budget_tokens", "the model takes an effort instead of a budget");
            let meant = Effort::of_budget(asked.budget_tokens.unwrap_or(LEAST));
            Ok(by_effort(effort.unwrap_or(meant), around, lost))
        }
        ("adaptive", Thinks::Budget | Thinks::Never) => Ok(by_effort(effort.unwrap_or(Effort::Medium), around, lost)),
        (kind, _) => {
            let kind = match kind {
                "enabled" => Kind::Budget,
                "disabled" => Kind::Off,
                _ => Kind::Effort,
            };
            Ok(Plan { thinking: Some(Thinking::Own(raw)), effort: level, kind })
        }
    }
}

fn by_effort<'a>(effort: Effort, around: Around, lost: &mut Lost) -> Plan<'a> {
    if effort == Effort::None {
        let off = around.able.thinks != Thinks::Never;
        return Plan { thinking: off.then_some(Thinking::Disabled), ..Plan::default() };
    }
    match around.able.thinks {
        Thinks::Never => {
            lost.add(FIELD, "the model does not think");
            Plan::default()
        }
        Thinks::Either | Thinks::Effort => Plan {
            thinking: Some(Thinking::Adaptive { display: "summarized" }),
            effort: effort.level(around.able),
            kind: Kind::Effort,
        },
        Thinks::Budget => {
            // What is thought counts towards the limit of the answer.
            let budget_tokens = effort.budget().min(around.max_tokens.saturating_sub(1));
            if budget_tokens < LEAST {
                lost.add(FIELD, "the limit of the answer leaves no room for thinking");
                return Plan::default();
            }
            Plan { thinking: Some(Thinking::Enabled { budget_tokens }), effort: None, kind: Kind::Budget }
        }
    }
}

/// The canonical efforts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effort {
    None,
    Minimal,
    Low,
    Medium,
    High,
    Xhigh,
    Max,
}

impl Effort {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "none" => Effort::None,
            "minimal" => Effort::Minimal,
            "low" => Effort::Low,
            "medium" => Effort::Medium,
            "high" => Effort::High,
            "xhigh" => Effort::Xhigh,
            "max" => Effort::Max,
            _ => return None,
        })
    }

    /// `output_config.effort`.
    fn level(self, able: Ability) -> Option<&'static str> {
        Some(match self {
            Effort::None => return None,
            Effort::Minimal | Effort::Low => "low",
            Effort::Medium => "medium",
            Effort::High => "high",
            Effort::Xhigh if able.thinks == Thinks::Effort => "xhigh",
            Effort::Xhigh | Effort::Max => "max",
        })
    }

    /// `thinking.budget_tokens`: what other gateways took, and twice as much for each step above.
    fn budget(self) -> u32 {
        match self {
            Effort::None => 0,
            Effort::Minimal => LEAST,
            Effort::Low => 1_280,
            Effort::Medium => 2_048,
            Effort::High => 4_096,
            Effort::Xhigh => 8_192,
            Effort::Max => 16_384,
        }
    }

    /// What a client meant who gave a budget.
    fn of_budget(budget: u32) -> Self {
        match budget {
            0..=2_048 => Effort::Low,
            2_049..=8_192 => Effort::Medium,
            8_193..=24_576 => Effort::High,
            _ => Effort::Xhigh,
        }
    }
}
