//! `cupo`: appointment scheduling on your own machine.

use std::process::ExitCode;

use clap::Parser;

#[tokio::main]
async fn main() -> ExitCode {
    cupo_server::commands::run(cupo_server::commands::Arguments::parse()).await
}
