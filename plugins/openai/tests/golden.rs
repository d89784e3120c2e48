//! Every case under `fixtures/`, run natively.

#[test]
fn chat() {
    witgate_sdk_testkit::golden::<witgate_sdk::Simple<plugin_openai::Chat>>("fixtures/chat");
}

#[test]
fn embeddings() {
    witgate_sdk_testkit::golden::<witgate_sdk::Simple<plugin_openai::Embeddings>>("fixtures/embeddings");
}

#[test]
fn account() {
    witgate_sdk_testkit::golden::<witgate_sdk::Simple<plugin_openai::Account>>("fixtures/account");
}

#[test]
fn every_case_is_in_the_readme() {
    let readme = include_str!("../README.md");
    for capability in ["chat", "embeddings", "account"] {
        for entry in std::fs::read_dir(format!("{}/fixtures/{capability}", env!("CARGO_MANIFEST_DIR"))).unwrap() {
            let case = entry.unwrap().file_name().into_string().unwrap();
            let listed = if capability == "chat" { case } else { format!("{capability}/{case}") };
            assert!(readme.contains(&format!("| `{listed}` |")), "{listed} is not in README.md");
        }
    }
}
