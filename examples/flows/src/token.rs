//! Access tokens: the chat refers to one by name, the grant obtains it, and neither ever sees it.

use serde_json::{Value, json};
use witgate_sdk::{Call, Fault, Form, Io, Request, Script, secret, sign, text, token};

use crate::{answer, question};

const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

pub(crate) async fn chat(call: Call, io: Io) -> Result<(), Fault> {
    let body = json!({"model": call.model, "query": question(&call)?}).to_string();
    let request = Request::post("/chat").json(body);
    let request = match call.provider.as_str() {
        "flow-token-jwt" => request.bearer([token("access")]),
        _ => request.query("access_token", [token("access")]),
    };
    let reply: Value = io.text(request).await?.accepted(Fault::from_openai)?.json()?;
    if let Some(code) = reply["error_code"].as_u64() {
        let message = reply["error_msg"].as_str().unwrap_or_default();
        // The vendor says so with status 200. The host forgets the token and tries once more.
        return Err(match code {
            110 | 111 => Fault::credential_stale(message),
            _ => Fault::upstream_broken(message),
        });
    }
    let count = |name: &str| reply["usage"][name].as_u64().and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
    answer(
        &call,
        &io,
        reply["result"].as_str().unwrap_or_default(),
        (count("prompt_tokens"), count("completion_tokens")),
    );
    Ok(())
}

/// The grant `access`.
pub struct Grant;

impl Script for Grant {
    async fn run(call: Call, io: Io) -> Result<(), Fault> {
        let request = match call.provider.as_str() {
            "flow-token-jwt" => {
                let claims = json!({
                    "iss": call.key_part("client_email"), "scope": "cloud", "aud": call.endpoint("api"),
                    "iat": call.now, "exp": call.now + 3600,
                });
                let jwt = sign::jwt_rs256(r#"{"alg":"RS256","typ":"JWT"}"#, &claims.to_string(), "private_key");
                let form = Form::urlencoded().field("grant_type", [text(JWT_BEARER)]).field("assertion", [jwt.into()]);
                Request::post("/token").form(form)
            }
            _ => Request::post("/oauth/2.0/token")
                .query("grant_type", [text("client_credentials")])
                .query("client_id", [secret("id")])
                .query("client_secret", [secret("secret")]),
        };
        let reply = io.text(request).await?.accepted(refused)?;
        let granted: Value = reply.json()?;
        // What a grant sees of an answer has no token in it; a vendor that wants to be echoed shows that.
        if granted.get("echo").is_some() {
            return Err(Fault::upstream_broken(format!("the vendor said {granted}")));
        }
        let lifetime = granted["expires_in"].as_u64().and_then(|s| u32::try_from(s).ok()).unwrap_or(600);
        io.grant(&reply, "/access_token", lifetime);
        io.finish("");
        Ok(())
    }
}

fn refused(_: &witgate_sdk::Head, body: &str) -> Fault {
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    Fault::credential_dead(body["error_description"].as_str().unwrap_or("the vendor gives no token"))
}
