//! A whole answer: checked, made canonical where it is not, and passed on.

use witgate_sdk::{Fault, Out};

use crate::fault;
use crate::mend::{self, Finish};
use crate::splice::Splice;
use crate::usage;
use crate::wire::{Answer, Said, says};

/// Maps a whole answer that came with a success status, which some vendors use for errors too.
pub(crate) fn map(data: &str, out: &mut Out) -> Result<(), Fault> {
    // Vendors that queue send empty lines to keep the connection alive.
    let text = data.trim_start_matches('\u{feff}').trim();
    let Ok(answer) = serde_json::from_str::<Answer<'_>>(text) else { return Err(fault::not_an_answer(text)) };
    let choices = answer.choices.as_deref().unwrap_or_default();
    let failed = choices.iter().any(|choice| says(choice.error));
    if choices.is_empty() || says(answer.error) || failed {
        return Err(fault::in_answer(text));
    }
    let mut splice = Splice::new(text);
    if answer.object.is_none() {
        splice.prepend("\"object\":\"chat.completion\",");
    }
    let mut reason = "stop";
    for choice in choices {
        let mut called = false;
        if let Some(message) = choice.message {
            let Ok(said) = serde_json::from_str::<Said<'_>>(message.get()) else { continue };
            called = said.tool_calls.is_some_and(|calls| calls.get() != "[]");
            mend::said(&mut splice, &said, None);
        }
        match mend::finish(&mut splice, choice.finish_reason, called) {
            Finish::Reason(why) if choice.index() == 0 => reason = why,
            Finish::Failed(busy) => return Err(fault::gave_up(busy)),
            _ => {}
        }
    }
    if let Some(counts) = answer.usage.and_then(usage::read) {
        out.usage(counts);
    }
    out.emit(if splice.is_empty() { text.to_owned() } else { splice.finish() });
    out.finish(reason);
    Ok(())
}
