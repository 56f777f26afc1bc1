//! What the fuzz targets share: the properties every body has to keep, and mutations that stay near a format.

mod holds;
mod mutate;

pub use holds::holds;
pub use mutate::mutate;
