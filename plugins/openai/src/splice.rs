//! Edits a JSON text where its parsed parts lie, so that every byte that is not edited stays as the vendor wrote it.

use std::borrow::Cow;

/// A list of edits to one text. Parts are slices of that very text, as borrowed raw values are.
pub(crate) struct Splice<'a> {
    source: &'a str,
    cuts: Vec<Cut<'a>>,
}

struct Cut<'a> {
    start: usize,
    end: usize,
    with: Option<Cow<'a, str>>,
}

impl<'a> Splice<'a> {
    /// No edits yet.
    pub(crate) fn new(source: &'a str) -> Self {
        Splice { source, cuts: Vec::new() }
    }

    /// Whether the text stays as it is.
    pub(crate) fn is_empty(&self) -> bool {
        self.cuts.is_empty()
    }

    /// Puts other text where `part` is.
    pub(crate) fn replace(&mut self, part: &str, with: impl Into<Cow<'a, str>>) {
        if let Some(start) = self.position(part) {
            self.cuts.push(Cut { start, end: start + part.len(), with: Some(with.into()) });
        }
    }

    /// Puts a member in front of the others of the object that the whole text is.
    pub(crate) fn prepend(&mut self, member: &'a str) {
        if let Some(at) = self.source.find('{') {
            self.cuts.push(Cut { start: at + 1, end: at + 1, with: Some(Cow::Borrowed(member)) });
        }
    }

    /// Gives the member `key` of this value another name.
    pub(crate) fn rename(&mut self, key: &str, value: &str, name: &'a str) {
        if let Some((start, _)) = self.member(key, value) {
            self.cuts.push(Cut { start: start + 1, end: start + 1 + key.len(), with: Some(Cow::Borrowed(name)) });
        }
    }

    /// Takes the member `key` of this value out of its object.
    pub(crate) fn remove(&mut self, key: &str, value: &str) {
        if let Some((start, end)) = self.member(key, value) {
            self.cuts.push(Cut { start, end, with: None });
        }
    }

    /// The edited text.
    pub(crate) fn finish(mut self) -> String {
        self.cuts.sort_by_key(|cut| cut.start);
        let mut out = String::with_capacity(self.source.len() + 32);
        let mut at = 0;
        for cut in self.cuts {
            if cut.start < at {
                continue;
            }
            out.push_str(&self.source[at..cut.start]);
            at = cut.end;
            match cut.with {
                Some(with) => out.push_str(&with),
                None => at = close_gap(&mut out, self.source, at),
            }
        }
        out.push_str(&self.source[at..]);
        out
    }

    fn position(&self, part: &str) -> Option<usize> {
        let start = (part.as_ptr() as usize).checked_sub(self.source.as_ptr() as usize)?;
        (start + part.len() <= self.source.len()).then_some(start)
    }

    /// From the opening quote of the key to the end of the value.
    fn member(&self, key: &str, value: &str) -> Option<(usize, usize)> {
        let start = self.position(value)?;
        let before = self.source[..start].trim_end().strip_suffix(':')?.trim_end();
        let quote = before.strip_suffix('"')?.strip_suffix(key)?.strip_suffix('"')?.len();
        Some((quote, start + value.len()))
    }
}

/// After a member was left out: exactly one comma must stay between its neighbors, none at the ends.
fn close_gap(out: &mut String, source: &str, at: usize) -> usize {
    let rest = source[at..].trim_start();
    if let Some(after) = rest.strip_prefix(',') {
        return source.len() - after.len();
    }
    if out.trim_end().ends_with(',') {
        out.truncate(out.trim_end().len() - 1);
    }
    at
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::value::RawValue;

    use super::*;

    fn without(source: &str, keys: &[&str]) -> String {
        let members: BTreeMap<&str, &RawValue> = serde_json::from_str(source).unwrap();
        let mut splice = Splice::new(source);
        for key in keys {
            splice.remove(key, members[key].get());
        }
        splice.finish()
    }

    #[test]
    fn any_set_of_members_can_go() {
        let source = r#"{ "a" : 1, "b":[2],"c":"3" }"#;
        for mask in 0..8 {
            let keys: Vec<&str> =
                ["a", "b", "c"].into_iter().enumerate().filter(|(i, _)| mask >> i & 1 == 1).map(|(_, k)| k).collect();
            let left: BTreeMap<String, serde_json::Value> = serde_json::from_str(&without(source, &keys)).unwrap();
            assert_eq!(left.len(), 3 - keys.len(), "without {keys:?}");
        }
    }

    #[test]
    fn renames_and_replaces_and_keeps_the_rest() {
        let source = r#"{"x": 1.50e3, "reasoning" : "a\u0041", "y": null}"#;
        let members: BTreeMap<&str, &RawValue> = serde_json::from_str(source).unwrap();
        let mut splice = Splice::new(source);
        splice.rename("reasoning", members["reasoning"].get(), "reasoning_content");
        splice.replace(members["y"].get(), "0");
        assert_eq!(splice.finish(), r#"{"x": 1.50e3, "reasoning_content" : "a\u0041", "y": 0}"#);
    }
}
