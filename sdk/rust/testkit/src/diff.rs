//! A line difference that people can read.

/// Comparisons of lines that are made to find the smallest difference; beyond that the first lines that differ are shown.
const WORK_MAX: usize = 4_000_000;
/// How many of them.
const SHOWN: usize = 10;

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

/// All lines with their marks.
fn marked<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<(char, &'a str)> {
    let same = |(a, b): &(&&str, &&str)| a == b;
    let head = old.iter().zip(new).take_while(same).count();
    let tail = old[head..].iter().rev().zip(new[head..].iter().rev()).take_while(same).count();
    let (old_middle, new_middle) = (&old[head..old.len() - tail], &new[head..new.len() - tail]);
    let unmarked = |lines: &[&'a str]| lines.iter().map(|line| (' ', *line)).collect::<Vec<_>>();
    let middle = if old_middle.len().saturating_mul(new_middle.len()) > WORK_MAX {
        let first =
            |mark, lines: &[&'a str]| lines.iter().take(SHOWN).map(move |line| (mark, *line)).collect::<Vec<_>>();
        [first('-', old_middle), first('+', new_middle)].concat()
    } else {
        aligned(old_middle, new_middle)
    };
    [unmarked(&old[..head]), middle, unmarked(&old[old.len() - tail..])].concat()
}

/// Along a longest common subsequence.
fn aligned<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<(char, &'a str)> {
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
        assert_eq!(lines("a\nb\na\nx", "a\nb\na\nb\na\nx"), "  b\n  a\n+ b\n+ a\n  x\n");
    }

    #[test]
    fn a_difference_that_is_too_large_is_cut() {
        let many = |letter: &str| (0..3000).map(|number| format!("{letter}{number}\n")).collect::<String>();
        let shown = lines(&many("a"), &many("b"));
        assert!(shown.starts_with("- a0\n") && shown.contains("+ b9\n"), "{shown}");
        assert_eq!(shown.lines().count(), 2 * SHOWN);
    }
}
