//! Shared prefixes, held to a map that counts every digest.

use std::collections::HashMap;

use tokenfare_jobs::{PrefixTrees, Span};

const SIZE: Span = Span { low: 1, high: 2 };

/// Requests by their digests, which often share the first ones. A digest depends on all before it.
fn requests(seed: u64, count: usize) -> impl Iterator<Item = Vec<u64>> {
    let mut state = seed;
    let mut roll = move |sides: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) % sides
    };
    (0..count).map(move |_| {
        let mut key = 1;
        let length = 1 + roll(7);
        let one = |_| {
            let step = if roll(3) > 0 { roll(2) } else { roll(1_000) };
            key = (key + step + 1_u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            key ^= key >> 29;
            key
        };
        (0..length).map(one).collect()
    })
}

/// How many requests have each digest, and the line of the first of them.
type Counts = HashMap<u64, (u64, u64)>;

/// Adds requests to trees of some capacity. Gives the trees, the digest of each reported prefix by
/// its number, and the true counts.
fn shown(
    seed: u64,
    capacity: usize,
    check: impl Fn(&PrefixTrees),
) -> (PrefixTrees, HashMap<u32, u64>, Counts) {
    let (mut found, mut named, mut all) =
        (PrefixTrees::new(capacity), HashMap::new(), Counts::new());
    for (line, digests) in (1..).zip(requests(seed, 2_000)) {
        for digest in &digests {
            all.entry(*digest).or_insert((0, line)).0 += 1;
        }
        let first = found.add(0, &digests, SIZE, (0, line));
        named.extend(first.map(|(number, index)| (number, digests[index])));
        check(&found);
    }
    (found, named, all)
}

#[test]
fn with_memory_for_all_each_prefix_is_counted_from_its_first_request_on() {
    for seed in 1..20 {
        let (found, named, all) = shown(seed, 1 << 40, |_| ());
        let prefixes = found.of(0);
        assert!(prefixes.len() > 100);
        for each in prefixes {
            assert_eq!((each.count, each.place.1), all[&named[&each.number]]);
        }
        assert_eq!(found.missed(), 0);
    }
}

#[test]
fn with_little_memory_what_is_not_counted_is_bounded_and_so_is_what_is_kept() {
    for (seed, capacity) in (1..).zip([60, 200, 1_000, 3_000]) {
        // Five numbers a node; the last request may go beyond the capacity.
        let (found, named, all) =
            shown(seed, capacity, |found| assert!(5 * found.nodes() <= capacity + 24));
        assert!(found.missed() > 0);
        for each in found.of(0) {
            let (count, _) = all[&named[&each.number]];
            assert!((each.count..=each.count + found.missed()).contains(&count));
        }
    }
}
