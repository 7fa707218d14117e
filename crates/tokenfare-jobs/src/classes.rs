//! Classes of requests that take the same time and cost the same on the same models: in the first
//! pass of a job with a deadline they are counted, in the second they are distributed over models.
//!
//! A request's class is its set of *bids*: its size on each kind of live models that takes it, as
//! numbers. If there are too many classes, the owner joins bids: one bid then represents several,
//! and classes with the same representatives become one.

use std::collections::HashMap;
use std::sync::Arc;

use crate::span::Span;

/// A size on the models of one kind. The numbers are the owner's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bid {
    /// The service; it determines the room for the answer.
    pub service: u32,
    /// The kind of models, by its index in the service.
    pub kind: u32,
    /// The request's size on it.
    pub size: Span,
}

/// The requests of one class.
#[derive(Debug)]
struct Class {
    bids: Arc<[u32]>,
    requests: u64,
    /// How many of them are still to go to which model; the next ones are last.
    left: Vec<(u32, u64)>,
    /// The model for those that are carried, once it is known.
    carried: Option<u32>,
}

/// The classes of a job, and which of its requests are carried.
#[derive(Debug, Default)]
pub struct Classes {
    bids: Vec<Bid>,
    bid_numbers: HashMap<Bid, u32>,
    /// The representative of each of the first bids; later bids represent themselves.
    joined: Vec<u32>,
    numbers: HashMap<Arc<[u32]>, u32>,
    classes: Vec<Class>,
    /// A bit for each request that was counted, in order: whether it is carried.
    carried: Vec<u64>,
    counted: usize,
    given: usize,
    moved: HashMap<(u32, u32), u64>,
}

impl Classes {
    /// The number of a bid, the same for equal bids.
    pub fn bid(&mut self, bid: Bid) -> u32 {
        let next = self.bids.len() as u32;
        let number = *self.bid_numbers.entry(bid).or_insert(next);
        if number == next {
            self.bids.push(bid);
        }
        number
    }

    /// All bids, by number.
    pub fn bids(&self) -> &[Bid] {
        &self.bids
    }

    /// The number of the class with these bids.
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

    /// Joins bids, and thereby classes: `joined` has the representative of each bid.
    ///
    /// Bids joined before stay joined: they follow their representative.
    pub fn coarsen(&mut self, joined: Vec<u32>) {
        self.joined = joined;
        self.numbers.clear();
        for class in std::mem::take(&mut self.classes) {
            let number = self.number(&mut class.bids.to_vec());
            self.classes[number as usize].requests += class.requests;
        }
    }

    /// Sets how many requests of a class go to a model (`parts`: class, model, requests), and for
    /// each class the model for its carried requests.
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

    /// The model of the next request of the job, which is of this class, and whether it is carried.
    ///
    /// `None` if the requests differ from those that were counted.
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

    /// Pairs of outcomes, without the deadline and with it, and how many sent requests have the
    /// second instead of the first.
    pub fn moves(&self) -> impl Iterator<Item = (u32, u32, u64)> {
        self.moved.iter().map(|((from, to), number)| (*from, *to, *number))
    }
}
