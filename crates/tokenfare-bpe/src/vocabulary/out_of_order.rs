use crate::compact::SINGLES;
use crate::ranks::{LONGEST_TOKEN, MOST_BYTES};
use crate::vocabulary::VocabularyError;

/// The bytes of each token that merging makes, by rank, whatever the order in which they are made.
///
/// O(total length). A token that is made of itself, or of a token that is not there, is refused.
pub(super) fn spelled(
    singles: &[u8; SINGLES],
    pairs: &[(u32, u32)],
) -> Result<Vec<Vec<u8>>, VocabularyError> {
    let count = SINGLES + pairs.len();
    let mut known: Vec<Vec<u8>> = singles.iter().map(|byte| vec![*byte]).collect();
    known.resize(count, Vec::new());
    let mut total = 0;
    let mut open = Vec::new(); // tokens that wait for a part, each made of the next
    for id in SINGLES..count {
        open.push(id);
        while let Some(&id) = open.last() {
            if !known[id].is_empty() {
                open.pop();
                continue;
            }
            let (left, right) = pairs[id - SINGLES];
            let part =
                |part: u32| known.get(part as usize).ok_or(VocabularyError::Order(id as u32));
            let bytes = [part(left)?.as_slice(), part(right)?].concat();
            let missing = [left, right].into_iter().find(|part| known[*part as usize].is_empty());
            if let Some(missing) = missing {
                if open.len() > count {
                    return Err(VocabularyError::Order(id as u32));
                }
                open.push(missing as usize);
                continue;
            }
            total += bytes.len();
            if bytes.len() > LONGEST_TOKEN {
                return Err(VocabularyError::Token { id: id as u32, length: bytes.len() });
            }
            if total > MOST_BYTES {
                return Err(VocabularyError::Bytes(total));
            }
            known[id] = bytes;
        }
    }
    Ok(known.split_off(SINGLES))
}
