//! `larkfire-worker` as a process: between a real broker and the preview, and its commands.

mod binary;
mod commands;
