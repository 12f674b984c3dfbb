//! How many events a second a running service takes, and how long its answers take.
//!
//! ```text
//! propense serve --dir state --token-file token --rate 0 --listen 127.0.0.1:8080
//! cargo run --release -p propense-serve --example load -- 127.0.0.1:8080 token 8 50 20
//! ```
//!
//! Arguments: address, token file, senders, events in a batch, seconds, and how many hostile clients
//! bother the service meanwhile (none). Each sender has a connection of its own and sends the next
//! batch when the last is acknowledged. A line of JSON comes out, and one of what became of the
//! hostile connections.

mod hostile;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::json;

/// One acknowledged batch after the other. The times that they took, and how many were refused.
fn send(
    (address, token): (&str, &str),
    sender: usize,
    events: usize,
    until: Instant,
) -> std::io::Result<(Vec<Duration>, usize)> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut answers = BufReader::new(stream.try_clone()?);
    let (mut times, mut refused) = (Vec::new(), 0);
    for number in 0.. {
        if Instant::now() >= until {
            break;
        }
        let mut body = String::new();
        for place in 0..events {
            let time = 1_700_000_000_000_u64 + number * 1000 + place as u64;
            let event = json!({
                "event": "view_item",
                "timestamp": time,
                "user_id": format!("u{sender}-{}", number % 1000),
                "items": [{ "item_id": "85123A", "item_category": "lights", "price": 2.55, "quantity": 1 }],
                "page_type": "product",
            });
            body.push_str(&event.to_string());
            body.push('\n');
        }
        let head = format!(
            "POST /v1/events HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
             Idempotency-Key: {}-{sender}-{number}\r\nContent-Length: {}\r\n\r\n",
            std::process::id(),
            body.len()
        );
        let begun = Instant::now();
        stream.write_all(head.as_bytes())?;
        stream.write_all(body.as_bytes())?;
        let (mut status, mut length) = (String::new(), 0);
        answers.read_line(&mut status)?;
        loop {
            let mut line = String::new();
            answers.read_line(&mut line)?;
            let line = line.trim().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(number) = line.strip_prefix("content-length:") {
                length = number.trim().parse().map_err(std::io::Error::other)?;
            }
        }
        answers.read_exact(&mut vec![0; length])?;
        match status.contains(" 200 ") {
            true => times.push(begun.elapsed()),
            false => refused += 1,
        }
    }
    Ok((times, refused))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, token, senders, events, seconds, rest @ ..] = arguments.as_slice() else {
        return Err("load ADDRESS TOKEN-FILE SENDERS EVENTS-IN-A-BATCH SECONDS [HOSTILE]".into());
    };
    let bothering: usize = rest.first().map_or(Ok(0), |count| count.parse())?;
    let token = std::fs::read_to_string(token)?;
    let (senders, events): (usize, usize) = (senders.parse()?, events.parse()?);
    let begun = Instant::now();
    let until = begun + Duration::from_secs_f64(seconds.parse()?);
    let mut outcomes = hostile::Outcomes::new();
    let results: Vec<_> = std::thread::scope(|scope| {
        let to = (address.as_str(), token.trim());
        let others: Vec<_> = (0..bothering)
            .map(|first| scope.spawn(move || hostile::bother(to.0, to.1, first, until)))
            .collect();
        let threads: Vec<_> = (0..senders)
            .map(|sender| scope.spawn(move || send(to, sender, events, until)))
            .collect();
        let results = threads.into_iter();
        let results = results.filter_map(|thread| thread.join().ok()).collect();
        for other in others.into_iter().filter_map(|thread| thread.join().ok()) {
            for (what, count) in other {
                *outcomes.entry(what).or_default() += count;
            }
        }
        results
    });
    let seconds = begun.elapsed().as_secs_f64();
    let (mut times, mut refused) = (Vec::new(), 0);
    for result in results {
        let (some, none) = result?;
        times.extend(some);
        refused += none;
    }
    times.sort_unstable();
    let at = |share: f64| {
        let place = (times.len() as f64 * share) as usize;
        let time = times.get(place.min(times.len().saturating_sub(1)));
        time.map_or(f64::NAN, |time| (time.as_secs_f64() * 1e5).round() / 100.0)
    };
    let figures = json!({
        "senders": senders,
        "events in a batch": events,
        "seconds": (seconds * 10.0).round() / 10.0,
        "events a second": (times.len() as f64 * events as f64 / seconds).round(),
        "batches a second": (times.len() as f64 / seconds).round(),
        "milliseconds": { "p50": at(0.5), "p90": at(0.9), "p99": at(0.99), "p99.9": at(0.999) },
        "refused": refused,
    });
    println!("{figures}");
    if bothering > 0 {
        let told = outcomes.iter();
        let told: Vec<String> = told
            .map(|((way, answer), count)| format!("{way}: {answer} ×{count}"))
            .collect();
        println!(
            "{}",
            json!({ "hostile clients": bothering, "became of them": told })
        );
    }
    Ok(())
}
