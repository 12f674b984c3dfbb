//! What holds for every input.

use propense_events::{
    Action, EARLIEST, Event, Format, Limits, Mapping, Value, check_event, parse_event, sessionise,
    write_events,
};
use proptest::{collection::vec, prelude::*};

use crate::{assert_accounts, fixtures::FIXTURES, read_bytes, strategies::event};

/// The events that the gate lets through.
fn checked(events: Vec<Event>) -> Vec<Event> {
    events
        .into_iter()
        .filter_map(|event| check_event(event, 1, &Limits::default()).0)
        .collect()
}

fn any_mapping() -> Mapping {
    Mapping::from_json(
        r#"{"header": false, "columns": {"timestamp": "1", "event": "2", "price": "3", "context_json": "4"}}"#,
    )
    .expect("a mapping")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn writing_then_reading_gives_the_same_events(events in vec(event(), 0..12)) {
        let events = checked(events);
        let mut bytes = Vec::new();
        write_events(&events, &mut bytes).expect("a vector can be written to");
        let table = read_bytes(&bytes, None, None).expect("readable");
        prop_assert_eq!(table.format, Format::Events);
        prop_assert_eq!(&table.problems, &[]);
        prop_assert_eq!(&table.events, &events);
    }

    #[test]
    fn json_then_parsing_gives_the_same_event(event in event()) {
        for event in checked(vec![event]) {
            let json = serde_json::to_string(&event).expect("an event is JSON");
            let (parsed, problems) = parse_event(&json, 1, &Limits::default());
            prop_assert_eq!(&problems, &[]);
            prop_assert_eq!(parsed, Some(event));
        }
    }

    #[test]
    fn checking_keeps_or_rejects_and_says_so(event in event()) {
        let limits = Limits { max_items: 2, max_text: 16, latest: 1_800_000_000_000 };
        let (kept, problems) = check_event(event.clone(), 5, &limits);
        let rejections = problems.iter().filter(|p| p.action == Action::Rejected).count();
        prop_assert_eq!(rejections, usize::from(kept.is_none()));
        prop_assert!(problems.iter().all(|p| p.row == 5));
        let Some(kept) = kept else { return Ok(()) };

        prop_assert!(kept.timestamp >= EARLIEST && kept.timestamp <= limits.latest);
        prop_assert!(kept.items.len() <= 2 && kept.context.len() <= 2);
        let amount = |amount: Option<f64>| amount.is_none_or(|a| a.is_finite() && a >= 0.0);
        prop_assert!(amount(kept.value));
        for item in &kept.items {
            prop_assert!(amount(item.price));
            prop_assert!(item.quantity.is_none_or(|q| q.is_finite() && q > 0.0));
            prop_assert!(!item.item_id.is_empty() && item.item_id.len() <= 16);
        }
        for value in kept.context.values() {
            match value {
                Value::Number(number) => prop_assert!(number.is_finite()),
                Value::Category(text) => prop_assert!(text.len() <= 16),
                Value::Flag(_) => {}
            }
        }
        // A second look finds nothing more.
        let (again, problems_again) = check_event(kept.clone(), 5, &limits);
        prop_assert_eq!(&problems_again, &[]);
        prop_assert_eq!(again.as_ref(), Some(&kept));
        // Nothing was lost silently.
        if problems.is_empty() {
            prop_assert_eq!(kept.items.len(), event.items.len());
            prop_assert_eq!(kept.context.len(), event.context.len());
            prop_assert_eq!(kept.value, event.value);
        }
    }

    #[test]
    fn sessions_hold_every_event_once(events in vec(event(), 0..40), gap in 0_i64..100_000) {
        let (sessions, _) = sessionise(events.clone(), gap);
        // Compared as text, because a wild number may be NaN.
        let texts = |events: &mut dyn Iterator<Item = &Event>| {
            let mut texts: Vec<String> = events.map(|event| format!("{event:?}")).collect();
            texts.sort();
            texts
        };
        let mut after = sessions.iter().flat_map(|session| &session.events);
        prop_assert_eq!(texts(&mut events.iter()), texts(&mut after));

        let keys: Vec<_> = sessions.iter().map(|s| (s.start, s.id.clone())).collect();
        prop_assert!(keys.is_sorted());
        let mut ids: Vec<_> = sessions.iter().map(|s| s.id.clone()).collect();
        ids.sort();
        ids.dedup();
        prop_assert_eq!(ids.len(), sessions.len());
        for session in &sessions {
            prop_assert!(session.events.is_sorted_by_key(|event| event.timestamp));
            prop_assert_eq!(session.events.first().map(|e| e.timestamp), Some(session.start));
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..400)) {
        for format in Format::ALL {
            let _ = read_bytes(&bytes, Some(format), Some(&any_mapping()));
        }
        let _ = read_bytes(&bytes, None, None);
        let _ = parse_event(&String::from_utf8_lossy(&bytes), 1, &Limits::default());
    }

    #[test]
    fn damaged_files_are_read_or_refused(
        which in 0..FIXTURES.len(),
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
        cut in any::<prop::sample::Index>(),
        shorter in any::<bool>(),
    ) {
        let (format, text) = FIXTURES[which];
        let mut bytes = text.as_bytes().to_vec();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if shorter {
            bytes.truncate(cut.index(bytes.len()));
        }
        let _ = read_bytes(&bytes, None, None);
        let _ = read_bytes(&bytes, None, Some(&any_mapping()));
        if let Ok(table) = propense_events::read(bytes.as_slice(), Some(format), None) {
            assert_accounts(&table);
            let sessions = sessionise(table.events.clone(), 1_800_000).0;
            let events: usize = sessions.iter().map(|session| session.events.len()).sum();
            prop_assert_eq!(events, table.events.len());
        }
    }

    #[test]
    fn any_json_is_parsed_or_refused(text in "[\\[\\]{}:,\"a-z0-9.e+-]{0,60}") {
        let json = format!(
            r#"{{"event":"search","timestamp":1700000000000,"items":[{{"item_id":{text}}}],"value":{text}}}"#
        );
        let (event, problems) = parse_event(&json, 1, &Limits::default());
        prop_assert!(event.is_some() || !problems.is_empty());
    }
}
