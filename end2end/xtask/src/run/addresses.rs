//! Where the server and the simulators listen.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use anyhow::{Context, Result, bail};

/// Every address of a run. The usual ones are the same at each start, so that links and bookmarks stay good.
pub struct Addresses {
    pub cupo: SocketAddr,
    google: SocketAddr,
    microsoft: SocketAddr,
    mail: SocketAddr,
    site: SocketAddr,
    smtp: SocketAddr,
}

impl Addresses {
    /// The usual addresses; where one is taken, another with `free_ports`, and an error without.
    pub fn choose(cupo: SocketAddr, free_ports: bool) -> Result<Self> {
        let choose = |what: &str, usual: SocketAddr| choose(what, usual, free_ports);
        let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Ok(Self {
            cupo: choose("cupo", cupo)?,
            google: choose("the Google simulator", local(4001))?,
            microsoft: choose("the Microsoft simulator", local(4004))?,
            mail: choose("the mail page", local(4002))?,
            site: choose("the sample site", local(4003))?,
            smtp: choose("the mail sink", local(4025))?,
        })
    }

    /// As `cupo-simulators` wants to be told them.
    pub fn simulator_arguments(&self) -> Vec<String> {
        let listens = [
            ("google", self.google),
            ("microsoft", self.microsoft),
            ("mail", self.mail),
            ("site", self.site),
            ("smtp", self.smtp),
        ];
        let mut arguments: Vec<String> =
            listens.iter().flat_map(|(name, address)| [format!("--{name}-listen"), address.to_string()]).collect();
        arguments.extend(["--cupo-url".to_owned(), format!("http://{}", self.cupo)]);
        arguments
    }
}

fn choose(what: &str, usual: SocketAddr, free_ports: bool) -> Result<SocketAddr> {
    let Err(error) = TcpListener::bind(usual) else { return Ok(usual) };
    if !free_ports {
        bail!(
            "{what} cannot listen on {usual}: {error}. If another program has the port, stop it, or let this run take \
             free ports with --free-ports"
        );
    }
    let free = TcpListener::bind((usual.ip(), 0)).and_then(|listener| listener.local_addr());
    free.with_context(|| format!("{what} finds no free port on {}", usual.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_an_error_unless_free_ports_are_wanted() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap();
        let error = choose("cupo", address, false).unwrap_err().to_string();
        assert!(error.contains(&address.to_string()) && error.contains("--free-ports"), "{error}");
        let other = choose("cupo", address, true).unwrap();
        assert_ne!(other, address);
        drop(taken);
        assert_eq!(choose("cupo", address, false).unwrap(), address);
    }
}
