//! Files that a client names: fetched by the host under its rules, carried by the adapter as a token.

use serde_json::{Value, json};
use testkit::{Answer, ScriptedVendor};

use super::{MODEL, flow_on, paths};
use crate::{
    expect,
    setup::{self, Setup},
};

const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n not really a picture \x00\xff";

fn about(url: &str) -> Value {
    let image = json!({"type": "image_url", "image_url": {"url": url}});
    json!({"model": MODEL, "messages": [{"role": "user", "content": [{"type": "text", "text": "what is it?"}, image]}]})
}

/// A vendor, a server of files, and a gateway whose operator allows that server.
async fn with_files(allowed: bool) -> (Setup, ScriptedVendor) {
    let files = ScriptedVendor::start().await;
    let origins = if allowed { format!("http://{}", files.address()) } else { String::new() };
    let config = format!("[exchange]\nmedia_origins = \"{origins}\"\nmedia_max_bytes = 1024\n");
    let setup = flow_on(setup::bare().config(&config), "flow-files", "files-secret-0123456789").await;
    setup.vendor.always(|request| match request.path.as_str() {
        "/describe" => Answer::json(&json!({"text": "a picture"})),
        _ => Answer::json(&json!({"id": "file-1"})),
    });
    (setup, files)
}

#[tokio::test]
async fn a_file_goes_to_the_vendor_as_base64_and_as_bytes() {
    let (setup, files) = with_files(true).await;
    files.reply(Answer::redirect("/moved.png")).reply(Answer::bytes(200, "image/png", PICTURE));
    let answer = setup.chat(&about(&format!("http://{}/a.png?sig=abc", files.address()))).await;
    assert_eq!((answer.status.as_u16(), answer.content().as_str()), (200, "a picture (file-1)"), "{}", answer.text());
    assert_eq!(paths(&files.requests()), ["/a.png", "/moved.png"]);
    for request in files.requests() {
        assert!(
            request.header("authorization").is_none() && request.header("cookie").is_none(),
            "{:?}",
            request.headers
        );
    }
    let requests = setup.vendor.requests();
    let inline = requests.iter().find(|request| request.path == "/describe").unwrap();
    let body: Value = serde_json::from_slice(&inline.body).unwrap();
    use base64::Engine as _;
    assert_eq!(body["data"], base64::engine::general_purpose::STANDARD.encode(PICTURE));
    assert_eq!(body["mime"], "image/png");
    let form = requests.iter().find(|request| request.path == "/files").unwrap();
    let boundary = form.header("content-type").and_then(|kind| kind.split_once("boundary=")).unwrap().1.to_owned();
    let mut expected = format!(
        "--{boundary}\r\ncontent-disposition: form-data; name=\"purpose\"\r\n\r\nvision\r\n--{boundary}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"image\"\r\ncontent-type: image/png\r\n\r\n"
    )
    .into_bytes();
    expected.extend_from_slice(PICTURE);
    expected.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    assert_eq!(String::from_utf8_lossy(&form.body), String::from_utf8_lossy(&expected));
}

#[tokio::test]
async fn addresses_that_a_client_may_not_name_are_refused() {
    let (setup, files) = with_files(false).await;
    for url in [
        format!("http://{}/a.png", files.address()),
        format!("http://localhost:{}/a.png", files.address().port()),
        "http://169.254.169.254/latest/meta-data".to_owned(),
        "http://[::ffff:127.0.0.1]/a.png".to_owned(),
        "http://2130706433/a.png".to_owned(),
        "file:///etc/passwd".to_owned(),
        "ftp://files.example/a.png".to_owned(),
        "http://user:pw@files.example/a.png".to_owned(),
        "nonsense".to_owned(),
    ] {
        let answer = setup.chat(&about(&url)).await;
        let message = expect::error(&answer, expect::INVALID);
        assert!(!message.contains("127.0.0.1:") || url.contains("127.0.0.1"), "{url}: {message}");
    }
    assert!(files.requests().is_empty() && setup.vendor.requests().is_empty());
}

#[tokio::test]
async fn a_file_that_redirects_to_a_private_address_or_is_too_large_is_refused() {
    let (setup, files) = with_files(true).await;
    let secret = ScriptedVendor::start().await;
    let url = format!("http://{}/a.png", files.address());
    for answer in [
        Answer::redirect(&format!("http://{}/inside", secret.address())),
        Answer::redirect("/again"),
        Answer::bytes(200, "image/png", vec![0; 1025]),
        Answer::stream().push(vec![1; 600]).push(vec![2; 600]),
        Answer::html(404, "gone"),
    ] {
        files.reply(answer);
        files.always(|_| Answer::redirect("/again"));
        let answer = setup.chat(&about(&url)).await;
        expect::error(&answer, expect::INVALID);
    }
    assert!(secret.requests().is_empty() && setup.vendor.requests().is_empty());
}
