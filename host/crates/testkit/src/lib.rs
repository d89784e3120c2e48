//! What black-box tests are made of: a vendor that plays a script, the real program on data of its own, and a small HTTP client.
//!
//! Nothing here sleeps for a fixed time. A stream is stepped with a [`Gate`], and what happens in another process is waited for with
//! [`eventually`], which polls a condition until a deadline.
#![expect(clippy::panic, clippy::expect_used, reason = "a test that cannot go on says why and stops")]

pub mod client;
pub mod gateway;
pub mod vendor;

mod wait;

pub use client::{Answered, Call, RawConnection, SseFrame, SseReader};
pub use gateway::{CliOutput, GatewayBuilder, TestGateway};
pub use vendor::{Answer, Gate, RefusingAddress, ScriptedVendor, VendorRequest};
pub use wait::{DEADLINE, eventually, within};
