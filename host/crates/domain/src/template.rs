//! Addresses with variables: `https://{region}.vendor.test/v1`. A value fills a label of the host or a part of one, and nothing else.

use url::{Host, Url};

/// Characters of a label of a host name.
const LABEL_MAX: usize = 63;
/// Characters of a variable's name.
const NAME_MAX: usize = 40;

/// An address taken apart at the braces of its host.
pub(crate) struct Template<'a> {
    scheme: &'a str,
    labels: Vec<Vec<Piece<'a>>>,
    /// From the port or the path on.
    rest: &'a str,
}

enum Piece<'a> {
    Text(&'a str),
    Variable(&'a str),
}

/// Why a template has no address with these values.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unfilled {
    /// A variable has no value.
    Missing(String),
    /// The value of a variable cannot stand in a host.
    Unusable(String),
}

/// Whether this is one label of a host name: 1 to 63 of a-z, 0-9 and -, which is not at an end.
pub fn is_label(text: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=LABEL_MAX).contains(&text.len()) && text.bytes().all(legal) && !text.starts_with('-') && !text.ends_with('-')
}

/// Checks an address that a catalog declares, and lists the variables in it.
///
/// # Errors
/// What is wrong with it.
pub fn address_variables(text: &str) -> Result<Vec<String>, String> {
    let template = Template::read(text)?;
    let mut variables: Vec<String> = Vec::new();
    for name in template.variables() {
        if !variables.iter().any(|known| known == name) {
            variables.push(name.to_owned());
        }
    }
    let url = match &template.fill(&|_| Some("a")) {
        Ok(filled) => Url::parse(filled),
        Err(_) => return Err("a label with a variable must not start or end with -".to_owned()),
    };
    let url = url.map_err(|error| format!("is not a URL: {error}"))?;
    let plain =
        url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() || !plain {
        return Err("must be an http or https URL without user, query or fragment".to_owned());
    }
    if !variables.is_empty() && !matches!(url.host(), Some(Host::Domain(_))) {
        return Err("a variable cannot be part of an IP address".to_owned());
    }
    if text.ends_with('/') {
        return Err("must not end in a slash: request paths are appended to it".to_owned());
    }
    Ok(variables)
}

impl<'a> Template<'a> {
    /// Takes an address apart. One without braces is not looked at any closer.
    pub(crate) fn read(text: &'a str) -> Result<Template<'a>, String> {
        if !text.contains(['{', '}']) {
            return Ok(Template { scheme: "", labels: Vec::new(), rest: text });
        }
        let (scheme, after) = text.split_once("://").ok_or("is not a URL: it has no scheme")?;
        let (host, rest) = after.split_at(after.find([':', '/', '?', '#']).unwrap_or(after.len()));
        if scheme.contains(['{', '}']) || rest.contains(['{', '}']) {
            return Err("variables may stand in the host only".to_owned());
        }
        let labels = host.split('.').map(pieces).collect::<Result<Vec<_>, _>>()?;
        let fixed = |label: &Vec<Piece<'_>>| label.iter().all(|piece| matches!(piece, Piece::Text(_)));
        if labels.len() < 2 || !labels.last().is_some_and(fixed) {
            return Err("the last label of the host must have no variable".to_owned());
        }
        Ok(Template { scheme, labels, rest })
    }

    fn variables(&self) -> impl Iterator<Item = &'a str> {
        self.labels.iter().flatten().filter_map(|piece| match piece {
            Piece::Variable(name) => Some(*name),
            Piece::Text(_) => None,
        })
    }

    /// The address with values in place of its variables.
    pub(crate) fn fill<'v>(&self, values: &dyn Fn(&str) -> Option<&'v str>) -> Result<String, Unfilled> {
        if self.labels.is_empty() {
            return Ok(self.rest.to_owned());
        }
        let mut text = format!("{}://", self.scheme);
        for (index, label) in self.labels.iter().enumerate() {
            if index > 0 {
                text.push('.');
            }
            text.push_str(&fill_label(label, values)?);
        }
        text.push_str(self.rest);
        Ok(text)
    }
}

