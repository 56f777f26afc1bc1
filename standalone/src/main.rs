//! `larkfire`: the one-machine binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    standalone::program::main()
}
