//! What the service is told when it starts.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use crate::ServeError;

/// The shortest token: sixteen characters cannot be guessed at the rate that is allowed.
pub(crate) const TOKEN_LENGTH: usize = 16;

/// How the service runs.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where to listen; port 0 for any that is free.
    pub listen: SocketAddr,
    /// The folder for bundles, and for the SQLite database.
    pub dir: PathBuf,
    /// `postgres://…` or `sqlite:FILE`; `propense.db` in the folder where it is absent.
    pub database: Option<String>,
    /// What must be shown to write. Without one nothing may be written.
    pub token: Option<String>,
    /// Whether nothing may be written, whatever token is shown.
    pub read_only: bool,
    /// A folder whose files are served at `/`.
    pub static_dir: Option<PathBuf>,
    /// A stream of events, as `redis://HOST/STREAM`.
    pub stream: Option<String>,
    /// What browsers may contribute; nothing where absent.
    pub contributions: Option<Contributions>,
    /// Bounds on what is taken.
    pub limits: Limits,
}

/// How the service learns from the events that it stores.
#[derive(Debug, Clone)]
pub struct Learning {
    /// The shortest time between two rounds.
    pub every: Duration,
    /// New sessions with a known outcome that a round needs.
    pub least: usize,
    /// The share of visitors who get a better candidate, in percent.
    pub percentage: i64,
    /// Events at most that a round reads, the newest ones: what bounds its memory.
    pub events: usize,
}

impl Default for Learning {
    fn default() -> Self {
        Self {
            every: Duration::from_secs(3600),
            least: 500,
            percentage: 100,
            events: 1_000_000,
        }
    }
}

/// What browsers may contribute to the head of the live bundle.
#[derive(Debug, Clone, PartialEq)]
pub struct Contributions {
    /// Contributions that make a round complete.
    pub clients: usize,
    /// Rounds that a visitor may contribute to within the budget; sets the noise.
    pub rounds: u32,
    /// The budget: ε of a visitor who contributes to all rounds.
    pub epsilon: f64,
    /// δ of that ε.
    pub delta: f64,
    /// Contributions a minute from one address, and as many at once.
    pub rate: NonZeroU32,
}

/// Bounds on size, rate and time.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of a batch of events, or of sessions to score.
    pub body: usize,
    /// Bytes of a bundle.
    pub bundle: usize,
    /// Events of a batch.
    pub events: usize,
    /// Events accepted and not yet on disk, over all requests.
    pub queue: usize,
    /// Requests a second from one address, and as many at once; no limit where absent.
    pub rate: Option<NonZeroU32>,
    /// Connections at a time.
    pub connections: usize,
    /// How long a client may take to send a request's head; an idle connection ends after it, too.
    pub head: Duration,
    /// How long a client may take to send a body, and how long it may leave an answer unread.
    pub transfer: Duration,
    /// How long requests in progress may take once the service is to stop.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 4 << 20,
            bundle: 64 << 20,
            events: 10_000,
            queue: 100_000,
            rate: NonZeroU32::new(500),
            connections: 1024,
            head: Duration::from_secs(15),
            transfer: Duration::from_secs(20),
            grace: Duration::from_secs(30),
        }
    }
}

impl Settings {
    /// A service in this folder, on a port of its own choosing, that may be read only.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            dir: dir.into(),
            database: None,
            token: None,
            read_only: true,
            static_dir: None,
            stream: None,
            contributions: None,
            limits: Limits::default(),
        }
    }

    /// Refuses to let anybody write who knows the address.
    pub(crate) fn check(&self) -> Result<(), ServeError> {
        let token = self.token.as_deref().unwrap_or_default();
        if self.read_only || token.len() >= TOKEN_LENGTH {
            return Ok(());
        }
        Err(ServeError::NoToken)
    }
}