fn fill_label<'v>(label: &[Piece<'_>], values: &dyn Fn(&str) -> Option<&'v str>) -> Result<String, Unfilled> {
    let (mut text, mut variable) = (String::new(), None);
    for piece in label {
        match piece {
            Piece::Text(fixed) => text.push_str(fixed),
            Piece::Variable(name) => {
                let value = values(name).filter(|value| !value.is_empty());
                let value = value.ok_or_else(|| Unfilled::Missing((*name).to_owned()))?;
                if !is_label(value) {
                    return Err(Unfilled::Unusable((*name).to_owned()));
                }
                text.push_str(value);
                variable = Some(*name);
            }
        }
    }
    match variable {
        // Two that are short enough each may be too long together, and `xn--` gives the rest of a label another meaning.
        Some(name) if !is_label(&text) || text.starts_with("xn--") => Err(Unfilled::Unusable(name.to_owned())),
        _ => Ok(text),
    }
}

/// Texts and variables of one label.
fn pieces(label: &str) -> Result<Vec<Piece<'_>>, String> {
    let mut pieces = Vec::new();
    let mut rest = label;
    while !rest.is_empty() {
        let Some((before, after)) = rest.split_once('{') else {
            pieces.push(Piece::Text(rest));
            break;
        };
        let (name, behind) = after.split_once('}').ok_or("has a `{` without its `}`")?;
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if name.is_empty() || name.len() > NAME_MAX || !name.bytes().all(legal) {
            return Err(format!("the name of a variable must be 1 to {NAME_MAX} of A-Z, a-z, 0-9, _ and -"));
        }
        if !before.is_empty() {
            pieces.push(Piece::Text(before));
        }
        pieces.push(Piece::Variable(name));
        rest = behind;
    }
    let legal =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if pieces.is_empty() || pieces.iter().any(|piece| matches!(piece, Piece::Text(text) if !legal(text))) {
        return Err("a host with variables must be of a-z, 0-9, - and dots besides".to_owned());
    }
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(template: &str, value: &str) -> Result<String, Unfilled> {
        Template::read(template).unwrap().fill(&|_| Some(value))
    }

    #[test]
    fn variables_are_labels_or_parts_of_them() {
        for (address, variables) in [
            ("https://api.vendor.test/v1", &[][..]),
            ("https://{region}.vendor.test", &["region"]),
            ("https://{location}-api.vendor.test:8443/v1/x", &["location"]),
            ("https://a-{x}{y}.{x}.vendor.test", &["x", "y"]),
            ("http://[::1]:8080/v1", &[]),
        ] {
            assert_eq!(address_variables(address).unwrap(), variables, "{address}");
        }
        assert_eq!(
            fill("https://{l}-api.vendor.test:8443/v1", "eu-1").unwrap(),
            "https://eu-1-api.vendor.test:8443/v1"
        );
        assert_eq!(fill("https://a-{x}{y}.{x}.vendor.test", "b").unwrap(), "https://a-bb.b.vendor.test");
    }

    #[test]
    fn an_address_with_variables_elsewhere_is_refused() {
        for address in [
            "https://vendor.test/{region}",
            "https://vendor.test:{port}",
            "https://{user}@vendor.test",
            "https://vendor.test?x={x}",
            "{scheme}://vendor.test",
            "https://{host}",
            "https://vendor.{tld}",
            "https://{a.b}.vendor.test",
            "https://{}.vendor.test",
            "https://{a.vendor.test",
            "https://a}.vendor.test",
            "https://{a}..vendor.test",
            "https://{a}.Vendor.test",
            "https://-{a}.vendor.test",
            "https://{a}.0.0.1",
            "{a}.vendor.test",
            "https://{a}.vendor.test/",
            "ftp://{a}.vendor.test",
            "ftp://vendor.test",
            "https://user:pw@vendor.test",
        ] {
            assert!(address_variables(address).is_err(), "{address} must be refused");
        }
    }

    #[test]
    fn a_value_cannot_leave_its_label() {
        let whole = "https://{v}.vendor.test";
        let long = "a".repeat(64);
        for value in
            ["a.b", "a/", "a:1", "u@a", "-a", "a-", "A", "ä", "a b", "a%2e", "a#", "a?", "a\\", "a\n", "xn--a", &long]
        {
            assert_eq!(fill(whole, value), Err(Unfilled::Unusable("v".into())), "{value:?}");
        }
        assert_eq!(fill(whole, ""), Err(Unfilled::Missing("v".into())));
        assert_eq!(fill("https://{v}-{v}.vendor.test", &"a".repeat(40)), Err(Unfilled::Unusable("v".into())));
        assert!(fill(whole, &"a".repeat(63)).is_ok());
    }
}
