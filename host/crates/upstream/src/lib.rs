//! The wires to upstreams and the only room that knows reqwest: it sends one request, cuts the answer into frames, and keeps the deadlines
//! and the egress rules. It knows nothing of plugins, channels or what the bytes mean.

mod client;
mod connect;
pub mod egress;
mod failure;
pub mod frame;
mod media;
mod outgoing;
mod reply;
mod socket;

pub use client::{BuildError, Upstream};
pub use egress::Reach;
pub use failure::{Failure, FailureCode};
pub use frame::{Binary, Frame, Message};
pub use media::Media;
pub use outgoing::{Framing, Limits, Outgoing};
pub use reply::Reply;
