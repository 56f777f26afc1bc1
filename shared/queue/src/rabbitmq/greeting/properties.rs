//! What a broker tells of itself in the first frame it sends, before anybody logs in; lapin reads that frame and keeps
//! nothing of it.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::super::transport::Transport;

/// How long it is waited for.
const TIMEOUT: Duration = Duration::from_secs(2);
/// The first frame has half of this.
const FRAME_BYTES_MAX: u64 = 4 * 1024;
/// Protocol header of AMQP 0-9-1.
const HEADER: &[u8] = b"AMQP\x00\x00\x09\x01";
/// Type, channel and size.
const FRAME_HEAD_BYTES: usize = 7;
/// Where the table of the server's properties has them: a name with its length, and the type of a long string.
const VERSION: &[u8] = b"\x07versionS";
const CLUSTER_NAME: &[u8] = b"\x0ccluster_nameS";

/// Of each `None` if it told none, or nothing one could print.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Properties {
    pub(super) version: Option<String>,
    /// The same on every node of a cluster.
    pub(super) cluster_name: Option<String>,
}

/// Asks for them.
pub(super) async fn of(transport: &Transport) -> io::Result<Properties> {
    let frame = tokio::time::timeout(TIMEOUT, first_frame(transport)).await??;
    Ok(read(&frame))
}

async fn first_frame(transport: &Transport) -> io::Result<Vec<u8>> {
    let mut stream = transport.open().await?;
    stream.write_all(HEADER).await?;
    // Under TLS nothing is sent before.
    stream.flush().await?;
    let mut head = [0; FRAME_HEAD_BYTES];
    stream.read_exact(&mut head).await?;
    let [_, _, _, size @ ..] = head;
    let mut frame = Vec::new();
    stream.take(u64::from(u32::from_be_bytes(size)).min(FRAME_BYTES_MAX)).read_to_end(&mut frame).await?;
    Ok(frame)
}

fn read(frame: &[u8]) -> Properties {
    let is_version =
        |text: &&str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-+".contains(&byte));
    let is_printable = |text: &&str| !text.is_empty() && !text.chars().any(char::is_control);
    Properties {
        version: text(frame, VERSION).filter(is_version).map(str::to_owned),
        cluster_name: text(frame, CLUSTER_NAME).filter(is_printable).map(str::to_owned),
    }
}

/// The long string behind this key.
fn text<'f>(frame: &'f [u8], key: &[u8]) -> Option<&'f str> {
    let begin = frame.windows(key.len()).position(|bytes| bytes == key)? + key.len();
    let (length, rest) = frame.get(begin..)?.split_first_chunk::<4>()?;
    std::str::from_utf8(rest.get(..usize::try_from(u32::from_be_bytes(*length)).ok()?)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_out_of_the_servers_properties() {
        let version = |frame| read(frame).version;
        let frame = b"...\x07productS\0\0\0\x08RabbitMQ\x07versionS\0\0\0\x054.0.5\x0binformationS\0";
        assert_eq!(version(frame).as_deref(), Some("4.0.5"));
        assert_eq!(version(b"\x07versionS\0\0\0\x054.0"), None, "cut off");
        assert_eq!(version(b"\x07versionS\0\0\0\x03\n\n\n"), None, "not for a terminal");
        assert_eq!(version(b"nothing of the kind"), None);
    }

    #[test]
    fn the_name_of_the_cluster_is_read_beside_it() {
        let name = |frame| read(frame).cluster_name;
        let frame = b"...\x0ccluster_nameS\0\0\0\x0arabbit@a-1\x07versionS\0\0\0\x053.8.2";
        assert_eq!(name(frame).as_deref(), Some("rabbit@a-1"));
        assert_eq!(read(frame).version.as_deref(), Some("3.8.2"));
        assert_eq!(name(b"\x0ccluster_nameS\0\0\0\x03a\n"), None, "cut off");
        assert_eq!(name(b"\x0ccluster_nameS\0\0\0\x02a\n"), None, "not for a terminal");
        assert_eq!(name(b"\x0ccluster_nameS\0\0\0\x00"), None, "empty");
        assert_eq!(name(b"\x07productS\0\0\0\x05Other"), None, "not a RabbitMQ");
    }
}
