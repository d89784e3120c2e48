//! Arrays as they arrive, and what is not one.

use super::*;

fn run(input: &str, limit: usize) -> (Vec<String>, Result<(), FrameError>) {
    let mut array = JsonArray::new(limit);
    let result = array.push(input.as_bytes()).and_then(|()| array.finish());
    let texts = std::iter::from_fn(|| array.pop())
        .map(|frame| match frame {
            Frame::Message(message) => message.data,
            other => panic!("{other:?}"),
        })
        .collect();
    (texts, result)
}

fn check(input: &str, expected: &[&str]) {
    assert_eq!(run(input, 1 << 20), (expected.iter().map(|&text| text.to_owned()).collect(), Ok(())), "{input}");
}

fn fails(input: &str, before: &[&str], error: FrameError) {
    let before = before.iter().map(|&text| text.to_owned()).collect();
    assert_eq!(run(input, 16), (before, Err(error)), "{input}");
}

#[test]
fn elements_keep_their_bytes() {
    check("[{\"a\": 1}\n,\r\n{\"b\":\n 2}\n]\n", &["{\"a\": 1}", "{\"b\":\n 2}"]);
    check("[{},{}]", &["{}", "{}"]);
    check(" \n[\t[1,[2,{}]] , \"x,]\" ]", &["[1,[2,{}]]", "\"x,]\""]);
    check("[1,-2.5e+3,true ,false\n,null]", &["1", "-2.5e+3", "true", "false", "null"]);
    check("[]", &[]);
    check(" [ \n ] ", &[]);
}

#[test]
fn strings_hide_what_looks_like_an_end() {
    check(r#"[{"a":"]},{\"[ \\"},{"\\\"}":"\u005d"}]"#, &[r#"{"a":"]},{\"[ \\"}"#, r#"{"\\\"}":"\u005d"}"#]);
    check("[{\"a\":\"你}\"}]", &["{\"a\":\"你}\"}"]);
}

#[test]
fn one_object_is_one_message() {
    check("{\"error\": {\"code\": 400}}\n", &["{\"error\": {\"code\": 400}}"]);
    fails("{} {}", &["{}"], TRAILING);
    fails("{},", &["{}"], TRAILING);
    fails("{\"a\":", &[], CUT);
}

#[test]
fn what_is_not_one_array_is_an_error_after_the_good_elements() {
    for text in ["<html>", "data: x", "1", "\"x\"", "null", "]", "\u{feff}[]"] {
        fails(text, &[], NOT_AN_ARRAY);
    }
    for text in ["", " ", "[", "[1", "[\"", "[\"\\", "[[", "[{\"a\":\"b\""] {
        fails(text, &[], CUT);
    }
    fails("[{},", &["{}"], CUT);
    fails("[{}", &["{}"], CUT);
    fails("[{}]]", &["{}"], TRAILING);
    fails("[{}][", &["{}"], TRAILING);
    fails("[{} {}]", &["{}"], BAD_SEPARATOR);
    fails("[{}:{}]", &["{}"], BAD_SEPARATOR);
    fails("[,]", &[], BAD_SCALAR);
    fails("[{},]", &["{}"], BAD_SCALAR);
    fails("[{},,{}]", &["{}"], BAD_SCALAR);
    fails("[1{}]", &[], BAD_SCALAR);
    fails("[{]", &[], BAD_BRACKETS);
    fails("[[}]", &[], BAD_BRACKETS);
}

#[test]
fn an_element_has_a_limit_and_must_be_utf8() {
    let too_large = FrameError::TooLarge { limit: 16 };
    fails(
        "[{\"a\":\"12345678\"},{\"a\":\"12345678\"}, {\"a\":\"123456789\"}]",
        &["{\"a\":\"12345678\"}"; 2],
        too_large,
    );
    fails("[\"1234567890123456", &[], too_large);
    fails("[[[[[[[[[[[[[[[[[[", &[], too_large);
    fails("[12345678901234567", &[], too_large);
    let mut array = JsonArray::new(100);
    assert_eq!(array.push(b"[1,\"\xE4\xBD\"]"), Err(FrameError::NotUtf8));
    assert!(array.pop().is_some(), "what was complete before stays");
}
