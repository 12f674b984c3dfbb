//! The same on PostgreSQL, where there is one to be had.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::Store;
use super::contributions::tests::gathers_each_contribution_once;
use super::events::tests::keeps_each_event_once;
use super::rollout::tests::rolls_out_and_back;
use super::rounds::tests::rounds_end_once;

struct Postgres(Child);

impl Drop for Postgres {
    fn drop(&mut self) {
        let id = self.0.id().to_string();
        // Its children end with it, other than after a kill.
        let _ = Command::new("kill").args(["-QUIT", &id]).status();
        let _ = self.0.wait();
    }
}

/// It refuses to run as root.
fn unprivileged(program: &str, dir: &Path) -> Command {
    let root = std::fs::metadata("/proc/self").is_ok_and(|own| {
        use std::os::unix::fs::MetadataExt;
        own.uid() == 0
    });
    if !root {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", program]);
    let _ = std::os::unix::fs::chown(dir, Some(65534), Some(65534));
    command
}

/// One in this folder that listens on a socket there, or none with a message.
fn start(dir: &Path) -> Option<Postgres> {
    let data = dir.join("data");
    let mut init = unprivileged("initdb", dir);
    init.arg("-D").arg(&data).args([
        "-U",
        "shop",
        "-A",
        "trust",
        "-N",
        "--no-locale",
        "-E",
        "UTF8",
    ]);
    let made = init
        .current_dir(dir)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if !made.is_ok_and(|status| status.success()) {
        println!("skipped: there is no PostgreSQL here (initdb on the PATH)");
        return None;
    }
    let mut run = unprivileged("postgres", dir);
    run.arg("-D")
        .arg(&data)
        .arg("-k")
        .arg(dir)
        .args(["-h", "", "-F"]);
    let run = run
        .current_dir(dir)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    Some(Postgres(run.expect("initdb comes with postgres")))
}

#[tokio::test]
async fn postgres_does_what_sqlite_does() {
    let dir = tempfile::tempdir().expect("a folder");
    let Some(_server) = start(dir.path()) else {
        return;
    };
    let address = format!(
        "postgres://shop@localhost/postgres?host={}",
        dir.path().display()
    );
    let begun = Instant::now();
    let store = loop {
        match Store::open(&address).await {
            Ok(store) => break store,
            Err(error) => assert!(begun.elapsed() < Duration::from_secs(20), "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    keeps_each_event_once(&store).await;
    rolls_out_and_back(&store).await;
    rounds_end_once(&store).await;
    gathers_each_contribution_once(&store).await;
    // A second service on the same database: positions follow the order of the commits.
    let other = Store::open(&address).await.expect("opened");
    let batch = |events: usize| super::Batch {
        bodies: vec![r#"{"event":"view_item","timestamp":1700000000000}"#.to_owned(); events],
        ..super::Batch::default()
    };
    let before = store.last_position().await.expect("read");
    let (mine, theirs) = (vec![batch(7); 20], vec![batch(3); 20]);
    let (a, b) = tokio::join!(
        async {
            for batch in &mine {
                store
                    .append(std::slice::from_ref(batch))
                    .await
                    .expect("stored");
            }
        },
        async {
            for batch in &theirs {
                other
                    .append(std::slice::from_ref(batch))
                    .await
                    .expect("stored");
            }
        },
    );
    let _: ((), ()) = (a, b);
    let all = store.events_after(before, usize::MAX).await.expect("read");
    assert_eq!((all.events.len(), all.up_to), (200, before + 200));
}
