//! How a command reaches the process that has the embedded queue: a socket in the data directory, with one purpose.
//! Dead letters that are to be sent again and test alerts go in, one a line, and each is answered when the queue has it.
//!
//! Only the user the process runs as, and root, are let in: the socket's mode says so, and whoever connects is asked
//! of the kernel as well, because a mode is set a moment after a socket is made.

mod client;
mod server;
mod wire;

use std::path::{Path, PathBuf};

pub use client::ControlClient;
pub use server::listen;

/// The socket in a data directory.
fn socket(data_dir: &Path) -> PathBuf {
    data_dir.join("control.sock")
}
