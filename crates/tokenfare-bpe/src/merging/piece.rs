//! The tokens of one piece, by the way that suits its length.

use crate::merging::long::{count_long, encode_long};
use crate::merging::merge::{Room, SHORT, merge};
use crate::vocabulary::Vocabulary;

/// Calls `token` with the ids of the tokens of `piece`, in order. O(n log n) at worst.
///
/// A piece that is a token needs no merging: every token that merging makes encodes to itself. Nor
/// does a piece that is a spare token, where the vocabulary takes such pieces whole.
pub(crate) fn tokens(v: &Vocabulary, room: &mut Room, piece: &[u8], mut token: impl FnMut(u32)) {
    if piece.len() > SHORT {
        if let Some(id) = v.spare_piece(piece) {
            return token(id);
        }
        let mut ids = std::mem::take(&mut room.ids);
        encode_long(v, room, piece, &mut ids);
        ids.drain(..).for_each(token);
        room.ids = ids;
        return;
    }
    match v.whole_piece(piece) {
        Some(id) => token(id),
        None => merge(v, room, piece, token),
    }
}

/// How many tokens `piece` is. O(n log n) at worst.
pub(crate) fn count(v: &Vocabulary, room: &mut Room, piece: &[u8]) -> usize {
    if piece.len() > SHORT {
        return v.spare_piece(piece).map_or_else(|| count_long(v, room, piece), |_| 1);
    }
    let mut count = 0;
    if v.takes_spare_pieces() {
        tokens(v, room, piece, |_| count += 1);
    } else {
        // The table of whole pieces is not asked: it takes some milliseconds to make, and few
        // pieces come here.
        merge(v, room, piece, |_| count += 1);
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::small;
    use crate::{Merging, Normalization, Pattern};

    #[test]
    fn a_piece_that_is_a_token_is_one_whether_merging_makes_it_or_not() {
        for whole_pieces in [true, false] {
            let merging = Merging::Listed { pairs: &[(97, 98)], whole_pieces };
            // Nothing merges into the second.
            let compact = small(&[b"ab", b"abcd"], merging, Pattern::Qwen, Normalization::None);
            let v = Vocabulary::from_compact(&compact).unwrap();
            let spare: &[u32] = if whole_pieces { &[257] } else { &[256, 99, 100] };
            for (piece, expected) in
                [("ab", &[256][..]), ("abcd", spare), ("abcda", &[256, 99, 100, 97])]
            {
                let (mut room, mut found) = (Room::default(), Vec::new());
                super::tokens(&v, &mut room, piece.as_bytes(), |id| found.push(id));
                assert_eq!(found, expected, "{piece}");
                assert_eq!(count(&v, &mut room, piece.as_bytes()), expected.len(), "{piece}");
            }
        }
    }
}
