//! The answers of a vendor without a script: sensible chat completions, plain and streamed, with a tool call when tools are offered.

use serde_json::{Map, Value, json};

use super::{Answer, VendorRequest};

/// What the vendor says when nobody scripted anything.
pub(super) const DEFAULT_TEXT: &str = "Hello from the scripted vendor.";

/// A sensible answer: a completion for `POST .../chat/completions`, a list for `GET .../models`, else 404.
///
/// With tools and no tool result yet, it calls the first tool with arguments that fit its schema. With a JSON schema as response format, its text
/// is a document that fits. The model it names is not the one it was asked for, as with many vendors.
pub fn default_answer(request: &VendorRequest) -> Answer {
    if request.path.ends_with("/models") {
        return Answer::json(
            &json!({"object": "list", "data": [{"id": "gpt-test", "object": "model", "owned_by": "vendor"}]}),
        );
    }
    let Ok(body) = serde_json::from_slice::<Value>(&request.body) else {
        return Answer::error(400, &json!({"error": {"message": "not JSON", "type": "invalid_request_error"}}));
    };
    if !request.path.ends_with("/chat/completions") {
        return Answer::error(404, &json!({"error": {"message": "no such path", "type": "invalid_request_error"}}));
    }
    let model = format!("{}-2026-01-01", body["model"].as_str().unwrap_or_default());
    let message = message_for(&body);
    if body["stream"] == json!(true) {
        let usage = body["stream_options"]["include_usage"] == json!(true);
        return Answer::sse(&chunks(&model, &message, usage));
    }
    let finish = finish_reason(&message);
    Answer::json(&json!({
        "id": "chatcmpl-vendor", "object": "chat.completion", "created": 1_700_000_000, "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": finish}], "usage": usage(),
    }))
}

fn usage() -> Value {
    json!({"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18})
}

fn finish_reason(message: &Value) -> &'static str {
    if message["tool_calls"].is_array() { "tool_calls" } else { "stop" }
}

fn message_for(body: &Value) -> Value {
    let last_role = body["messages"].as_array().and_then(|all| all.last()).map(|message| &message["role"]);
    let tool = body["tools"].get(0).map(|tool| &tool["function"]);
    match tool {
        Some(function) if last_role != Some(&json!("tool")) && body["tool_choice"] != json!("none") => json!({
            "role": "assistant", "content": null,
            "tool_calls": [{
                "id": "call_vendor", "type": "function",
                "function": {"name": function["name"], "arguments": sample_of_schema(&function["parameters"]).to_string()},
            }],
        }),
        _ => {
            let text = match body["response_format"]["type"].as_str() {
                Some("json_schema") => sample_of_schema(&body["response_format"]["json_schema"]["schema"]).to_string(),
                Some("json_object") => json!({"answer": DEFAULT_TEXT}).to_string(),
                _ => DEFAULT_TEXT.to_owned(),
            };
            json!({"role": "assistant", "content": text})
        }
    }
}

fn chunk(model: &str, choices: Value) -> Value {
    json!({"id": "chatcmpl-vendor", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": model, "choices": choices})
}

fn chunks(model: &str, message: &Value, with_usage: bool) -> Vec<Value> {
    let choice =
        |delta: Value, finish: Value| chunk(model, json!([{"index": 0, "delta": delta, "finish_reason": finish}]));
    let mut all = vec![choice(json!({"role": "assistant", "content": ""}), Value::Null)];
    if let Some(call) = message["tool_calls"].get(0) {
        let name = &call["function"]["name"];
        let head =
            json!({"index": 0, "id": call["id"], "type": "function", "function": {"name": name, "arguments": ""}});
        all.push(choice(json!({"tool_calls": [head]}), Value::Null));
        let arguments = call["function"]["arguments"].as_str().unwrap_or_default();
        let (first, second) = arguments.split_at(arguments.len() / 2);
        for part in [first, second] {
            let delta = json!({"tool_calls": [{"index": 0, "function": {"arguments": part}}]});
            all.push(choice(delta, Value::Null));
        }
    } else {
        for word in message["content"].as_str().unwrap_or_default().split_inclusive(' ') {
            all.push(choice(json!({"content": word}), Value::Null));
        }
    }
    all.push(choice(json!({}), json!(finish_reason(message))));
    if with_usage {
        let mut last = chunk(model, json!([]));
        last["usage"] = usage();
        all.push(last);
    }
    all
}

/// A document that fits a JSON Schema, as far as the schemas of tools go: objects, arrays, scalars, enums, `anyOf`, local `$ref`.
pub fn sample_of_schema(schema: &Value) -> Value {
    sample(schema, schema, 0)
}

fn sample(schema: &Value, root: &Value, depth: usize) -> Value {
    if depth > 8 {
        return Value::Null;
    }
    if let Some(target) = schema["$ref"].as_str().and_then(|at| root.pointer(at.trim_start_matches('#'))) {
        return sample(target, root, depth + 1);
    }
    if let Some(first) = schema["enum"].get(0).or_else(|| schema.get("const")) {
        return first.clone();
    }
    if let Some(first) = schema["anyOf"].get(0).or_else(|| schema["allOf"].get(0)) {
        return sample(first, root, depth + 1);
    }
    let kind = schema["type"].as_str().or_else(|| schema["type"].get(0)?.as_str()).unwrap_or("object");
    match kind {
        "string" => json!("Paris"),
        "integer" => json!(2),
        "number" => json!(2.5),
        "boolean" => json!(true),
        "null" => Value::Null,
        "array" => json!([sample(&schema["items"], root, depth + 1)]),
        _ => {
            let fields = schema["properties"].as_object().into_iter().flatten();
            let fields: Map<String, Value> =
                fields.map(|(name, field)| (name.clone(), sample(field, root, depth + 1))).collect();
            Value::Object(fields)
        }
    }
}
