//! What requests begin with, counted beside a map of all rungs.

use std::collections::HashMap;

use tokenfare_jobs::{Beginnings, Span};

const SIZE: Span = Span { low: 1, high: 2 };

/// Ladders that share their first rungs often. A rung is told from others by all below it.
fn ladders(seed: u64, count: usize) -> impl Iterator<Item = Vec<u64>> {
    let mut state = seed;
    let mut roll = move |sides: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) % sides
    };
    (0..count).map(move |_| {
        let mut key = 1;
        let rungs = 1 + roll(7);
        let one = |_| {
            let step = if roll(3) > 0 { roll(2) } else { roll(1_000) };
            key = (key + step + 1_u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            key ^= key >> 29;
            key
        };
        (0..rungs).map(one).collect()
    })
}

/// How many requests had each rung, and the line of the first of them.
type Rungs = HashMap<u64, (u64, u64)>;

/// Shows requests to beginnings of some room; the rungs of those that were the first to end with one.
fn shown(
    seed: u64,
    room: usize,
    check: impl Fn(&Beginnings),
) -> (Beginnings, HashMap<u32, u64>, Rungs) {
    let (mut found, mut named, mut all) = (Beginnings::new(room), HashMap::new(), Rungs::new());
    for (line, ladder) in (1..).zip(ladders(seed, 2_000)) {
        for rung in &ladder {
            all.entry(*rung).or_insert((0, line)).0 += 1;
        }
        let first = found.climb(0, &ladder, SIZE, (0, line));
        named.extend(first.map(|(number, rung)| (number, ladder[rung])));
        check(&found);
    }
    (found, named, all)
}

#[test]
fn with_room_for_all_each_beginning_is_counted_from_its_first_request_on() {
    for seed in 1..20 {
        let (found, named, all) = shown(seed, 1 << 40, |_| ());
        let beginnings = found.of(0);
        assert!(beginnings.len() > 100);
        for each in beginnings {
            assert_eq!((each.count, each.place.1), all[&named[&each.number]]);
        }
        assert_eq!(found.missed(), 0);
    }
}

#[test]
fn with_little_room_what_is_not_counted_is_bounded_and_so_is_what_is_kept() {
    for (seed, room) in (1..).zip([60, 200, 1_000, 3_000]) {
        // Five numbers a node; the last ladder may stand beyond the room.
        let (found, named, all) =
            shown(seed, room, |found| assert!(5 * found.nodes() <= room + 24));
        assert!(found.missed() > 0);
        for each in found.of(0) {
            let (count, _) = all[&named[&each.number]];
            assert!((each.count..=each.count + found.missed()).contains(&count));
        }
    }
}
