//! Every case under `fixtures/chat`, run natively.

#[test]
fn chat() {
    witgate_sdk_testkit::golden::<witgate_sdk::Simple<plugin_openai::Chat>>("fixtures/chat");
}

#[test]
fn every_case_is_in_the_readme() {
    let readme = include_str!("../README.md");
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/chat")).unwrap() {
        let case = entry.unwrap().file_name().into_string().unwrap();
        assert!(readme.contains(&format!("| `{case}` |")), "{case} is not in README.md");
    }
}
