//! Writes the answer word by word.

use witgate_sdk::{Call, Out, Stamp};

/// A step may have some thousand effects; a long text gets more words in a chunk.
const MOST_CHUNKS: usize = 1000;

/// A chunk with the role, one for every word with the white space after it, and one that ends the choice.
pub(crate) fn write(call: &Call, text: &str, out: &mut Out) {
    let stamp = Stamp::new(call);
    out.emit(stamp.chunk().role("assistant").text("").to_json());
    for part in parts(text) {
        out.emit(stamp.chunk().text(&part).to_json());
    }
    out.emit(stamp.chunk().finish("stop").to_json());
}

fn parts(text: &str) -> Vec<String> {
    let words: Vec<&str> = text.split_inclusive(char::is_whitespace).collect();
    words.chunks(words.len().div_ceil(MOST_CHUNKS).max(1)).map(<[&str]>::concat).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_words_and_lose_nothing() {
        assert_eq!(parts("one two\nthree"), ["one ", "two\n", "three"]);
        assert_eq!(parts(""), Vec::<String>::new());
        let long = "ab ".repeat(2500);
        assert_eq!(parts(&long).concat(), long);
        assert!(parts(&long).len() <= MOST_CHUNKS);
    }
}
