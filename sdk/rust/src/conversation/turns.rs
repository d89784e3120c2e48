//! Turns: the two sides of a conversation, one after the other, as vendors insist on them.

/// A side of the conversation. What tools say belongs to the user's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The user and the tools.
    User,
    /// The model.
    Model,
}

/// Everything that one side says before the other one does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn<P> {
    /// Whose turn it is.
    pub side: Side,
    /// What is said, in the vendor's shape.
    pub parts: Vec<P>,
}

/// Turns of a conversation. What the same side says in a row is one turn, for vendors that refuse two.
///
/// ```
/// use witgate_sdk::conversation::{Side, Turns};
///
/// let mut turns = Turns::new();
/// turns.push(Side::Model, ["Welcome!"]);
/// turns.push(Side::User, ["What is this?"]);
/// turns.push(Side::User, ["A tool's result."]);
/// turns.begin_with_user(|| "(start)");
/// let sides: Vec<_> = turns.into_iter().map(|turn| (turn.side, turn.parts.len())).collect();
/// assert_eq!(sides, [(Side::User, 1), (Side::Model, 1), (Side::User, 2)]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turns<P>(Vec<Turn<P>>);

impl<P> Default for Turns<P> {
    fn default() -> Self {
        Turns(Vec::new())
    }
}

impl<P> Turns<P> {
    /// None yet.
    pub fn new() -> Self {
        Turns::default()
    }

    /// One side says something. Nothing said is no turn.
    pub fn push(&mut self, side: Side, parts: impl IntoIterator<Item = P>) {
        let mut parts = parts.into_iter().peekable();
        if parts.peek().is_none() {
            return;
        }
        match self.0.last_mut() {
            Some(last) if last.side == side => last.parts.extend(parts),
            _ => self.0.push(Turn { side, parts: parts.collect() }),
        }
    }

    /// Puts a turn of the user in front when the model has the first one, for vendors that refuse that.
    pub fn begin_with_user(&mut self, filler: impl FnOnce() -> P) {
        if self.0.first().is_some_and(|turn| turn.side == Side::Model) {
            self.0.insert(0, Turn { side: Side::User, parts: vec![filler()] });
        }
    }

    /// Puts a turn of the user at the end when the model has the last one, for vendors that want an odd number of turns. Gives whether it did:
    /// the model then answers instead of going on, which is a loss.
    pub fn end_with_user(&mut self, filler: impl FnOnce() -> P) -> bool {
        let missing = self.0.last().is_some_and(|turn| turn.side == Side::Model);
        if missing {
            self.0.push(Turn { side: Side::User, parts: vec![filler()] });
        }
        missing
    }

    /// The last turn.
    pub fn last_mut(&mut self) -> Option<&mut Turn<P>> {
        self.0.last_mut()
    }

    /// Whether nothing was said.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many turns there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl<P> IntoIterator for Turns<P> {
    type Item = Turn<P>;
    type IntoIter = std::vec::IntoIter<Turn<P>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_alternate_and_nothing_is_lost() {
        let mut turns = Turns::new();
        for (side, parts) in [
            (Side::User, vec![1, 2]),
            (Side::User, vec![3]),
            (Side::Model, vec![]),
            (Side::User, vec![4]),
            (Side::Model, vec![5]),
            (Side::Model, vec![6]),
        ] {
            turns.push(side, parts);
        }
        turns.begin_with_user(|| 0);
        assert_eq!(turns.len(), 2);
        assert!(turns.end_with_user(|| 9) && !turns.end_with_user(|| 9));
        let all: Vec<_> = turns.into_iter().map(|turn| (turn.side, turn.parts)).collect();
        assert_eq!(all, [(Side::User, vec![1, 2, 3, 4]), (Side::Model, vec![5, 6]), (Side::User, vec![9])]);
    }
}
