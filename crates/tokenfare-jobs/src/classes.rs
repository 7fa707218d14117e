//! Classes of requests that ask the same of the same models: counted once, then given out.
//!
//! A request's class is its set of *bids*: each is the number of a size that some models of a
//! service are asked for. The owner may put bids together; one of them then stands for all, and
//! classes whose bids are the same by that are one class.

use std::collections::HashMap;
use std::sync::Arc;

use crate::sizes::Span;

/// What models of one kind are asked for: a request of this size, by numbers of their owner's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bid {
    /// The service, which knows the room for the answer.
    pub service: u32,
    /// The kind of models, by its place in the service.
    pub kind: u32,
    /// The request's size there.
    pub size: Span,
}

/// Requests of one class.
#[derive(Debug)]
struct Class {
    bids: Arc<[u32]>,
    requests: u64,
    /// To which model how many of them go, those that come first behind the others.
    left: Vec<(u32, u64)>,
    /// The model of those that are not sent, once it is said.
    carried: Option<u32>,
}

/// The classes of a job, and which of its requests are not sent.
#[derive(Debug, Default)]
pub struct Classes {
    bids: Vec<Bid>,
    bid_numbers: HashMap<Bid, u32>,
    /// Of the first bids the one that stands for each; the others stand for themselves.
    joined: Vec<u32>,
    numbers: HashMap<Arc<[u32]>, u32>,
    classes: Vec<Class>,
    /// Of the requests that were counted, in order: whether each is carried by one before it.
    carried: Vec<u64>,
    counted: usize,
    given: usize,
    moved: HashMap<(u32, u32), u64>,
}

impl Classes {
    /// The number of a bid.
    pub fn bid(&mut self, bid: Bid) -> u32 {
        let next = self.bids.len() as u32;
        let number = *self.bid_numbers.entry(bid).or_insert(next);
        if number == next {
            self.bids.push(bid);
        }
        number
    }

    /// Every bid, by number.
    pub fn bids(&self) -> &[Bid] {
        &self.bids
    }

    /// The number of the class that has these bids.
    pub fn number(&mut self, bids: &mut [u32]) -> u32 {
        for bid in bids.iter_mut() {
            *bid = self.joined.get(*bid as usize).copied().unwrap_or(*bid);
        }
        bids.sort_unstable();
        if let Some(number) = self.numbers.get(&*bids) {
            return *number;
        }
        let bids: Arc<[u32]> = (&*bids).into();
        let number = self.classes.len() as u32;
        self.classes.push(Class {
            bids: bids.clone(),
            requests: 0,
            left: Vec::new(),
            carried: None,
        });
        self.numbers.insert(bids, number);
        number
    }

    /// How many classes there are.
    pub fn len(&self) -> usize {
        self.classes.len()
    }

    /// Whether no request was seen.
    pub fn is_empty(&self) -> bool {
        self.classes.is_empty()
    }

    /// Each class: its bids, and how many of its requests are sent.
    pub fn iter(&self) -> impl Iterator<Item = (&[u32], u64)> {
        self.classes.iter().map(|class| (&*class.bids, class.requests))
    }

    /// Counts the next request of the job.
    pub fn count(&mut self, class: u32, carried: bool) {
        let (word, bit) = (self.counted / 64, self.counted % 64);
        if bit == 0 {
            self.carried.push(0);
        }
        self.carried[word] |= u64::from(carried) << bit;
        self.counted += 1;
        self.classes[class as usize].requests += u64::from(!carried);
    }

    /// Puts bids together, and classes by that: `joined` says for each bid which one stands for it.
    ///
    /// What stood for others before goes where these go.
    pub fn coarsen(&mut self, joined: Vec<u32>) {
        self.joined = joined;
        self.numbers.clear();
        for class in std::mem::take(&mut self.classes) {
            let number = self.number(&mut class.bids.to_vec());
            self.classes[number as usize].requests += class.requests;
        }
    }

    /// Takes how many requests of which class go to which model, and for each class the model of
    /// those that are not sent.
    ///
    /// # Panics
    ///
    /// If there is no such class.
    pub fn give_out(&mut self, parts: impl IntoIterator<Item = (u32, u32, u64)>, carried: &[u32]) {
        for (class, model, requests) in parts {
            self.classes[class as usize].left.push((model, requests));
        }
        for (class, &model) in self.classes.iter_mut().zip(carried) {
            class.left.reverse();
            class.carried = Some(model);
        }
    }

    /// The model of the next request of the job, and whether it is carried.
    ///
    /// None if it is not the request that was counted there.
    pub fn next(&mut self, class: u32) -> Option<(u32, bool)> {
        if self.given == self.counted {
            return None;
        }
        let carried = self.carried[self.given / 64] >> (self.given % 64) & 1 == 1;
        self.given += 1;
        let class = &mut self.classes[class as usize];
        if carried {
            return Some((class.carried?, true));
        }
        let (model, left) = class.left.last_mut()?;
        let model = *model;
        *left -= 1;
        if *left == 0 {
            class.left.pop();
        }
        Some((model, false))
    }

    /// Whether every request that was counted has a model.
    pub fn all_given(&self) -> bool {
        self.given == self.counted && self.classes.iter().all(|class| class.left.is_empty())
    }

    pub(crate) fn moved(&mut self, from: u32, to: u32) {
        *self.moved.entry((from, to)).or_default() += 1;
    }

    /// How many of the requests that are sent have the second outcome instead of the first.
    pub fn moves(&self) -> impl Iterator<Item = (u32, u32, u64)> {
        self.moved.iter().map(|((from, to), number)| (*from, *to, *number))
    }
}
