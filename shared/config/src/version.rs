//! Which Larkfire this is. The commit is found out by `build.rs`.

/// All crates have one.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The commit it was built from, by its first 12 digits; `unknown` where the build could not tell.
pub const COMMIT: &str = env!("LARKFIRE_BUILD_COMMIT");
/// The version and, where it is known, the commit: what `--version` says.
pub const VERSION_AND_COMMIT: &str = env!("LARKFIRE_BUILD_VERSION");
