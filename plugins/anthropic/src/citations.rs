//! Where a text comes from: the vendor's citations of web pages as canonical annotations of the whole text.

use serde::Serialize;

use crate::wire::answer::Citation;

/// A canonical annotation.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Annotation {
    r#type: &'static str,
    url_citation: UrlCitation,
}

#[derive(Clone, Debug, Serialize)]
struct UrlCitation {
    start_index: usize,
    end_index: usize,
    url: String,
    title: String,
}

/// The annotations of the characters `from..to`. Citations of documents have no URL and no canonical form.
pub(crate) fn annotations(citations: Vec<Citation>, from: usize, to: usize) -> Vec<Annotation> {
    let annotation = |citation: Citation| {
        let title = citation.title.unwrap_or_default();
        let url_citation = UrlCitation { start_index: from, end_index: to, url: citation.url?, title };
        Some(Annotation { r#type: "url_citation", url_citation })
    };
    citations.into_iter().filter_map(annotation).collect()
}
