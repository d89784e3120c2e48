//! JSON of the outside: the client's canonical request, the vendor's request, the vendor's answers. Borrowed from the text it came in
//! wherever it is passed on, so that prompts, schemas and arguments keep their bytes.

pub(crate) mod answer;
pub(crate) mod ask;
pub(crate) mod canonical;
