//! The events of a streamed answer, each as the chunk that clients expect.

use witgate_sdk::{Fault, Message, Out, Stamp};

use crate::fault;
use crate::wire::{self, End, More};

pub(crate) fn map(event: &Message, stamp: &Stamp, begun: &mut bool, out: &mut Out) -> Result<(), Fault> {
    match event.name.as_str() {
        "text" => {
            let more: More = wire::read(&event.data)?;
            let chunk = stamp.chunk().text(&more.text);
            // The role belongs into the first chunk.
            let first = !std::mem::replace(begun, true);
            out.emit(if first { chunk.role("assistant") } else { chunk }.to_json());
        }
        "done" => {
            let end: End = wire::read(&event.data)?;
            let reason = end.reason();
            out.emit(stamp.chunk().finish(reason).to_json());
            out.usage(end.usage());
            out.finish(reason);
        }
        // The status was 200 already: an error comes as an event.
        "error" => return Err(fault::read(0, &event.data)),
        // A vendor adds events; what is not known is no reason to fail.
        _ => {}
    }
    Ok(())
}
