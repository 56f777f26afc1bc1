//! A picture is fetched: once, from where it was said to be and nowhere else, within limits.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use config::AddressRange;
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode, Url};
use thiserror::Error;

use super::address::PublicAddresses;
use crate::feishu::picture::{NoPicture, PICTURE_BYTES_MAX, Picture};
use crate::feishu::{HttpClientError, believing};

/// Fetches pictures.
#[derive(Debug)]
pub(super) struct Fetcher {
    any: Client,
    public: Client,
}

/// Why there is none. Says nothing of the address.
#[derive(Debug, Error)]
pub(super) enum Unfetched {
    /// There was no answer.
    #[error("there is no answer ({0})")]
    Unreachable(&'static str),
    /// There was none in time.
    #[error("there is no answer in time")]
    Late,
    /// The answer is another.
    #[error("the answer is HTTP {0}")]
    Status(StatusCode),
    /// What came is nothing that Feishu takes.
    #[error("it is no picture that Feishu takes ({0:?})")]
    NoPicture(NoPicture),
}

impl Fetcher {
    /// One whose requests take no longer than this. Grafana within a house has a certificate of the house's own authority:
    /// those in `ca_file` are believed here, too.
    pub(super) fn new(within: Duration, ca_file: Option<&Path>) -> Result<Self, HttpClientError> {
        let any = || {
            Client::builder()
                .connect_timeout(within)
                .timeout(within)
                // Another address is one that nobody has looked at.
                .redirect(Policy::none())
                .referer(false)
                .user_agent(concat!("larkfire/", env!("CARGO_PKG_VERSION")))
        };
        let public = || any().dns_resolver(Arc::new(PublicAddresses));
        Ok(Self { any: believing(ca_file, any)?, public: believing(ca_file, public)? })
    }

    /// Fetches a picture from a host at such addresses.
    pub(super) async fn fetch(&self, url: Url, range: AddressRange) -> Result<Picture, Unfetched> {
        let client = match range {
            AddressRange::Any => &self.any,
            AddressRange::Public => &self.public,
        };
        let response = client.get(url).send().await.map_err(|error| Unfetched::unreachable(&error))?;
        if response.status() != StatusCode::OK {
            return Err(Unfetched::Status(response.status()));
        }
        Picture::of(read(response).await?).map_err(Unfetched::NoPicture)
    }
}

impl Unfetched {
    /// Says what kind of an error it was: the error itself names the address.
    fn unreachable(error: &reqwest::Error) -> Self {
        if error.is_timeout() {
            return Self::Late;
        }
        Self::Unreachable(if error.is_connect() { "no connection" } else { "it broke off" })
    }
}

async fn read(mut response: Response) -> Result<Vec<u8>, Unfetched> {
    let too_large = Unfetched::NoPicture(NoPicture::TooLarge);
    let announced = response.content_length().unwrap_or(0);
    if announced > PICTURE_BYTES_MAX as u64 {
        return Err(too_large);
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| Unfetched::unreachable(&error))? {
        if bytes.len() + chunk.len() > PICTURE_BYTES_MAX {
            return Err(too_large);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}
