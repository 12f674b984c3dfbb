//! A run that is stopped anywhere and taken up again gives the same bytes.

use std::fmt::Write;

use propense_prepare::{Observer, PrepareError, Progress, Request, prepare};

use crate::inputs::{Shop, files, log};

/// Stops a run when it is asked for the n-th time.
struct StopAt {
    asked: std::cell::Cell<u64>,
    stop: u64,
}

impl Observer for StopAt {
    fn progress(&mut self, _progress: &Progress) {}

    fn interrupted(&self) -> bool {
        self.asked.set(self.asked.get() + 1);
        self.asked.get() >= self.stop
    }
}

fn shop() -> Shop {
    let (first, second) = (log(4000, 50, 0), log(3000, 80, 40));
    // Browsers of which every third is known to be a user: their lines move.
    let mut third = String::from("timestamp,event,anonymous_id,user_id\n");
    for line in 0..900 {
        let browser = line % 30;
        let user = if line % 90 == browser && browser % 3 == 0 {
            format!("user {browser}")
        } else {
            String::new()
        };
        let time = 1_700_000_000_000i64 + line * 40_000;
        writeln!(third, "{time},page_view,browser {browser},{user}").expect("text");
    }
    Shop::new(&[
        ("a.csv", first.as_str()),
        ("b.csv", second.as_str()),
        ("c.csv", third.as_str()),
    ])
}

fn request(shop: &Shop, out: &str) -> Request {
    let mut request = shop.request(out);
    request.cleaning.without.clear();
    request.bucket_bits = Some(3);
    request
}

#[test]
fn wherever_a_run_is_stopped_the_result_is_the_same() {
    let shop = shop();
    let whole = prepare(&request(&shop, "whole"), &mut ()).expect("prepared");
    assert!(!whole.resumed && whole.stitched_lines > 100);
    let mut resumed = 0;
    let mut stop = 1;
    loop {
        let out = format!("stopped-{stop}");
        let mut observer = StopAt {
            asked: 0.into(),
            stop,
        };
        match prepare(&request(&shop, &out), &mut observer) {
            Err(PrepareError::Interrupted { work }) => assert!(work.ends_with(".work")),
            Err(error) => panic!("{error}"),
            Ok(_) => break,
        }
        let again = prepare(&request(&shop, &out), &mut ()).expect("taken up");
        resumed += u64::from(again.resumed);
        assert_eq!(
            files(&shop.path(&out)),
            files(&shop.path("whole")),
            "stopped at {stop}"
        );
        assert_eq!(again.cleaning, whole.cleaning);
        stop += 1;
    }
    assert!(stop > 5 && resumed > 2, "{stop} stops, {resumed} taken up");
}

#[test]
fn what_is_finished_is_not_done_again() {
    let shop = shop();
    let mut observer = StopAt {
        asked: 0.into(),
        stop: u64::MAX,
    };
    prepare(&request(&shop, "whole"), &mut observer).expect("prepared");
    let asked = observer.asked.get();
    let mut observer = StopAt {
        asked: 0.into(),
        stop: asked - 1,
    };
    prepare(&request(&shop, "stopped"), &mut observer).expect_err("stopped");
    let mut observer = StopAt {
        asked: 0.into(),
        stop: u64::MAX,
    };
    let again = prepare(&request(&shop, "stopped"), &mut observer).expect("taken up");
    assert!(again.resumed);
    assert!(
        observer.asked.get() < asked,
        "{} of {asked}",
        observer.asked.get()
    );
}

#[test]
fn another_request_begins_afresh() {
    let shop = shop();
    let mut observer = StopAt {
        asked: 0.into(),
        stop: 4,
    };
    prepare(&request(&shop, "out"), &mut observer).expect_err("stopped");
    let mut other = request(&shop, "out");
    other.cleaning.double_fire_ms = 5000;
    assert!(!prepare(&other, &mut ()).expect("prepared").resumed);

    let mut observer = StopAt {
        asked: 0.into(),
        stop: 4,
    };
    prepare(&request(&shop, "out"), &mut observer).expect_err("stopped");
    shop.write("b.csv", log(10, 5, 0).as_bytes());
    let prepared = prepare(&request(&shop, "out"), &mut ()).expect("prepared");
    assert!(!prepared.resumed);
    assert_eq!(prepared.records_in, 4910);
}

#[test]
fn a_work_folder_of_somebody_else_is_left_alone() {
    let shop = shop();
    let theirs = shop.path("out/.work");
    std::fs::create_dir_all(&theirs).expect("a folder");
    std::fs::write(theirs.join("thesis.txt"), "all I have").expect("a file");
    let error = prepare(&request(&shop, "out"), &mut ()).expect_err("refused");
    assert!(error.to_string().contains("not a work folder"), "{error}");
    assert!(theirs.join("thesis.txt").exists());
}

/// Killed while the folder was made or removed: neither is taken for a folder of somebody else, and
/// nothing is gone on from that is only half there.
#[test]
fn a_work_folder_that_is_half_made_or_half_removed_is_begun_afresh() {
    let shop = shop();
    prepare(&request(&shop, "whole"), &mut ()).expect("prepared");
    for (name, left) in [
        ("manifest.draft", "{\"plan\":"),
        ("manifest.json", "{}"),
        ("manifest.json", "{\"plan\":"),
    ] {
        let out = format!("half {left}").replace(['{', '"', ':', '}'], "") + name;
        let work = shop.path(&out).join(".work");
        std::fs::create_dir_all(work.join("spill")).expect("a folder");
        if name == "manifest.draft" {
            std::fs::remove_dir(work.join("spill")).expect("removed");
        }
        std::fs::write(work.join(name), left).expect("a file");
        let again = prepare(&request(&shop, &out), &mut ()).expect("begun afresh");
        assert!(!again.resumed);
        assert_eq!(
            files(&shop.path(&out)),
            files(&shop.path("whole")),
            "{name} {left}"
        );
        assert!(!work.exists());
    }
}
