//! Up to where a spool was replayed, in a file of its own.
//!
//! It is written after each batch the queue has confirmed, and synced only when a segment is deleted. So a killed
//! process repeats at most the batch it had in hand, and a power failure at most a segment.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use tracing::warn;

use crate::spool::record::{Place, checksum};

/// Segment, offset, and the CRC-32 of both.
const BYTES: usize = 20;
const NOWHERE: Place = Place { segment: 0, offset: 0 };

/// The file and what is in it.
#[derive(Debug)]
pub(super) struct Cursor {
    file: File,
    place: Place,
}

impl Cursor {
    /// One that cannot be believed is at the beginning: to tell something again is better than not to tell it.
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        let path = folder.join("spool.cursor");
        let file = File::options().read(true).write(true).create(true).truncate(false).open(&path)?;
        let mut bytes = [0; BYTES];
        let place = if file.metadata()?.len() == 0 {
            NOWHERE
        } else {
            file.read_exact_at(&mut bytes, 0).ok().and_then(|()| decode(&bytes)).unwrap_or_else(|| {
                let path = path.display();
                warn!(%path, "a file of the spool is damaged: what its oldest file holds may be delivered again");
                NOWHERE
            })
        };
        Ok(Self { file, place })
    }

    pub(super) fn place(&self) -> Place {
        self.place
    }

    /// Moves it, also when that cannot be written down.
    pub(super) fn advance(&mut self, to: Place) -> io::Result<()> {
        self.place = to;
        self.file.write_all_at(&encode(to), 0)
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

fn encode(place: Place) -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    let (place_bytes, crc) = bytes.split_at_mut(BYTES - 4);
    place_bytes[..8].copy_from_slice(&place.segment.to_le_bytes());
    place_bytes[8..].copy_from_slice(&place.offset.to_le_bytes());
    crc.copy_from_slice(&checksum(place_bytes).to_le_bytes());
    bytes
}

fn decode(bytes: &[u8; BYTES]) -> Option<Place> {
    let (segment, rest) = bytes.split_first_chunk()?;
    let (offset, _crc) = rest.split_first_chunk()?;
    let place = Place { segment: u64::from_le_bytes(*segment), offset: u64::from_le_bytes(*offset) };
    (encode(place) == *bytes).then_some(place)
}
