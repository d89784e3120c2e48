//! The adapters' own golden cases, through the compiled component, the real program and two real sockets.

mod case;

use serde_json::{Value, json};
use testkit::{Answered, client::Collected};

use self::case::Case;
use crate::{
    expect,
    setup::{self, Setup},
};

/// What the gateway did with a case.
enum Got {
    Whole(Answered),
    Stream(Collected),
}

#[tokio::test]
async fn every_case_of_the_compatible_family_holds_end_to_end() {
    let setup = setup::vendor().await;
    let cases = Case::all("openai");
    assert!(cases.len() > 20, "where are the fixtures?");
    let mut failures = Vec::new();
    for case in &cases {
        if let Err(what) = replay(&setup, case).await {
            failures.push(format!("{}: {what}", case.name));
        }
    }
    assert!(failures.is_empty(), "{} of {} cases:\n{}", failures.len(), cases.len(), failures.join("\n"));
}

async fn replay(setup: &Setup, case: &Case) -> Result<(), String> {
    let added = case.add_channel(setup).await;
    let Some(request) = &case.request else {
        // Nothing may be sent: the channel itself is refused, or every request on it.
        return if added.success { Err("the channel should have been refused".into()) } else { Ok(()) };
    };
    if !added.success {
        return Err(format!("the channel was refused: {}{}", added.stdout, added.stderr));
    }
    setup.gateway.wait_for_model(&setup.key, &case.name).await;
    setup.vendor.reply(case.answer());
    let before = setup.vendor.requests().len();
    let call = setup.gateway.call("POST", "/v1/chat/completions").bearer(&setup.key).json_text(case.client.clone());
    let answer = call.open().await;
    let is_stream = answer.header("content-type").starts_with("text/event-stream");
    let got = if is_stream { Got::Stream(answer.collect().await) } else { Got::Whole(answer.whole().await) };
    let sent = setup.vendor.requests().split_off(before);
    let [sent] = sent.as_slice() else { return Err(format!("{} requests were sent instead of one", sent.len())) };
    case.check_request(request, sent, setup.gateway.vendor_secret())?;
    check_answer(case, &got)?;
    check_record(setup, case).await
}

fn check_answer(case: &Case, got: &Got) -> Result<(), String> {
    let emitted = case.emitted();
    match (case.failure(), got) {
        (Some(code), Got::Whole(answer)) => {
            if case.streaming() && !emitted.is_empty() {
                return Err(format!("something was emitted, so the stream should have begun: {}", answer.text()));
            }
            let expected = expect::of_code(code).ok_or_else(|| format!("no row for {code} in expect.rs"))?;
            if answer.status.as_u16() != expected.status() {
                return Err(format!("status {} instead of {}: {}", answer.status, expected.status(), answer.text()));
            }
            expect::error(answer, expected);
            Ok(())
        }
        (Some(_), Got::Stream(stream)) => {
            if stream.done || stream.error.is_none() {
                return Err(format!("an error event and no [DONE] was expected: {stream:?}"));
            }
            same_chunks(case, &emitted, stream)
        }
        (None, Got::Whole(answer)) => {
            if answer.status != 200 || case.streaming() {
                return Err(format!("status {}: {}", answer.status, answer.text()));
            }
            let (mut expected, mut got) = (emitted.last().cloned().unwrap_or_default(), answer.json());
            for body in [&mut expected, &mut got] {
                body["model"] = json!(case.name);
                body["usage"] = Value::Null;
            }
            if expected == got { Ok(()) } else { Err(format!("the answer differs:\n  {expected}\n  {got}")) }
        }
        (None, Got::Stream(stream)) => {
            if !stream.done || stream.error.is_some() {
                return Err(format!("the stream did not end well: {stream:?}"));
            }
            same_chunks(case, &emitted, stream)
        }
    }
}

/// The client's chunks say what was emitted, under the name it asked for, with usage only as its own request wants it.
fn same_chunks(case: &Case, emitted: &[Value], stream: &Collected) -> Result<(), String> {
    if let Some(chunk) = stream.chunks.iter().find(|chunk| chunk["model"] != case.name.as_str()) {
        return Err(format!("a chunk names another model: {chunk}"));
    }
    if stream.usage().is_some() != case.usage_asked() {
        return Err(format!("usage asked: {}, given: {:?}", case.usage_asked(), stream.usage()));
    }
    if emitted.iter().any(|chunk| chunk["object"] == "chat.completion") {
        let text = |chunk: &Value| chunk["choices"][0]["message"]["content"].as_str().unwrap_or_default().to_owned();
        let expected: String = emitted.iter().map(text).collect();
        let same = stream.content() == expected;
        return if same { Ok(()) } else { Err(format!("{expected:?} became {:?}", stream.content())) };
    }
    let choices = |chunks: &[Value]| -> Vec<Value> {
        chunks.iter().map(|chunk| chunk["choices"].clone()).filter(|choices| choices.get(0).is_some()).collect()
    };
    let (expected, got) = (choices(emitted), choices(&stream.chunks));
    if expected == got { Ok(()) } else { Err(format!("the chunks differ:\n  {expected:?}\n  {got:?}")) }
}

async fn check_record(setup: &Setup, case: &Case) -> Result<(), String> {
    let records = setup::records(&setup.gateway).await;
    let Some(record) = records.iter().find(|record| record.model == case.name) else {
        return Err("no usage record".to_owned());
    };
    if record.fault != case.failure().unwrap_or_default() {
        return Err(format!("the record's fault is {:?}", record.fault));
    }
    let counts: Vec<(&str, u64)> =
        record.usage.counts.iter().map(|(class, count)| (class.as_str(), u64::from(*count))).collect();
    if let Some(expected) = case.usage() {
        let mut got = serde_json::Map::new();
        counts.iter().for_each(|(class, count)| drop(got.insert((*class).to_owned(), json!(count))));
        if Value::Object(got.clone()) != expected || record.usage.estimated {
            return Err(format!(
                "the record counts {got:?}, estimated {}, instead of {expected}",
                record.usage.estimated
            ));
        }
    }
    let missing =
        case.losses().into_iter().find(|field| !record.losses.iter().any(|loss| loss.contains(field.as_str())));
    missing.map_or(Ok(()), |field| Err(format!("the loss of {field} is not in the record: {:?}", record.losses)))
}
