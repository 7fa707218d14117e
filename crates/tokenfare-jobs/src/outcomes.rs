//! What is decided for requests: the model and the service that each goes to, and its size.

use crate::escape::quoted;
use crate::span::Span;

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
    pub(crate) addresses: Vec<Address>,
    /// The address and the size of each outcome.
    pub(crate) of: Vec<(usize, Span)>,
    pub(crate) numbers: Vec<Numbers>,
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

/// Writes a line up to the first name of the request's own body.
pub(crate) fn begin(id: &str, address: &Address, front: &mut Vec<u8>) {
    front.clear();
    front.extend_from_slice(b"{\"custom_id\": ");
    quoted(id, front);
    front.extend_from_slice(&address.front);
}

/// The number of bytes of a line with this front and body.
pub(crate) fn length(front: &[u8], body: &[u8]) -> usize {
    front.len() + body.len() - 1 + b"}\n".len()
}
