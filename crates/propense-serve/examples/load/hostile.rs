//! Clients that mean no good, or do not know better, beside those that send batches.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// How they misbehave; each connection in turn.
const WAYS: [&str; 8] = [
    "a head a byte at a time",
    "a body a byte at a time",
    "silence",
    "no HTTP",
    "no token",
    "no JSON",
    "a body beyond the limit",
    "leaves in the middle",
];

/// What became of the connections: answers by way and status.
pub(crate) type Outcomes = BTreeMap<(&'static str, String), usize>;

/// One connection after the other until then.
pub(crate) fn bother(address: &str, token: &str, first: usize, until: Instant) -> Outcomes {
    let mut outcomes = Outcomes::new();
    for turn in first.. {
        if Instant::now() >= until {
            break;
        }
        let way = WAYS[turn % WAYS.len()];
        let answer = one(address, token, way, until).unwrap_or_else(|error| match error.kind() {
            std::io::ErrorKind::WouldBlock => "still open at the end".to_owned(),
            _ => "closed".to_owned(),
        });
        *outcomes.entry((way, answer)).or_default() += 1;
    }
    outcomes
}

fn head(token: &str, length: usize) -> String {
    format!(
        "POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    )
}

fn one(address: &str, token: &str, way: &str, until: Instant) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    let left = until.saturating_duration_since(Instant::now());
    stream.set_read_timeout(Some(left.max(Duration::from_millis(10))))?;
    let dripping = |stream: &mut TcpStream, text: &str| {
        for byte in text.bytes() {
            if Instant::now() >= until {
                return Ok("still open at the end".to_owned());
            }
            if stream.write_all(&[byte]).is_err() {
                break;
            }
            std::thread::sleep(Duration::from_secs(1));
        }
        status(stream)
    };
    match way {
        "a head a byte at a time" => dripping(&mut stream, &head(token, 10)),
        "a body a byte at a time" => {
            stream.write_all(head(token, 1000).as_bytes())?;
            dripping(&mut stream, &"x".repeat(1000))
        }
        "silence" => status(&mut stream),
        "no HTTP" => {
            stream.write_all(b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n")?;
            status(&mut stream)
        }
        "no token" => {
            stream.write_all(head("wrong", 2).as_bytes())?;
            stream.write_all(b"[]")?;
            status(&mut stream)
        }
        "no JSON" => {
            stream.write_all(head(token, 6).as_bytes())?;
            stream.write_all(b"{[\"\xff}\n")?;
            status(&mut stream)
        }
        "a body beyond the limit" => {
            stream.write_all(head(token, 1 << 30).as_bytes())?;
            // The service may close before all is written.
            let _ = stream.write_all(&vec![b'x'; 8 << 20]);
            status(&mut stream)
        }
        _ => {
            stream.write_all(head(token, 1000).as_bytes())?;
            stream.write_all(b"{\"event\":")?;
            Ok("left".to_owned())
        }
    }
}

/// The answer's status, or that the connection was closed without one.
fn status(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut answer = [0; 12];
    let mut read = 0;
    while read < answer.len() {
        match stream.read(&mut answer[read..])? {
            0 => return Ok("closed".to_owned()),
            more => read += more,
        }
    }
    Ok(String::from_utf8_lossy(&answer[9..]).into_owned())
}
