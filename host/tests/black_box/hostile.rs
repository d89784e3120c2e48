//! Hostile guests and files, all in one plugins directory: each fails alone, cleanly and in time, everyone else notices nothing, and a
//! canary that is every hostile channel's secret is nowhere but where it was approved. `examples/hostile/README.md` is the list.

mod ask;
mod bombs;
mod canary;
mod cases;
mod crowd;
mod files;
mod newer;
mod stage;
mod suite;
