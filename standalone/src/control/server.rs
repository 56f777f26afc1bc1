//! The running process's end of the socket.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use queue::Publisher;
use runtime::lifecycle::Lifecycle;
use tokio::io::BufReader;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tracing::{debug, warn};

use super::wire::{Answer, DeadLetterLine, read, write};

/// Commands at once; further ones wait to be let in.
const CONNECTIONS_MAX: usize = 4;
/// How long a command may say nothing.
const IDLE_MAX: Duration = Duration::from_secs(30);
/// The pause after a failed accept: the process is out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);
/// Read and written by the owner.
const MODE: u32 = 0o600;

/// Listens in the data directory, which has to be this process's own: what a process left there that was killed is
/// replaced. Without the socket everything else works, so a failure is said and no more.
pub fn listen(data_dir: &Path, publisher: &Arc<dyn Publisher>, lifecycle: &Lifecycle) {
    let socket = super::socket(data_dir);
    match bind(&socket) {
        Ok(listener) => {
            lifecycle.tasks.spawn(accept(listener, socket, Arc::clone(publisher), lifecycle.clone()));
        }
        Err(error) => warn!(
            %error,
                socket = %socket.display(),
                "no control socket: dead letters can be sent again only while this process does not run"
        ),
    }
}

fn bind(socket: &Path) -> io::Result<UnixListener> {
    match fs::remove_file(socket) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let listener = UnixListener::bind(socket)?;
    fs::set_permissions(socket, Permissions::from_mode(MODE))?;
    Ok(listener)
}

async fn accept(
    listener: UnixListener,
    socket: PathBuf,
    publisher: Arc<dyn Publisher>,
    lifecycle: Lifecycle,
) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    while let Some(accepted) = lifecycle.stop.run_until_cancelled(next(&listener, &places)).await {
        let Ok((stream, place)) = accepted else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let publisher = Arc::clone(&publisher);
        let stop = lifecycle.stop.clone();
        lifecycle.tasks.spawn(async move {
            if let Some(Err(error)) = stop.run_until_cancelled(serve(stream, publisher)).await {
                debug!(%error, "a command was not served to its end");
            }
            drop(place);
        });
    }
    // A command then sees at once that nobody listens.
    let _gone = fs::remove_file(socket);
}

async fn next(
    listener: &UnixListener,
    places: &Arc<Semaphore>,
) -> io::Result<(UnixStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, place))
}

async fn serve(stream: UnixStream, publisher: Arc<dyn Publisher>) -> io::Result<()> {
    let user = stream.peer_cred()?.uid();
    if user != 0 && user != rustix::process::geteuid().as_raw() {
        warn!(user, "a user is not let in to the control socket");
        return Ok(());
    }
    let mut stream = BufReader::new(stream);
    while let Some(letter) = timeout(IDLE_MAX, read::<DeadLetterLine>(&mut stream)).await?? {
        let answer = match letter.into_message() {
            Ok(message) => Answer::from(publisher.publish(vec![message]).await),
            Err(error) => Answer::Refused(error.to_string()),
        };
        timeout(IDLE_MAX, write(&mut stream, &answer)).await??;
    }
    Ok(())
}
