//! Clients that are slow, hostile or broken.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use super::*;
use crate::Limits;

const TOKEN: &str = "a token for the tests";

/// Runs a service with short patience while the client does its worst.
async fn with_service<T>(client: impl AsyncFnOnce(SocketAddr) -> T) -> T {
    let dir = tempfile::tempdir().expect("a folder");
    let settings = Settings {
        token: Some(TOKEN.to_owned()),
        read_only: false,
        limits: Limits {
            body: 10_000,
            events: 20,
            rate: None,
            connections: 8,
            head: Duration::from_millis(300),
            transfer: Duration::from_millis(300),
            grace: Duration::from_secs(5),
            ..Limits::default()
        },
        ..Settings::new(dir.path())
    };
    let service = Service::open(settings).await.expect("opened");
    let address = service.address();
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(service.run(async {
        let _ = stopped.await;
    }));
    let result = client(address).await;
    let _ = stop.send(());
    running.await.expect("no panic").expect("stopped in order");
    result
}

/// What comes back until the service closes the connection.
async fn answer(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.expect("connected");
    // The service may close before it has read all.
    let _ = stream.write_all(request).await;
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

fn post(body: &str, length: usize) -> String {
    format!(
        "POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

#[tokio::test]
async fn bad_requests_are_answered_and_closed() {
    with_service(async |address| {
        let check = async |request: &str, expected: &str| {
            let begun = Instant::now();
            let found = answer(address, request.as_bytes()).await;
            assert!(found.starts_with(expected), "{request:?}: {found:?}");
            assert!(begun.elapsed() < Duration::from_secs(3), "{request:?}");
        };
        // Silent, or in the middle of a head: closed. In the middle of a body: told so.
        check("", "").await;
        check("POST /v1/events HTTP/1.1\r\nHost: x\r\nX-Slow: ", "").await;
        check(&post("{", 100), "HTTP/1.1 408").await;
        check(&post(&"x".repeat(20_000), 20_000), "HTTP/1.1 413").await;
        check(&post(&"{}\n".repeat(21), 63), "HTTP/1.1 413").await;
        check(&post("nonsense", 8), "HTTP/1.1 200").await;
        check("nonsense\r\n\r\n", "HTTP/1.1 400").await;
        check(
            "GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
            "HTTP/1.1 400",
        )
        .await;
        check(
            "DELETE /v1/events HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
            "HTTP/1.1 405",
        )
        .await;
        check(
            "GET /missing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
            "HTTP/1.1 404",
        )
        .await;
        let long = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "x".repeat(1 << 20));
        check(&long, "HTTP/1.1 4").await;
    })
    .await;
}

#[tokio::test]
async fn idle_clients_make_room_for_others() {
    with_service(async |address| {
        let mut idle = Vec::new();
        for _ in 0..20 {
            idle.push(TcpStream::connect(address).await.expect("connected"));
        }
        let request = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        let found = tokio::time::timeout(Duration::from_secs(5), answer(address, request)).await;
        assert!(found.expect("in time").starts_with("HTTP/1.1 200"));
    })
    .await;
}

#[tokio::test]
async fn a_client_that_reads_nothing_is_let_go() {
    use crate::patience::Patient;
    let (near, far) = tokio::io::duplex(64);
    let mut patient = Patient::new(far, Duration::from_millis(50));
    let written = patient.write_all(&[0; 1000]).await;
    assert_eq!(
        written.expect_err("let go").kind(),
        std::io::ErrorKind::TimedOut
    );
    drop(near);
    // Whoever reads, however slowly, gets everything: all of it takes longer than the patience.
    let (mut near, far) = tokio::io::duplex(64);
    let mut patient = Patient::new(far, Duration::from_secs(1));
    let reader = tokio::spawn(async move {
        let mut bytes = [0; 200];
        for part in bytes.chunks_mut(10) {
            tokio::time::sleep(Duration::from_millis(100)).await;
            near.read_exact(part).await.expect("bytes");
        }
        bytes
    });
    let begun = Instant::now();
    patient.write_all(&[7; 200]).await.expect("written");
    assert!(begun.elapsed() > Duration::from_secs(1));
    assert_eq!(reader.await.expect("read"), [7; 200]);
}

#[tokio::test]
async fn a_full_queue_says_when_to_come_again() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = Store::open_file(&dir.path().join("x.db"))
        .await
        .expect("opened");
    let (queue, writer) = Queue::start(Arc::new(store), 10, Arc::new(Metrics::new()));
    let batch = |events: usize| crate::store::Batch {
        bodies: vec!["{}".to_owned(); events],
        ..Default::default()
    };
    let (six, other) = tokio::join!(queue.store(batch(6)), queue.store(batch(6)));
    assert_eq!(six, Ok(crate::store::Appended::New));
    assert_eq!(other, Err(crate::queue::NotStored::Full));
    assert_eq!(
        queue.store(batch(10)).await,
        Ok(crate::store::Appended::New)
    );
    drop(queue);
    writer.await.expect("ended");
}
