//! Vendors without codes tell what happened in words. Words are only trusted under a status that fits, because an error can quote the client.

use witgate_sdk::Code;

/// Statuses, words (lower case), and what they mean together. Status 0 is an error inside a successful answer.
type Rule = (&'static [u16], &'static [&'static str], Code);

const RULES: &[Rule] = &[
    (
        &[401, 402, 403, 429],
        &[
            "exceeded your current quota",
            "insufficient balance",
            "balance is insufficient",
            "credit balance is too low",
            "used all available credits",
            "spending limit",
            "no credits",
            "insufficient_quota",
            "key limit exceeded",
            "not enough balance",
            "余额不足",
        ],
        Code::AccountEmpty,
    ),
    (
        &[400, 401, 403],
        &[
            "incorrect api key",
            "invalid api key",
            "api key is invalid",
            "api key not valid",
            "api key expired",
            "organization has been disabled",
            "organization has been restricted",
        ],
        Code::CredentialDead,
    ),
    (
        &[0, 400, 403, 413, 422, 500],
        &[
            "maximum context length",
            "context length",
            "context window",
            "context size",
            "token length too long",
            "exceeded model token limit",
            "max_seq_len",
            "prompt is too long",
            "input tokens exceed",
        ],
        Code::ContextTooLong,
    ),
    (
        &[0, 400, 403, 422],
        &[
            "content exists risk",
            "content policy",
            "content management policy",
            "safety_check_type",
            "flagged",
            "sensitive content",
            "敏感",
        ],
        Code::ContentFiltered,
    ),
    (
        &[0, 400, 403, 404],
        &[
            "does not exist or you do not have access",
            "model not found",
            "model does not exist",
            "model not exist",
            "invalid model",
            "no such model",
            "no endpoints found",
            "model is not available",
            "do not have access to model",
        ],
        Code::ModelMissing,
    ),
    (&[0, 429, 500, 503], &["overloaded", "loading model"], Code::Overloaded),
    (&[0, 413, 500, 503], &["tokens per minute", "system is really busy", "rate limit"], Code::RateLimited),
];

/// What the words mean under this status, when they mean something.
pub(super) fn verdict(status: u16, message: &str) -> Option<Code> {
    let message = message.to_lowercase();
    // What disables a channel must be the vendor's own sentence, not a part of one.
    let says = |word: &str, code: Code| match code {
        Code::CredentialDead if status == 400 => message.starts_with(word),
        _ => message.contains(word),
    };
    let fits = |rule: &&Rule| rule.0.contains(&status) && rule.1.iter().any(|word| says(word, rule.2));
    RULES.iter().find(fits).map(|rule| rule.2)
}
