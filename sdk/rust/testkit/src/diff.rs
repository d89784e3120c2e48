//! A line difference that people can read.

/// Lines only in `expected` with `-`, lines only in `actual` with `+`, a few lines around them as they are.
pub(crate) fn lines(expected: &str, actual: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), actual.lines().collect());
    let marked = marked(&old, &new);
    let near =
        |at: usize| marked[at.saturating_sub(2)..(at + 3).min(marked.len())].iter().any(|(mark, _)| *mark != ' ');
    let mut out = String::new();
    for (at, (mark, line)) in marked.iter().enumerate().filter(|(at, _)| near(*at)) {
        if at > 0 && !near(at - 1) && !out.is_empty() {
            out.push_str("  ...\n");
        }
        out.push_str(&format!("{mark} {line}\n"));
    }
    out
}

/// All lines with their marks, along a longest common subsequence.
fn marked<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<(char, &'a str)> {
    let mut common = vec![vec![0_u32; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i][j] =
                if old[i] == new[j] { common[i + 1][j + 1] + 1 } else { common[i + 1][j].max(common[i][j + 1]) };
        }
    }
    let (mut i, mut j, mut out) = (0, 0, Vec::new());
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            out.push((' ', old[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || (i < old.len() && common[i + 1][j] >= common[i][j + 1]) {
            out.push(('-', old[i]));
            i += 1;
        } else {
            out.push(('+', new[j]));
            j += 1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_shown_with_their_surroundings() {
        assert_eq!(
            lines("1\n2\n3\n4\n5\n6\n7\n8\nx", "0\n2\n3\n4\n5\n6\n7\n8\nx\ny"),
            "- 1\n+ 0\n  2\n  3\n  ...\n  8\n  x\n+ y\n"
        );
        assert_eq!(lines("", "a"), "+ a\n");
    }
}
