//! Taking from a spool: what comes next, and forgetting it once the queue has confirmed it.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use queue::Message;
use tracing::{error, warn};

use super::{FIRST_OFFSET, MAGIC, Store, files};
use crate::spool::metrics::Damage;
use crate::spool::record::{self, CONTENT_BYTES_MAX, HEAD_BYTES, Place, RecordAt};

/// What one look reads of a segment; more than any record.
const READ_BYTES: usize = 2 * (HEAD_BYTES + CONTENT_BYTES_MAX);
/// Messages of one batch.
const BATCH_MESSAGES_MAX: usize = 500;

/// Messages to be published next, each with the place where it ends.
pub(in crate::spool) type Batch = Vec<(Message, Place)>;

/// Why there is no record where one should be.
enum Stopped {
    Torn,
    Corrupt,
    Unreadable(io::Error),
}

impl Store {
    /// What comes next; empty when everything was replayed. A segment that is damaged is passed, and says so.
    pub(in crate::spool) fn next(&mut self) -> Batch {
        while let Some(front) = self.segments.front() {
            let mut at = self.cursor.place();
            if at.segment != front.number {
                at = Place { segment: front.number, offset: FIRST_OFFSET };
            }
            let (batch, stopped) = match self.read(at, front.bytes) {
                Ok(read) => read,
                Err(error) => (Batch::new(), Some(Stopped::Unreadable(error))),
            };
            if !batch.is_empty() {
                // If something is wrong behind it, the next look finds that first.
                return batch;
            }
            match stopped {
                Some(why) => self.pass_front(at, &why),
                // A crash between making it and writing to it.
                None => drop(self.remove_front()),
            }
        }
        self.look_aside();
        Batch::new()
    }

    /// Forgets everything up to a place, which the queue has confirmed. Not writing that down means to tell it again.
    pub(in crate::spool) fn advance(&mut self, to: Place) -> io::Result<()> {
        self.cursor.advance(to)?;
        let done = |front: &super::Segment| front.number == to.segment && front.bytes <= to.offset;
        if self.segments.front().is_some_and(done) {
            // Otherwise a power failure could bring back a cursor without the segment it stands in.
            self.cursor.sync()?;
            self.remove_front()?;
        }
        Ok(())
    }

    /// The records from a place on, and what ended them if it was not the end of the segment or of the batch.
    fn read(&self, at: Place, segment_bytes: u64) -> io::Result<(Batch, Option<Stopped>)> {
        let file = File::open(files::segment(&self.folder, at.segment))?;
        if at.offset == FIRST_OFFSET && segment_bytes >= FIRST_OFFSET {
            let mut magic = [0; MAGIC.len()];
            file.read_exact_at(&mut magic, 0)?;
            if magic != MAGIC {
                let torn = magic == [0; MAGIC.len()];
                return Ok((Batch::new(), Some(if torn { Stopped::Torn } else { Stopped::Corrupt })));
            }
        }
        let left = usize::try_from(segment_bytes.saturating_sub(at.offset)).unwrap_or(usize::MAX);
        let mut bytes = vec![0; left.min(READ_BYTES)];
        file.read_exact_at(&mut bytes, at.offset)?;
        let mut batch = Batch::new();
        let mut read = 0;
        while batch.len() < BATCH_MESSAGES_MAX && read < bytes.len() {
            let place = Place { offset: at.offset + read as u64, ..at };
            match record::read(place, &bytes[read..]) {
                RecordAt::Record(message, length) => {
                    read += length;
                    batch.push((message, Place { offset: at.offset + read as u64, ..at }));
                }
                // The rest of it is in the file, and the next look begins with it.
                RecordAt::Incomplete if left > bytes.len() && read > 0 => break,
                RecordAt::Incomplete => return Ok((batch, Some(Stopped::Torn))),
                RecordAt::Corrupt => return Ok((batch, Some(Stopped::Corrupt))),
            }
        }
        Ok((batch, None))
    }

    /// Gives the oldest segment up from this place on.
    fn pass_front(&mut self, at: Place, why: &Stopped) {
        let Some(front) = self.segments.front().copied() else { return };
        let file = files::segment(&self.folder, front.number);
        let bytes = front.bytes.saturating_sub(at.offset);
        let file = file.display();
        let offset = at.offset;
        let passed = match why {
            // A crash in the middle of a write: nobody was answered with 202 for that.
            Stopped::Torn => {
                self.metrics.damaged(Damage::Torn);
                warn!(%file, offset, bytes, "a file of the spool ends in the middle of a record, which is cut off");
                self.remove_front()
            }
            Stopped::Corrupt => {
                self.metrics.damaged(Damage::Corrupt);
                error!(%file, offset, bytes, "a file of the spool is damaged: the rest is not replayed, and kept as FILE.corrupt");
                self.set_front_aside()
            }
            Stopped::Unreadable(error) => {
                self.metrics.damaged(Damage::Corrupt);
                error!(%file, offset, bytes, %error, "a file of the spool cannot be read: the rest is not replayed");
                self.set_front_aside()
            }
        };
        if let Err(error) = passed {
            error!(%file, %error, "a file of the spool could not be moved out of the way");
        }
    }
}
