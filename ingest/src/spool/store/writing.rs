//! Adding to a spool: as many publishes as wait, one write, one sync.

use std::fs::File;
use std::io::{self, Write};

use queue::Message;

use super::{FIRST_OFFSET, MAGIC, SEGMENT_BYTES, Segment, Store, files};
use crate::spool::pending::Span;
use crate::spool::record::{self, Place};

/// What became of one publish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::spool) enum WriteOutcome {
    /// It is on disk, to stay.
    Stored(Span),
    /// It would be more than there may be.
    Full,
    /// It is nothing a spool holds.
    Unfit,
}

impl Store {
    /// Stores each publish whole or not at all. After an error none is promised.
    pub(in crate::spool) fn keep(
        &mut self,
        publishes: &[impl AsRef<[Message]>],
    ) -> io::Result<Vec<WriteOutcome>> {
        let goes_on = self.writing.is_some();
        let at = self.segments.back().filter(|last| goes_on && last.bytes < SEGMENT_BYTES);
        let at = at.map(|last| Place { segment: last.number, offset: last.bytes });
        let begin = at.unwrap_or(Place { segment: self.next_number, offset: FIRST_OFFSET });
        let mut bytes = Vec::new();
        let outcomes =
            publishes.iter().map(|messages| self.add(begin, messages.as_ref(), &mut bytes)).collect();
        if bytes.is_empty() {
            return Ok(outcomes);
        }
        if at.is_none() {
            self.begin_segment()?;
        }
        match self.commit(&bytes) {
            Ok(()) => Ok(outcomes),
            Err(error) => {
                self.abandon();
                Err(error)
            }
        }
    }

    /// Adds the records of one publish to what will be written at `begin`.
    fn add(&self, begin: Place, messages: &[Message], bytes: &mut Vec<u8>) -> WriteOutcome {
        let before = bytes.len();
        for message in messages {
            let place = Place { offset: begin.offset + bytes.len() as u64, ..begin };
            if !record::write(place, message, bytes) {
                bytes.truncate(before);
                return WriteOutcome::Unfit;
            }
        }
        if self.held_bytes + self.aside_bytes + FIRST_OFFSET + bytes.len() as u64 > self.bytes_max {
            bytes.truncate(before);
            return WriteOutcome::Full;
        }
        let at = |bytes: usize| Place { offset: begin.offset + bytes as u64, ..begin };
        WriteOutcome::Stored(Span { begin: at(before), end: at(bytes.len()) })
    }

    fn begin_segment(&mut self) -> io::Result<()> {
        self.writing = None;
        let number = self.next_number;
        // Also when it fails: what the failure has left must not be written into.
        self.next_number += 1;
        let path = files::segment(&self.folder, number);
        let begun = File::options().write(true).create_new(true).open(&path).and_then(|mut file| {
            file.write_all(&MAGIC)?;
            files::sync(&self.folder)?;
            Ok(file)
        });
        match begun {
            Ok(file) => {
                self.writing = Some(file);
                self.segments.push_back(Segment { number, bytes: FIRST_OFFSET });
                self.held_bytes += FIRST_OFFSET;
                Ok(())
            }
            Err(error) => {
                // Without a record in it nothing is lost if it stays.
                let _left_behind = std::fs::remove_file(&path);
                Err(error)
            }
        }
    }

    fn commit(&mut self, bytes: &[u8]) -> io::Result<()> {
        let (Some(file), Some(last)) = (&mut self.writing, self.segments.back_mut()) else {
            return Err(io::Error::other("no file is open"));
        };
        file.write_all(bytes)?;
        file.sync_data()?;
        last.bytes += bytes.len() as u64;
        self.held_bytes += bytes.len() as u64;
        self.show_bytes();
        Ok(())
    }

    /// Ends a segment that could not be written to. After a failed sync the kernel may have dropped what it held, and
    /// another sync would say that all is well: so nothing is ever written behind it.
    fn abandon(&mut self) {
        let Some(file) = self.writing.take() else { return };
        let Some(last) = self.segments.back().copied() else { return };
        if last.bytes > FIRST_OFFSET {
            // What stays behind was answered with an error; to replay it all the same is allowed.
            let _left_behind = file.set_len(last.bytes);
            return;
        }
        self.segments.pop_back();
        self.held_bytes = self.held_bytes.saturating_sub(last.bytes);
        let _left_behind = std::fs::remove_file(files::segment(&self.folder, last.number));
    }
}
