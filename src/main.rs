//! The namu binary: the arguments go in, an exit code comes out.

use std::process::ExitCode;

fn main() -> ExitCode {
    namu::cli::run()
}
