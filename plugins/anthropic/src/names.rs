//! Names and ids that the vendor takes: letters, digits, `_` and `-`. Others are rewritten on the way out and restored on the way back.

use std::borrow::Cow;

/// The longest name, in bytes.
const LONGEST: usize = 128;

/// What was rewritten. Empty as long as every name fits, which is nearly always.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names(Vec<(String, String)>);

impl Names {
    /// The name as the vendor takes it.
    pub(crate) fn fit<'a>(&mut self, name: Cow<'a, str>) -> Cow<'a, str> {
        if fits(&name) {
            return name;
        }
        let fitted = fitted(&name);
        if !self.0.iter().any(|(own, _)| *own == name) {
            self.0.push((name.into_owned(), fitted.clone()));
        }
        Cow::Owned(fitted)
    }

    /// The client's own name for what the vendor said.
    pub(crate) fn own<'a>(&'a self, name: &'a str) -> &'a str {
        self.0.iter().find(|(_, fitted)| fitted == name).map_or(name, |(own, _)| own)
    }
}

fn fits(name: &str) -> bool {
    !name.is_empty() && name.len() <= LONGEST && name.chars().all(is_legal)
}

fn is_legal(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
}

/// The same for the same name in every request, whatever other names there are: caches depend on it. The sum at the end keeps names apart
/// that differ only in what is replaced.
fn fitted(name: &str) -> String {
    let sum = name.bytes().fold(0x811c_9dc5_u32, |sum, byte| (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let legal: String = name.chars().map(|c| if is_legal(c) { c } else { '_' }).take(LONGEST - 9).collect();
    format!("{legal}_{sum:08x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_names_go_out_and_come_back() {
        let mut names = Names::default();
        assert_eq!(names.fit("get_weather".into()), "get_weather");
        let long = "x".repeat(300);
        let odd = ["files.read", "files/read", "", "文件", &long];
        let fitted: Vec<String> = odd.iter().map(|name| names.fit((*name).into()).into_owned()).collect();
        for (name, fitted) in odd.iter().zip(&fitted) {
            assert!(fits(fitted), "{fitted}");
            assert_eq!(names.own(fitted), *name);
            assert_eq!(names.fit((*name).into()), *fitted);
        }
        assert_ne!(fitted[0], fitted[1]);
        assert_eq!(names.own("get_weather"), "get_weather");
    }
}
