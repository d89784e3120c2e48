//! Being asked to stop: SIGTERM or Ctrl-C once stops gently, a second time at once.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Cancels `stop` on the first signal and ends the process on the second.
pub(crate) async fn on_signal(stop: CancellationToken) -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    for round in 0.. {
        let name = tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        };
        if round > 0 {
            tracing::warn!(signal = name, "stopping at once");
            std::process::exit(130);
        }
        tracing::info!(
            signal = name,
            "stopping: no new connections, open streams may finish; send it again to stop at once"
        );
        stop.cancel();
    }
    Ok(())
}
