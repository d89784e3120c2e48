//! A task that takes minutes: started, then parked between two looks at it. Nothing runs meanwhile, and a restart of the host does not lose it.

use serde_json::{Value, json};
use witgate_sdk::{Call, Fault, Io, Request, secret};

use crate::{answer, question};

/// Milliseconds between two looks.
const LOOK_MS: u32 = 200;

pub(crate) async fn run(call: Call, io: Io) -> Result<(), Fault> {
    let id = match &call.resume {
        Some(id) => id.clone(),
        None => {
            let start =
                Request::post("/tasks").json(json!({"model": call.model, "prompt": question(&call)?}).to_string());
            let made: Value = io.text(start.bearer([secret("key")])).await?.accepted(Fault::from_openai)?.json()?;
            let id = made["task_id"].as_str().unwrap_or_default().to_owned();
            io.park(id, LOOK_MS).await;
        }
    };
    let look = Request::get(format!("/tasks/{id}")).bearer([secret("key")]);
    let task: Value = io.text(look).await?.accepted(Fault::from_openai)?.json()?;
    match task["status"].as_str() {
        Some("succeeded") => {
            answer(&call, &io, task["output"].as_str().unwrap_or_default(), (3, 7));
            Ok(())
        }
        Some("failed") => Err(Fault::upstream_broken(task["error"].as_str().unwrap_or_default())),
        _ => io.park(id, LOOK_MS).await,
    }
}
