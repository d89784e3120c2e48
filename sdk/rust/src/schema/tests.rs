//! Schemas as clients write them, for vendors that know less.

use super::*;
use crate::Code;

fn translated(schema: &str, limits: Limits<'_>) -> String {
    translate(schema, limits).unwrap().0
}

#[test]
fn nothing_changes_without_limits() {
    let schema = r#"{"type":"object","properties":{"z":{"maximum":1.50},"a":{"const":12345678901234567890}},"$defs":{"x":true},"oneOf":[false]}"#;
    assert_eq!(translate(schema, Limits::default()).unwrap(), (schema.to_owned(), vec![]));
}

#[test]
fn keywords_are_dropped_where_they_are_keywords() {
    let schema = r#"{"title":"T","type":"object","properties":{"title":{"title":"x","type":"string"},"list":{"items":{"title":"y"}}},
        "default":{"title":"stays, it is a value"},"anyOf":[{"title":"z"}]}"#;
    let (out, dropped) = translate(schema, Limits { drop: &["title"], ..Limits::default() }).unwrap();
    assert_eq!(
        out,
        r#"{"type":"object","properties":{"title":{"type":"string"},"list":{"items":{}}},"default":{"title":"stays, it is a value"},"anyOf":[{}]}"#
    );
    assert_eq!(dropped, ["title"]);
}

#[test]
fn references_are_put_in_place() {
    let limits = Limits { no_refs: true, ..Limits::default() };
    let schema = r##"{"properties":{"a":{"$ref":"#/$defs/point","description":"first"},"b":{"$ref":"#/definitions/x~1y"}},
        "$defs":{"point":{"type":"object","description":"any","properties":{"x":{"$ref":"#/$defs/number"}}},"number":{"type":"number"}},
        "definitions":{"x/y":{"type":"null"}}}"##;
    assert_eq!(
        translated(schema, limits),
        r#"{"properties":{"a":{"type":"object","description":"first","properties":{"x":{"type":"number"}}},"b":{"type":"null"}}}"#
    );
}

#[test]
fn what_cannot_be_put_in_place_is_refused() {
    let limits = Limits { no_refs: true, ..Limits::default() };
    for (schema, what) in [
        (r##"{"$defs":{"a":{"items":{"$ref":"#/$defs/a"}}},"$ref":"#/$defs/a"}"##, "refers to itself"),
        (r##"{"items":{"$ref":"#"}}"##, "refers to itself"),
        (r##"{"$ref":"#/$defs/b"}"##, "is not there"),
        (r#"{"$ref":"https://schemas.test/a"}"#, "is not a place in it"),
        (r#"{"properties":[]}"#, "not a JSON object"),
        (r#"{"anyOf":{}}"#, "a list of schemas"),
    ] {
        let fault = translate(schema, limits).unwrap_err();
        assert_eq!(fault.code, Code::InvalidRequest);
        assert!(fault.message.contains(what), "{schema}: {}", fault.message);
    }
    // Every level refers to the next one twice.
    let levels: Vec<String> = (0..30)
        .map(|n| format!(r##""l{n}":{{"anyOf":[{{"$ref":"#/$defs/l{0}"}},{{"$ref":"#/$defs/l{0}"}}]}}"##, n + 1))
        .collect();
    let bomb = format!(r##"{{"$ref":"#/$defs/l0","$defs":{{{},"l30":{{}}}}}}"##, levels.join(","));
    assert!(translate(&bomb, limits).unwrap_err().message.contains("too large"));
    let deep = format!("{}{}", r#"{"items":"#.repeat(70), "{}".to_owned() + &"}".repeat(70));
    assert!(translate(&deep, limits).unwrap_err().message.contains("too large"));
}

#[test]
fn null_and_const_and_one_of_have_other_spellings() {
    let limits = Limits { nullable: true, no_const: true, no_one_of: true, ..Limits::default() };
    for (schema, expected) in [
        (r#"{"type":["string","null"]}"#, r#"{"type":"string","nullable":true}"#),
        (r#"{"type":["string","number"]}"#, r#"{"type":["string","number"]}"#),
        (
            r#"{"description":"d","anyOf":[{"type":"integer"},{"type":"null"}]}"#,
            r#"{"description":"d","type":"integer","nullable":true}"#,
        ),
        (
            r#"{"oneOf":[{"type":"integer"},{"type":"string"},{"type":"null"}]}"#,
            r#"{"anyOf":[{"type":"integer"},{"type":"string"}],"nullable":true}"#,
        ),
        (r#"{"const":1e999}"#, r#"{"enum":[1e999]}"#),
    ] {
        assert_eq!(translated(schema, limits), expected);
    }
}
