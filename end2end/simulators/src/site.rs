//! The web site of a small business that has pasted the script tag.

use std::net::SocketAddr;

pub struct SiteOptions {
    pub listen: SocketAddr,
    pub cupo_url: String,
    pub event: String,
}

pub struct SampleSite {}

impl SampleSite {
    pub async fn start(_options: SiteOptions) -> anyhow::Result<Self> {
        todo!()
    }
    pub fn base_url(&self) -> String {
        todo!()
    }
    pub async fn stop(self) {}
}
