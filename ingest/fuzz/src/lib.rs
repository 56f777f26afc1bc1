//! What the fuzz targets share: the properties every body has to keep, and mutations that stay near a format.

mod holds;
mod mutate;

pub use holds::{context, holds, holds_in};
pub use mutate::{mutate, mutate_freely};

/// Runs what waits for nothing.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(future)
}
