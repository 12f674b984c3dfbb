//! Events from a Redis stream, where there is a `redis-server` to have one.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::{Running, until, view};

struct Redis {
    child: Child,
    port: u16,
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Redis {
    /// One on a free port, or none with a message.
    fn start() -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0")
            .expect("a port")
            .local_addr()
            .expect("its number")
            .port();
        let mut command = Command::new("redis-server");
        command.args([
            "--port",
            &port.to_string(),
            "--save",
            "",
            "--bind",
            "127.0.0.1",
        ]);
        let Ok(child) = command.stdout(Stdio::null()).spawn() else {
            println!("skipped: there is no redis-server on the PATH");
            return None;
        };
        let redis = Self { child, port };
        until("a connection to redis", || {
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        Some(redis)
    }

    /// Adds an entry with this event, in Redis's own protocol.
    fn add(&self, event: &str) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("connected");
        let mut request = String::from("*5\r\n");
        for part in ["XADD", "shop", "*", "event", event] {
            request.push_str(&format!("${}\r\n{part}\r\n", part.len()));
        }
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = String::new();
        BufReader::new(stream)
            .read_line(&mut answer)
            .expect("an answer");
        assert!(answer.starts_with('$'), "{answer}");
    }
}

fn accepted(service: &Running) -> u64 {
    let token = format!("Bearer {}", super::TOKEN);
    let list = service.get("/v1/bundles", &[("Authorization", &token)]);
    let list: Value = serde_json::from_slice(list.body()).expect("JSON");
    list["events"].as_u64().expect("a number")
}

#[test]
fn a_stream_is_read_on_where_it_was_left() {
    let Some(redis) = Redis::start() else { return };
    let dir = tempfile::tempdir().expect("scratch folder");
    let more = format!("--stream redis://127.0.0.1:{}/shop", redis.port);
    let add = |range: std::ops::Range<i64>| {
        for second in range {
            redis.add(&view("a", second).to_string());
        }
    };
    add(0..50);
    let mut service = Running::start(dir.path(), &more, &[]);
    until("the first fifty", || accepted(&service) == 50);
    redis.add("no event");
    add(50..60);
    until("ten more", || accepted(&service) == 60);
    // Killed while events arrive: it goes on after the last that is on disk.
    std::thread::scope(|scope| {
        scope.spawn(|| add(60..400));
        until("some of the rest", || accepted(&service) > 60);
        service.child.kill().expect("killed");
    });
    service.child.wait().expect("killed");
    let service = Running::start(dir.path(), &more, &[]);
    until("the rest", || accepted(&service) >= 400);
    assert_eq!(service.stop(), Some(0));
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    let stored = runtime.block_on(async {
        let store = propense_serve::Store::open_file(&dir.path().join("propense.db"))
            .await
            .expect("opened");
        store.events_after(0, usize::MAX).await.expect("read")
    });
    let seconds: Vec<i64> = stored
        .events
        .iter()
        .map(|e| (e.timestamp - 1_700_000_000_000) / 1000)
        .collect();
    assert_eq!(seconds, (0..400).collect::<Vec<_>>());
}
