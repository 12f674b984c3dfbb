//! Serving the page with Trunk, which watches `web/` and bundles again when a module arrives.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::run::command;

/// Trunk bundles the page once more before it listens.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running `trunk serve`, ended when this is dropped.
pub(crate) struct Server {
    child: Child,
    port: u16,
}

impl Server {
    /// Starts it and waits until it answers.
    pub(crate) fn start(trunk: &Path, port: u16) -> Result<Self> {
        // Asked first: whoever holds the port already would answer in its place.
        TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .with_context(|| format!("port {port} is taken; choose another with --port"))?;
        let child = command(trunk)
            .args(["serve", "--offline", "--no-autoreload", "--port"])
            .arg(port.to_string())
            .env_remove("NO_COLOR")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .context("starting trunk serve")?;
        let mut server = Self { child, port };
        let begun = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            if let Some(status) = server.child.try_wait().context("trunk serve")? {
                bail!("trunk serve ended ({status}) before it answered on port {port}");
            }
            if begun.elapsed() > PATIENCE {
                bail!("trunk serve does not answer on port {port}");
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        Ok(server)
    }

    /// Where the page is.
    pub(crate) fn address(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// Waits until it ends, which it does not by itself.
    pub(crate) fn wait(mut self) -> Result<()> {
        let status = self.child.wait().context("waiting for trunk serve")?;
        if !status.success() {
            bail!("trunk serve ended ({status})");
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_named_with_the_remedy() {
        let holder = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = holder.local_addr().expect("an address").port();
        let error = Server::start(Path::new("trunk"), port)
            .err()
            .expect("the port is taken");
        let text = format!("{error:#}");
        assert!(
            text.contains(&port.to_string()) && text.contains("--port"),
            "{text}"
        );
    }
}
