//! What is sent: lines by address, and what a table says of each request.

use crate::escape::quoted;
use crate::lines::{Fate, Lines};
use crate::seen::Seen;

/// Where a line goes, and what stands between its id and its body's first name.
#[derive(Clone, Debug)]
pub struct Address {
    /// From the id's end to the model that opens the body, the comma behind it included.
    pub front: Vec<u8>,
    /// The bytes that a line may have, if they are bounded.
    pub most: Option<usize>,
}

/// The lines of a chunk as they are sent. Requests are sent or carried; the rest has no part in it.
#[derive(Clone, Debug, Default)]
pub struct Sent {
    /// For each address its lines, one behind the other, and the bytes of each.
    pub files: Vec<(Vec<u8>, Vec<usize>)>,
    /// For each address, the place of its first request among those sent or carried, or 0.
    pub first_rows: Vec<usize>,
    /// For each outcome, how many requests are sent.
    pub sent: Vec<u64>,
    /// For each outcome, how many of these say what one before them said.
    pub repeated: Vec<u64>,
    /// For each outcome, how many are carried by one that says the same.
    pub carried: Vec<u64>,
    /// For each outcome, the number of the first line that is sent, or 0.
    pub first: Vec<u64>,
    /// The numbers of the requests' lines, in order.
    pub numbers: Vec<i64>,
    /// Their ids.
    pub ids: Vec<String>,
    /// Their outcomes.
    pub outcomes: Vec<i32>,
    /// The ids of those that carry them.
    pub carriers: Vec<Option<String>>,
}

impl Lines {
    /// Writes the requests that have an outcome, in order; `of` has the address of each outcome.
    ///
    /// With `once`, a body that was sent before is not sent again. A line that is too long for its
    /// address is not sent.
    pub fn send(
        &mut self,
        addresses: &[Address],
        of: &[usize],
        seen: &mut Seen,
        once: bool,
    ) -> Sent {
        let mut sent = Sent {
            files: vec![Default::default(); addresses.len()],
            first_rows: vec![0; addresses.len()],
            sent: vec![0; of.len()],
            repeated: vec![0; of.len()],
            carried: vec![0; of.len()],
            first: vec![0; of.len()],
            ..Sent::default()
        };
        for (row, fate) in self.rows.iter_mut().zip(&mut self.fates) {
            let Fate::Placed(number) = *fate else { continue };
            let outcome = number as usize;
            let address = &addresses[of[outcome]];
            let (file, lengths) = &mut sent.files[of[outcome]];
            let before = file.len();
            file.extend_from_slice(b"{\"custom_id\": ");
            quoted(&row.id, file);
            file.extend_from_slice(&address.front);
            file.extend_from_slice(&row.body[1..]);
            file.extend_from_slice(b"}\n");
            let length = file.len() - before;
            if address.most.is_some_and(|most| length > most) {
                file.truncate(before);
                *fate = Fate::TooLong(number, length);
                continue;
            }
            let carrier = seen.body(&row.body, &row.id).map(str::to_owned);
            if once && carrier.is_some() {
                file.truncate(before);
                *fate = Fate::Carried(number);
                sent.carried[outcome] += 1;
            } else {
                if lengths.is_empty() {
                    sent.first_rows[of[outcome]] = sent.numbers.len();
                }
                lengths.push(length);
                sent.sent[outcome] += 1;
                sent.repeated[outcome] += u64::from(carrier.is_some());
                if sent.first[outcome] == 0 {
                    sent.first[outcome] = row.number;
                }
            }
            sent.numbers.push(row.number as i64);
            sent.ids.push(std::mem::take(&mut row.id));
            sent.outcomes.push(number as i32);
            sent.carriers.push(carrier.filter(|_| once));
        }
        sent
    }
}
