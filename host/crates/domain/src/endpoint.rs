//! Addresses: what an operator pasted and what a catalog declared, joined into the one URL that requests go under.

use std::fmt;

use url::Url;

use crate::EndpointSpec;

/// Scheme, host and port: what an operator approves.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    /// `http` or `https`.
    pub scheme: String,
    /// Host name or address, lower case, IPv6 in brackets.
    pub host: String,
    /// The port, the scheme's default made explicit.
    pub port: u16,
}

impl Origin {
    /// The origin of a URL; `None` when it is not http(s) or has no host.
    pub fn of(url: &Url) -> Option<Origin> {
        let scheme = url.scheme();
        if scheme != "http" && scheme != "https" {
            return None;
        }
        Some(Origin {
            scheme: scheme.to_owned(),
            host: url.host_str()?.to_ascii_lowercase(),
            port: url.port_or_known_default()?,
        })
    }

    /// Reads the text form back.
    pub fn parse(text: &str) -> Option<Origin> {
        Origin::of(&Url::parse(text).ok()?)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}:{}", self.scheme, self.host, self.port)
    }
}

/// Why a base URL was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrlError(pub String);

impl fmt::Display for BaseUrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BaseUrlError {}

/// The URL that an endpoint's request paths are appended to, without a trailing slash.
///
/// `typed` is the operator's base URL, as people paste it: with or without a trailing slash, a version path, or the whole path of an
/// operation. What the catalog lists as `pasted` is cut off its end and the endpoint's own path put there; a path that ends in a version
/// segment of its own (`/v4`) is kept as it is.
pub fn join_base_url(endpoint: &EndpointSpec, typed: Option<&str>) -> Result<Url, BaseUrlError> {
    let declared = match endpoint.url.as_str() {
        "" => None,
        url => Some(Url::parse(url).map_err(|error| {
            BaseUrlError(format!("the adapter's endpoint `{}` is not a URL: {error}", endpoint.name))
        })?),
    };
    let Some(typed) = typed.map(str::trim).filter(|text| !text.is_empty()) else {
        let Some(declared) = declared else {
            return Err(BaseUrlError("this provider has no address of its own; give one with --base-url".to_owned()));
        };
        let path = declared.path().to_owned();
        return Ok(with_path(declared, &path));
    };
    let url = Url::parse(typed).map_err(|error| {
        BaseUrlError(format!("base URL `{typed}` is not a URL ({error}); write it like https://host/v1"))
    })?;
    if Origin::of(&url).is_none() {
        return Err(BaseUrlError(format!("base URL `{typed}` must start with http:// or https:// and name a host")));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(BaseUrlError("a base URL must not contain a user name or password; use --secret".to_owned()));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(BaseUrlError("a base URL must not contain a query or fragment".to_owned()));
    }
    let own = declared.as_ref().map_or("", |declared| declared.path().trim_end_matches('/'));
    let mut path = url.path().trim_end_matches('/').to_owned();
    let mut suffixes: Vec<&str> = endpoint.pasted.iter().map(|suffix| suffix.trim_end_matches('/')).collect();
    suffixes.sort_by_key(|suffix| std::cmp::Reverse(suffix.len()));
    let cut = suffixes.into_iter().filter(|suffix| !suffix.is_empty()).find_map(|suffix| path.strip_suffix(suffix));
    path = cut.unwrap_or(&path).to_owned();
    if !ends_in_version(&path) && !path.ends_with(own) {
        path.push_str(own);
    }
    Ok(with_path(url, &path))
}

fn with_path(mut url: Url, path: &str) -> Url {
    url.set_path(path.trim_end_matches('/'));
    url
}

/// Whether the last segment reads like `v1`, `v1beta` or `v4`.
fn ends_in_version(path: &str) -> bool {
    let last = path.rsplit('/').next().unwrap_or("");
    let mut letters = last.chars();
    letters.next() == Some('v') && letters.next().is_some_and(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(declared: &str, pasted: &[&str], typed: &str, expected: &str) {
        let endpoint = EndpointSpec {
            name: "api".to_owned(),
            url: declared.to_owned(),
            pasted: pasted.iter().map(|&s| s.to_owned()).collect(),
        };
        let typed = (!typed.is_empty()).then_some(typed);
        let url = join_base_url(&endpoint, typed).unwrap();
        assert_eq!(url.as_str().trim_end_matches('/'), expected, "typed {typed:?}");
    }

    #[test]
    fn base_urls_work_as_people_paste_them() {
        let (api, usual) = ("https://api.vendor.test/v1", ["/v1/chat/completions", "/v1"]);
        for typed in [
            "",
            "https://api.vendor.test",
            "https://api.vendor.test/",
            "https://api.vendor.test/v1",
            "https://api.vendor.test/v1/",
            "https://api.vendor.test/v1/chat/completions",
        ] {
            check(api, &usual, typed, "https://api.vendor.test/v1");
        }
        check(api, &usual, "http://127.0.0.1:8080/openai", "http://127.0.0.1:8080/openai/v1");
        check(api, &usual, "https://other.test/api/paas/v4", "https://other.test/api/paas/v4");
        check("https://a.test", &["/v1"], "https://a.test/v1/", "https://a.test");
        check(
            "https://ds.test/compatible-mode/v1",
            &["/api/v1", "/compatible-mode/v1"],
            "https://ds.test/api/v1",
            "https://ds.test/compatible-mode/v1",
        );
        let cut = ["/v1/chat/completions", "/chat/completions", "/v1"];
        check(api, &cut, "https://other.test/paas/v4/chat/completions", "https://other.test/paas/v4");
        check(api, &cut, "https://api.vendor.test/v1/chat/completions", "https://api.vendor.test/v1");
        check("", &["/chat/completions"], "http://127.0.0.1:8000/v1/chat/completions", "http://127.0.0.1:8000/v1");
    }

    #[test]
    fn bad_base_urls_say_what_to_write() {
        let endpoint = EndpointSpec { name: "api".into(), url: "https://a.test/v1".into(), pasted: vec![] };
        for typed in ["api.vendor.test", "ftp://a.test", "https://u:p@a.test", "https://a.test/?x=1", "://"] {
            assert!(join_base_url(&endpoint, Some(typed)).is_err(), "{typed} must be refused");
        }
        let nowhere = EndpointSpec { url: String::new(), ..endpoint };
        assert!(join_base_url(&nowhere, None).unwrap_err().0.contains("--base-url"));
    }
}
