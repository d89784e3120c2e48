//! A whole answer in the canonical form.

use witgate_sdk::{Fault, Out, Stamp};

use crate::wire::{self, Answer};

pub(crate) fn map(body: &str, stamp: &Stamp, out: &mut Out) -> Result<(), Fault> {
    let answer: Answer = wire::read(body)?;
    let reason = answer.end.reason();
    out.emit(stamp.completion().text(&answer.text).finish(reason).to_json());
    out.usage(answer.end.usage());
    out.finish(reason);
    Ok(())
}
