//! The names that vendors of the family document for their errors, and what they mean.

use witgate_sdk::Code;

/// Codes, types and reasons that vendors of the family document, lower case. They say more than the status: a 429 may be an empty account.
const CODES: &[(Code, &[&str])] = &[
    (
        Code::AccountEmpty,
        &[
            "insufficient_quota",
            "billing_hard_limit_reached",
            "billing_not_active",
            "exceeded_current_quota_error",
            "quota_exceeded",
            "credit_limit",
            "payment_required",
            "not_enough_balance",
            "insufficient_balance",
            "30001",
        ],
    ),
    (
        Code::CredentialDead,
        &[
            "invalid_api_key",
            "incorrect_api_key",
            "incorrect_api_key_error",
            "invalid_authentication",
            "invalid_authentication_error",
            "authentication_error",
            "authentication",
            "account_deactivated",
            "api_key_empty",
        ],
    ),
    (
        Code::ModelMissing,
        &[
            "model_not_found",
            "model_decommissioned",
            "resource_not_found_error",
            "not_found",
            "20012",
            "30003",
            "30011",
        ],
    ),
    (
        Code::ContextTooLong,
        &[
            "context_length_exceeded",
            "exceed_context_size_error",
            "string_above_max_length",
            "token_limit_exceeded",
            "max_tokens_exceeded",
        ],
    ),
    (
        Code::ContentFiltered,
        &["content_filter", "content_policy_violation", "moderation_blocked", "censorship_blocked", "refusal"],
    ),
    (
        Code::RateLimited,
        &[
            "rate_limit_exceeded",
            "rate_limit_reached_error",
            "rate_limit_error",
            "rate_limited",
            "capacity_exceeded",
            "resource_unavailable",
        ],
    ),
    (
        Code::Overloaded,
        &[
            "engine_overloaded_error",
            "overloaded_error",
            "provider_overloaded",
            "provider_unavailable",
            "service_not_available",
            "unavailable_error",
            "50505",
        ],
    ),
    // The model's own bad JSON, and a network that the vendor does not serve: another channel may do better.
    (Code::UpstreamBroken, &["tool_use_failed", "json_validate_failed", "unsupported_country_region_territory"]),
];

/// What this code, type or reason means, when it is in the table.
pub(super) fn verdict(name: &str) -> Option<Code> {
    let name = name.to_ascii_lowercase();
    CODES.iter().find(|(_, names)| names.contains(&name.as_str())).map(|(code, _)| *code)
}
