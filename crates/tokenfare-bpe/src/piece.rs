//! The tokens of one piece, by whichever way is right for its length.

use crate::long::{count_long, encode_long};
use crate::merge::{Room, SHORT, merge};
use crate::vocabulary::Vocabulary;

/// Calls `token` with the ids of the tokens of `piece`, in order. O(n log n) at worst.
///
/// Every token that merging makes encodes to itself, so a piece that is one needs no merging; nor does
/// a spare token, where the vocabulary takes whole pieces.
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

/// How many tokens `piece` is.
pub(crate) fn count(v: &Vocabulary, room: &mut Room, piece: &[u8]) -> usize {
    if piece.len() > SHORT {
        return v.spare_piece(piece).map_or_else(|| count_long(v, room, piece), |_| 1);
    }
    let mut count = 0;
    if v.takes_spare_pieces() {
        tokens(v, room, piece, |_| count += 1);
    } else {
        // Without the table of whole pieces, which takes some milliseconds to make: few pieces come here.
        merge(v, room, piece, |_| count += 1);
    }
    count
}
