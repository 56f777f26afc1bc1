//! The certificate of a listener follows its files: they are among those whose change is a reason to read the configuration
//! again, and so a listener shows the new one a few seconds after it was written.

use runtime::lifecycle::Lifecycle;
use runtime::tls::{ListenerFiles, ListenerTls, TlsFileError};
use tracing::{error, info, warn};

use super::{Config, Reloads};

/// Reads the files of a listener, and goes by them for as long as the process runs. `of` finds them in a configuration.
pub fn follow_tls(
    files: &ListenerFiles,
    of: fn(&Config) -> Option<&ListenerFiles>,
    protocols: &'static [&'static [u8]],
    mut reloads: Reloads,
    lifecycle: &Lifecycle,
) -> Result<ListenerTls, TlsFileError> {
    let (tls, switch) = ListenerTls::load(files, protocols)?;
    lifecycle.spawn_detached(async move {
        while let Some(config) = reloads.next().await {
            let Some(files) = of(&config) else {
                warn!("TLS of a listener was taken out of the configuration: it stays until the next start");
                continue;
            };
            let cert_file = files.identity.cert_file.display();
            match switch.replace(files) {
                Ok(()) => info!(%cert_file, "the listener shows the certificate as it is now"),
                // Only if it changed once more after the configuration was found right.
                Err(error) => error!(%cert_file, %error, "the certificate before this one stays in use"),
            }
        }
    });
    Ok(tls)
}
