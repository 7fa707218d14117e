//! The lines that are sent, by address, and the columns of the plan's table.

use std::collections::BTreeMap;

use crate::escape::quoted;
use crate::lines::{Fate, Lines};
use crate::seen::Seen;
use crate::sizes::Span;
use crate::store::Place;

/// About the number of bytes of a line besides its id, its address's front and its body.
const AROUND: usize = 20;

/// Where lines go: a model in one of the services.
#[derive(Clone, Debug)]
pub struct Address {
    /// The bytes of a line between the end of its id and the first name of the request's own body:
    /// method, URL and, as the body's first name, the model with the comma behind it.
    pub front: Vec<u8>,
    /// The most bytes that a line may have, if there is a limit.
    pub most: Option<usize>,
}

/// What was decided for requests, by number, and how many requests have each outcome.
#[derive(Clone, Debug, Default)]
pub struct Outcomes {
    addresses: Vec<Address>,
    /// The address and the size of each outcome.
    of: Vec<(usize, Span)>,
    numbers: Vec<Numbers>,
}

/// How many requests have an outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    /// Those that are sent.
    pub sent: u64,
    /// Those of the sent requests that are identical to an earlier one.
    pub repeated: u64,
    /// Those that are not sent, because an identical earlier one is.
    pub carried: u64,
    /// The file and the line of the first one that is sent.
    pub first: Option<(u64, u64)>,
}

impl Outcomes {
    /// Adds an address; its number is the number of addresses before.
    pub fn add_address(&mut self, address: Address) {
        self.addresses.push(address);
    }

    /// How many addresses there are.
    pub fn addresses(&self) -> usize {
        self.addresses.len()
    }

    /// Adds an outcome: requests of this size go to this address. Its number is the number of
    /// outcomes before.
    pub fn add(&mut self, address: usize, size: Span) {
        self.of.push((address, size));
        self.numbers.push(Numbers::default());
    }

    pub(crate) fn of(&self, outcome: u32) -> (usize, Span) {
        self.of[outcome as usize]
    }

    /// The bytes of a request's line at the address of an outcome, and the most that are allowed.
    pub(crate) fn length(&self, outcome: u32, id: &str, body: &[u8]) -> (usize, Option<usize>) {
        let address = &self.addresses[self.of[outcome as usize].0];
        let mut front = Vec::new();
        begin(id, address, &mut front);
        (length(&front, body), address.most)
    }

    /// Counts a request that has this outcome.
    pub(crate) fn count(&mut self, outcome: u32, carried: bool, said_before: bool) {
        let numbers = &mut self.numbers[outcome as usize];
        if carried {
            numbers.carried += 1;
        } else {
            numbers.sent += 1;
            numbers.repeated += u64::from(said_before);
        }
    }

    /// Sets the number of requests of each outcome to zero, and keeps the outcomes.
    pub fn forget_numbers(&mut self) {
        self.numbers.fill(Numbers::default());
    }

    /// How many outcomes there are.
    pub fn len(&self) -> usize {
        self.of.len()
    }

    /// Whether there are no outcomes yet.
    pub fn is_empty(&self) -> bool {
        self.of.is_empty()
    }

    /// How many requests have each outcome.
    pub fn numbers(&self) -> &[Numbers] {
        &self.numbers
    }
}

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

/// Writes a line up to the first name of the request's own body.
fn begin(id: &str, address: &Address, front: &mut Vec<u8>) {
    front.clear();
    front.extend_from_slice(b"{\"custom_id\": ");
    quoted(id, front);
    front.extend_from_slice(&address.front);
}

/// The number of bytes of a line with this front and body.
fn length(front: &[u8], body: &[u8]) -> usize {
    front.len() + body.len() - 1 + b"}\n".len()
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
