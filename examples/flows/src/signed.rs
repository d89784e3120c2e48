//! Four ways to sign a request. The adapter says what is signed and where the result goes; the host computes it with a key that the adapter
//! never sees.

use serde_json::{Value, json};
use witgate_sdk::{Call, Fault, Io, Request, sign, text};

use crate::{answer, frames, question};

pub(crate) async fn run(call: Call, io: Io) -> Result<(), Fault> {
    let body = json!({"model": call.model, "query": question(&call)?}).to_string();
    let url = call.endpoint("api").unwrap_or_default();
    let part = |name: &str| call.key_part(name).unwrap_or_default();
    let keys = sign::Keys::new(part("id"), "secret");
    let request = match call.provider.as_str() {
        "flow-sigv4" => {
            let scope = sign::Scope { region: part("region"), service: "bedrock" };
            let action = if call.streaming { "invoke-with-response-stream" } else { "invoke" };
            let request = Request::post(format!("/model/vendor.{}-v1%3A0/{action}", call.model)).json(body);
            let request = sign::sigv4(request, url, &keys, scope, call.now)?;
            if call.streaming {
                return frames::read(&call, &io, request).await;
            }
            request
        }
        "flow-tc3" => {
            let request = Request::post("/").header("x-tc-action", [text("ChatCompletions")]).json(body);
            sign::tc3(request, url, &keys, "hunyuan", call.now)?
        }
        "flow-bce" => {
            let request = Request::get("/v1/BCE-BEARER/token").query("expireInSeconds", [text("86400")]);
            sign::bce(request, url, &keys, 1800, call.now)?
        }
        _ => {
            let now = u64::from(call.now) * 1000;
            let claims = json!({"api_key": part("id"), "exp": now + 210_000, "timestamp": now});
            let jwt = sign::jwt_hs256(r#"{"alg":"HS256","sign_type":"SIGN"}"#, &claims.to_string(), "secret");
            Request::post("/chat").json(body).bearer([jwt.into()])
        }
    };
    let reply: Value = io.text(request).await?.accepted(Fault::from_openai)?.json()?;
    answer(&call, &io, reply["text"].as_str().unwrap_or_default(), (1, 1));
    Ok(())
}
