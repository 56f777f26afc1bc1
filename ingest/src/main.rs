//! `larkfire-ingest`.

use std::process::ExitCode;

fn main() -> ExitCode {
    ingest::program::main()
}
