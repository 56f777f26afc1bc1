//! `larkfire-ingest` as a process: started wrongly, with its configuration changed under it, and with a broker that goes away.

mod binary;
mod certificate;
mod reload;
mod spool;
