//! SIGTERM and SIGINT: the first asks to stop, the second insists. SIGHUP asks to read the settings again.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::Lifecycle;

/// Exit code of a process that was told to stop twice: 128 + SIGINT, as shells report it.
const INSISTED_EXIT_CODE: i32 = 130;

/// Who told the process to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoppedBy {
    /// Whoever runs it.
    Signal,
    /// One of its own parts, which cannot go on.
    Failure,
}

/// Resolves once the process should stop: at the first signal, or when `stop` is cancelled from inside.
/// A second signal during the shutdown ends the process at once.
pub async fn stop_on_signals(stop: &CancellationToken) -> io::Result<StoppedBy> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        () = stop.cancelled() => return Ok(StoppedBy::Failure),
        _ = terminate.recv() => info!("SIGTERM: finishing what is in hand"),
        _ = interrupt.recv() => info!("SIGINT: finishing what is in hand; once more to stop at once"),
    }
    #[expect(
        clippy::disallowed_methods,
        reason = "it waits for a signal that ends the process: nobody can own it"
    )]
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        #[expect(clippy::exit, reason = "a second signal asks for exactly this")]
        std::process::exit(INSISTED_EXIT_CODE);
    });
    Ok(StoppedBy::Signal)
}

/// One message a SIGHUP; those that come while one waits to be read are the same request.
pub fn hangups(lifecycle: &Lifecycle) -> io::Result<mpsc::Receiver<()>> {
    let mut hangup = signal(SignalKind::hangup())?;
    let (send, receive) = mpsc::channel(1);
    lifecycle.spawn_detached(async move {
        while hangup.recv().await.is_some() && !send.is_closed() {
            let _already_asked = send.try_send(());
        }
    });
    Ok(receive)
}
