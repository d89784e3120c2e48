//! The order in which candidates are tried: by priority, inside a priority by weighted chance.

use crate::Candidate;

/// Orders candidates for one exchange. Input is sorted by priority (as `Table` gives it); `chance` is a random number.
///
/// Inside a priority each place is drawn by weight among those that are left, so the first try follows the weights and a retry goes to
/// another channel.
pub fn order(candidates: &[Candidate], mut chance: u64) -> Vec<&Candidate> {
    let mut ordered = Vec::with_capacity(candidates.len());
    for tier in candidates.chunk_by(|a, b| a.channel.priority == b.channel.priority) {
        let mut left: Vec<&Candidate> = tier.iter().collect();
        while left.len() > 1 {
            let total: u64 = left.iter().map(|candidate| weight(candidate)).sum();
            chance = mix(chance);
            let mut point = chance % total;
            let at = left.iter().position(|candidate| match point.checked_sub(weight(candidate)) {
                Some(rest) => {
                    point = rest;
                    false
                }
                None => true,
            });
            ordered.push(left.remove(at.unwrap_or(0)));
        }
        ordered.append(&mut left);
    }
    ordered
}

fn weight(candidate: &Candidate) -> u64 {
    u64::from(candidate.channel.weight.max(1))
}

/// SplitMix64: turns one random number into the next.
fn mix(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
