//! The files of a spool: segments of records, oldest first, and a cursor. Nothing here waits for anything but the disk.
//!
//! A segment is written to by one process only: after a start there is always a new one, so that what a crash has left
//! half-written is never written behind. What is read from the front is confirmed before more is read.

mod cursor;
mod files;
mod reading;
mod writing;

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use config::SpoolConfig;
use thiserror::Error;

use super::metrics::SpoolMetrics;
use super::record::Place;
use cursor::Cursor;

pub(super) use reading::Batch;
pub(super) use writing::WriteOutcome;

/// A segment ends with the commit that makes it this large: what has been replayed is deleted in pieces of that size.
const SEGMENT_BYTES: u64 = 8 << 20;
/// What a segment begins with: the kind of file and its version.
const MAGIC: [u8; 8] = *b"lkspool1";
/// Where the first record is.
const FIRST_OFFSET: u64 = MAGIC.len() as u64;

/// Why the spool could not be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The directory cannot be made, listed or written to.
    #[error("spool.dir: cannot use {path}: {source}")]
    Directory {
        /// The directory, or what is in it.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Two processes would replay the same messages and delete each other's.
    #[error("spool.dir: {0} is in use by another process")]
    InUse(PathBuf),
    /// Metrics of this name exist already in the registry.
    #[error("cannot register the metrics of the spool: {0}")]
    Metrics(#[from] prometheus::Error),
}

/// What one process keeps on disk.
#[derive(Debug)]
pub(super) struct Store {
    folder: PathBuf,
    bytes_max: u64,
    segments: VecDeque<Segment>,
    /// The last segment's file, while it is written to.
    writing: Option<File>,
    next_number: u64,
    cursor: Cursor,
    /// Bytes of all segments.
    held_bytes: u64,
    /// Bytes of segments that were set aside. They count against the limit until somebody removes them.
    aside_bytes: u64,
    metrics: SpoolMetrics,
    /// The kernel lets go of it with the process, however that ends.
    _lock: File,
}

/// One file of records.
#[derive(Clone, Copy, Debug)]
struct Segment {
    number: u64,
    /// How much of it is on disk for sure; what is behind was never promised.
    bytes: u64,
}

impl Store {
    /// Makes the directory if need be, keeps others out of it, and looks through what is there.
    pub(super) fn open(config: &SpoolConfig, metrics: SpoolMetrics) -> Result<Self, OpenError> {
        let folder = config.dir.clone();
        let failed = |source| OpenError::Directory { path: folder.clone(), source };
        let lock = files::lock(&folder)?;
        let cursor = Cursor::open(&folder).map_err(failed)?;
        let (segments, aside_bytes) = files::list(&folder).map_err(failed)?;
        let last = segments.back().map_or(0, |segment| segment.number).max(cursor.place().segment);
        let held_bytes = segments.iter().map(|segment| segment.bytes).sum();
        let mut store = Self {
            folder: folder.clone(),
            bytes_max: config.max_bytes,
            segments,
            writing: None,
            // Never a number that the cursor may have passed.
            next_number: last + 1,
            cursor,
            held_bytes,
            aside_bytes,
            metrics,
            _lock: lock,
        };
        store.forget_replayed().map_err(failed)?;
        // A directory that cannot be written to is better found at the start than in an outage.
        store.probe().map_err(failed)?;
        store.show_bytes();
        Ok(store)
    }

    /// Whether everything was replayed.
    pub(super) fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// Bytes of what waits.
    pub(super) fn held_bytes(&self) -> u64 {
        self.held_bytes
    }

    /// Where it all is.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether the disk can store.
    pub(super) fn probe(&self) -> io::Result<()> {
        files::probe(&self.folder)
    }

    /// Deletes what a crash has left between the cursor's step over a segment and its deletion.
    fn forget_replayed(&mut self) -> io::Result<()> {
        let passed = |segment: &Segment, cursor: Place| {
            segment.number < cursor.segment
                || segment.number == cursor.segment && segment.bytes <= cursor.offset
        };
        while self.segments.front().is_some_and(|front| passed(front, self.cursor.place())) {
            self.remove_front()?;
        }
        Ok(())
    }

    /// Deletes the oldest segment.
    fn remove_front(&mut self) -> io::Result<()> {
        let Some(front) = self.take_front() else { return Ok(()) };
        std::fs::remove_file(files::segment(&self.folder, front.number))?;
        files::sync(&self.folder)
    }

    /// Keeps the oldest segment under another name, for a person to look at.
    fn set_front_aside(&mut self) -> io::Result<()> {
        let Some(front) = self.take_front() else { return Ok(()) };
        let path = files::segment(&self.folder, front.number);
        std::fs::rename(&path, files::aside(&self.folder, front.number))?;
        self.aside_bytes += front.bytes;
        files::sync(&self.folder)
    }

    /// Finds the room again that somebody has made by taking away what was set aside.
    fn look_aside(&mut self) {
        if self.aside_bytes > 0 {
            self.aside_bytes =
                files::list(&self.folder).map_or(self.aside_bytes, |(_, aside_bytes)| aside_bytes);
        }
    }

    fn take_front(&mut self) -> Option<Segment> {
        let front = self.segments.pop_front()?;
        self.held_bytes = self.held_bytes.saturating_sub(front.bytes);
        if self.segments.is_empty() {
            // The last one is the one that is written to, if any is.
            self.writing = None;
        }
        self.show_bytes();
        Some(front)
    }

    fn show_bytes(&self) {
        self.metrics.bytes.set(i64::try_from(self.held_bytes).unwrap_or(i64::MAX));
    }
}

#[cfg(test)]
mod tests;
