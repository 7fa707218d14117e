//! The lines that are sent, by address, and the columns of the plan's table.

use std::collections::BTreeMap;

use crate::lines::{Fate, Lines};
use crate::outcomes::{Outcomes, begin, length};
use crate::seen::Seen;
use crate::store::Place;

/// About the number of bytes of a line besides its id, its address's front and its body.
const AROUND: usize = 20;

/// Lines for one address.
#[derive(Clone, Debug, Default)]
pub struct File {
    /// The address's number.
    pub address: usize,
    /// The lines, concatenated.
    pub lines: Vec<u8>,
    /// The bytes of each.
    pub lengths: Vec<usize>,
}

/// Texts, concatenated.
#[derive(Clone, Debug, Default)]
pub struct Texts {
    text: String,
    ends: Vec<usize>,
}

impl Texts {
    fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.ends.push(self.text.len());
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let starts = [0].into_iter().chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.text[start..end])
    }
}

/// The requests of a chunk that are sent or carried, and the lines of those that are sent.
#[derive(Clone, Debug, Default)]
pub struct Sent {
    /// The lines by address, in the order of the addresses' first lines.
    pub files: Vec<File>,
    /// The line number of each request, in the order of the input.
    pub numbers: Vec<i64>,
    /// The id of each request.
    pub ids: Texts,
    /// The outcome of each request.
    pub outcomes: Vec<i32>,
    /// The id of the identical request that carries each one, if one does.
    pub carriers: Vec<Option<String>>,
}

impl Lines {
    /// Writes the lines of the requests that have an outcome, in order; `file` is the number of the
    /// input.
    ///
    /// With `once`, a body that was sent before is not sent again: its request is carried. A line
    /// that is too long for its address is not sent.
    pub fn send(
        &mut self,
        outcomes: &mut Outcomes,
        seen: &mut Seen,
        once: bool,
        file: u64,
    ) -> Sent {
        let mut sent = Sent::default();
        let room = self.bytes_to(outcomes);
        let mut places: BTreeMap<usize, usize> = BTreeMap::new();
        let mut front = Vec::new();
        for (row, fate) in self.rows.iter().zip(&mut self.fates) {
            let Fate::Placed(outcome) = *fate else { continue };
            let number = outcome as usize;
            let (to, id, body) =
                (outcomes.of[number].0, row.place.id(&self.store), row.place.body(&self.store));
            let address = &outcomes.addresses[to];
            begin(id, address, &mut front);
            let length = length(&front, body);
            if address.most.is_some_and(|most| length > most) {
                *fate = Fate::TooLong(outcome, length);
                continue;
            }
            let carrier = seen.digest(row.digest, id).map(str::to_owned);
            let carried = once && carrier.is_some();
            outcomes.count(outcome, carried, carrier.is_some());
            if carried {
                *fate = Fate::Carried(outcome);
            } else {
                let numbers = &mut outcomes.numbers[number];
                numbers.first.get_or_insert((file, row.number));
                let next = sent.files.len();
                let place = *places.entry(to).or_insert(next);
                if place == next {
                    let lines = Vec::with_capacity(room[to]);
                    sent.files.push(File { address: to, lines, lengths: Vec::new() });
                }
                let File { lines, lengths, .. } = &mut sent.files[place];
                lines.extend_from_slice(&front);
                lines.extend_from_slice(&body[1..]);
                lines.extend_from_slice(b"}\n");
                lengths.push(length);
            }
            sent.numbers.push(row.number as i64);
            sent.ids.push(id);
            sent.outcomes.push(outcome as i32);
            sent.carriers.push(carrier.filter(|_| once));
        }
        sent
    }

    /// An upper estimate of the bytes that go to each address.
    fn bytes_to(&self, outcomes: &Outcomes) -> Vec<usize> {
        let mut bytes = vec![0; outcomes.addresses.len()];
        for (row, fate) in self.rows.iter().zip(&self.fates) {
            if let Fate::Placed(outcome) = *fate {
                let address = outcomes.of[outcome as usize].0;
                let front = outcomes.addresses[address].front.len();
                let Place { id, body, .. } = &row.place;
                bytes[address] += AROUND + id.len() + front + body.len();
            }
        }
        bytes
    }
}
