//! A stream of binary frames: the host checks and opens them, the adapter reads an event's name and its JSON.

use serde_json::Value;
use witgate_sdk::{Call, Fault, Framing, Io, Request, Stamp, Usage};

/// Reads the answer to a signed request.
pub(crate) async fn read(call: &Call, io: &Io, request: Request) -> Result<(), Fault> {
    let mut flight = io.send(request.framing(Framing::AwsEventStream));
    let head = flight.head().await?;
    let stamp = Stamp::new(call);
    while let Some(message) = flight.message().await? {
        if head.status >= 400 {
            return Err(Fault::from_openai(&head, &message.data));
        }
        let part: Value =
            serde_json::from_str(&message.data).map_err(|error| Fault::upstream_broken(error.to_string()))?;
        match message.name.as_str() {
            "contentBlockDelta" => {
                io.emit(stamp.chunk().text(part["delta"]["text"].as_str().unwrap_or_default()).to_json());
            }
            "metadata" => {
                let count = |name: &str| part["usage"][name].as_u64().and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
                io.usage(Usage::new().input(count("inputTokens")).output(count("outputTokens")));
                io.emit(stamp.chunk().finish("stop").to_json());
                io.finish("stop");
            }
            "throttlingException" => {
                return Err(Fault::rate_limited(part["message"].as_str().unwrap_or_default()).with_vendor(message.data));
            }
            _ => {}
        }
    }
    Ok(())
}
