//! `larkfire-worker`.

use std::process::ExitCode;

fn main() -> ExitCode {
    worker::program::main()
}
