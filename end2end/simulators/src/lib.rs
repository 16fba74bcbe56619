//! Local stand-ins for what Cupo talks to: Google Calendar, Microsoft Graph, a mail server, and a business's web site.
//!
//! Each is a real server on a real socket, keeps state, and can be told to fail. The product links none of this: the
//! tests start them in process, `cargo xtask run` starts the binary `cupo-simulators`.

pub mod clock;
pub mod contract;
mod control;
pub mod faults;
pub mod front;
pub mod google;
mod html;
pub mod http_server;
pub mod mail;
pub mod microsoft;
mod oauth;
pub mod recorder;
mod sample_week;
mod simulation;
pub mod site;
mod week_page;
