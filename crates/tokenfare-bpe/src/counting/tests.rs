use super::*;
use crate::caches::front::FEW;
use crate::caches::short_cache::ShortCache;
use crate::merging::merge::Room;
use crate::testing::DATA;

/// What a thread may begin with: no cache of short pieces, or the one with the vocabulary in it.
fn memories(v: &Vocabulary) -> [Memory; 2] {
    let front = Front::Made(ShortCache::knowing(v));
    [Memory::default(), Memory { front, ..Memory::default() }]
}

/// Counts `pieces` as one batch, and each alone without any memory.
fn counted(pieces: &[String]) -> (usize, usize) {
    let v = Vocabulary::from_compact(DATA).unwrap();
    let text = pieces.concat() + "and what stands behind the last one";
    let places = pieces.iter().scan(0, |at, piece| {
        *at += piece.len() as u32;
        Some((*at - piece.len() as u32, *at))
    });
    let (starts, ends): (Vec<u32>, Vec<u32>) = places.unzip();
    let [one, other] = memories(&v).map(|mut memory| {
        let mut counting = Counting { v: &v, memory: &mut memory, count: 0 };
        counting.count_batch(text.as_bytes(), &starts, &ends) + counting.merge_pending()
    });
    assert_eq!(one, other);
    let alone = |piece: &String| piece::count(&v, &mut Room::default(), piece.as_bytes());
    (one, pieces.iter().map(alone).sum())
}

/// Pieces of `length` bytes of which all have their place in the first `set` of a cache.
fn rivals(length: usize, set: fn(&[u8]) -> u64) -> Vec<String> {
    let pieces = (0..).map(|i| format!("{i:x>length$}"));
    pieces.filter(|piece| set(piece.as_bytes()) == 0).take(12).collect()
}

#[test]
fn a_piece_that_is_new_twice_is_counted_even_if_others_took_its_place_between() {
    let short = rivals(12, |piece| Key::new(piece, 0, piece.len()).mixed() >> 48);
    let wide = rivals(24, |piece| WideKey::new(piece, 0, piece.len()).mixed() % (1 << 15));
    for pieces in [short, wide] {
        let (together, alone) = counted(&[&pieces[..], &pieces[..]].concat());
        assert_eq!(together, alone);
        let (together, alone) = counted(&[&pieces[..], &pieces[..1], &pieces[..1]].concat());
        assert_eq!(together, alone);
    }
}

#[test]
fn pieces_that_come_twice_in_a_batch_count_twice() {
    let pieces: Vec<String> = (0..500)
        .map(|i| ["qzx", "и", "国", "zqxjkvbpygfw "][i % 4].repeat(i % 3 + 1) + &"w".repeat(i % 7))
        .collect();
    let (together, alone) = counted(&pieces);
    assert_eq!(together, alone);
}

#[test]
fn a_batch_that_fills_what_waits_leaves_room_for_the_piece_behind_it() {
    let v = Vocabulary::from_compact(DATA).unwrap();
    for new in (220..=260).chain(500..=520) {
        let words: Vec<String> = (0..=new).map(|i| format!("qzx{i:x>9}")).collect();
        let text = words.concat() + "and what stands behind it";
        let place = |i: u32| i * 12;
        let (starts, ends): (Vec<u32>, Vec<u32>) =
            (0..new).map(|i| (place(i), place(i + 1))).unzip();
        let alone = |word: &String| piece::count(&v, &mut Room::default(), word.as_bytes());
        let expected: usize = words.iter().map(alone).sum();
        for mut memory in memories(&v) {
            let mut counting = Counting { v: &v, memory: &mut memory, count: 0 };
            counting.count = counting.count_batch(text.as_bytes(), &starts, &ends);
            counting.piece(text.as_bytes(), place(new) as usize, place(new + 1) as usize);
            assert_eq!(counting.count + counting.merge_pending(), expected, "{new}");
        }
    }
}

#[test]
fn the_cache_of_short_pieces_is_made_once_enough_were_new_and_counts_stay() {
    let v = Vocabulary::from_compact(DATA).unwrap();
    // A word that no other number gives, and that is one piece.
    let word = |i: usize| [i / 676, i / 26 % 26, i % 26].map(|i| char::from(b'a' + i as u8));
    // New ones in a batch, and where too little follows for one.
    for words in [1, 5, 40, 700] {
        let (mut memory, mut new) = (Memory::default(), 0);
        while new < 3 * FEW {
            let text: String = (new..new + words)
                .map(|i| " qz".chars().chain(word(i)).collect::<String>())
                .collect();
            let count = count_part(&v, &Splitting::QWEN, &mut memory, &text)
                + merge_pending(&v, &mut memory);
            let mut expected = 0;
            Splitting::QWEN.for_each_piece(text.as_bytes(), |start, end| {
                new += 1;
                expected += piece::count(&v, &mut Room::default(), &text.as_bytes()[start..end]);
            });
            assert_eq!(count, expected, "{text}");
            assert_eq!(memory.front.made().is_some(), new >= FEW, "{new}");
        }
    }
}
