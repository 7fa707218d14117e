//! The lines of a job with a deadline.
//!
//! Requests that would be answered too late where they would go without a deadline are withdrawn
//! from there. In the first pass they are classified and counted; in the second each is given a
//! model from the share of its class.

use std::collections::{HashMap, HashSet};

use crate::classed::{Classed, NONE};
use crate::classes::{Bid, Classes};
use crate::lines::{Fate, Lines};
use crate::outcomes::Outcomes;
use crate::seen::Seen;
use crate::sizes::Offers;
use crate::span::Span;

/// The bids of a live service: a number for each size of its offers, on each kind.
#[derive(Clone, Debug)]
pub struct Bids {
    service: u32,
    /// By kind, the bid of each size; `NONE` if no model that can promise a time takes the size.
    of: Vec<Vec<u32>>,
    kinds: HashMap<u32, usize>,
    outcomes: HashMap<(u32, u32), u32>,
}

impl Bids {
    /// No bids yet. `service` is the service's number, `number` how many kinds it has, and `kinds`
    /// has the kind of each model that can promise a time.
    pub fn new(service: u32, kinds: HashMap<u32, usize>, number: usize) -> Self {
        Bids { service, of: vec![Vec::new(); number], kinds, outcomes: HashMap::new() }
    }

    /// The sizes on a kind that have no bid yet.
    pub fn open<'a>(&self, kind: usize, offers: &'a Offers) -> &'a [Span] {
        offers.sizes_from(kind, self.of[kind].len())
    }

    /// Gives the sizes without a bid their bids, if `takes` says that some model takes them.
    pub fn answer(
        &mut self,
        kind: usize,
        offers: &Offers,
        classes: &mut Classes,
        takes: impl Fn(usize, Span) -> bool,
    ) {
        let (service, of) = (self.service, &mut self.of[kind]);
        let open = offers.sizes_from(kind, of.len()).iter().enumerate();
        of.extend(open.map(|(place, &size)| {
            let bid = Bid { service, kind: kind as u32, size };
            if takes(place, size) { classes.bid(bid) } else { NONE }
        }));
    }

    /// Sets the outcome of requests of a size on a model, by the size's place.
    pub fn settle(&mut self, model: u32, place: u32, outcome: u32) {
        self.outcomes.insert((model, place), outcome);
    }
}

impl Lines {
    /// Withdraws the requests that go to an address that is `late`: they are open again, and `free`
    /// knows their outcomes.
    ///
    /// Returns the addresses that any request goes to.
    pub fn withdraw(&mut self, outcomes: &Outcomes, late: &[bool]) -> Vec<usize> {
        self.classed.resize(self.rows.len(), Classed::default());
        let mut met = vec![false; late.len()];
        for (fate, own) in self.fates.iter_mut().zip(&mut self.classed) {
            let Fate::Placed(outcome) = *fate else { continue };
            let (address, _) = outcomes.of(outcome);
            met[address] = true;
            if late[address] {
                own.free = outcome;
                *fate = Fate::Open;
            }
        }
        met.iter().enumerate().filter_map(|(address, met)| met.then_some(address)).collect()
    }

    /// The outcome that a request would have without the deadline, if it is known.
    pub fn free(&self, row: usize) -> Option<u32> {
        Some(self.classed[row].free).filter(|free| *free != NONE)
    }

    /// Whether there is a request in a group whose outcome without the deadline is not known.
    pub fn lacks(&self, group: usize) -> bool {
        self.groups[group].rows.iter().any(|&row| self.classed[row].free == NONE)
    }

    /// Gives each request of a group its class. Its outcome is for now the one without the
    /// deadline: the withdrawn one, or else the one that it was placed with.
    ///
    /// Returns the places of the requests that no model takes which can promise a time; they stay
    /// open.
    pub fn classify(&mut self, group: usize, bids: &Bids, classes: &mut Classes) -> Vec<usize> {
        let mut left = Vec::new();
        let mut found = Vec::with_capacity(bids.of.len());
        let group = &self.groups[group];
        for (place, &row) in group.rows.iter().enumerate() {
            found.clear();
            let of = group.on_kinds(place).zip(&bids.of).map(|(at, of)| of[at as usize]);
            found.extend(of.filter(|bid| *bid != NONE));
            let (fate, own) = (&mut self.fates[row], &mut self.classed[row]);
            if let (NONE, Fate::Placed(outcome)) = (own.free, *fate) {
                own.free = outcome;
            }
            if found.is_empty() || own.free == NONE {
                *fate = Fate::Open;
                left.push(place);
                continue;
            }
            *fate = Fate::Placed(own.free);
            own.class = classes.number(&mut found);
        }
        left
    }

    /// Sets the class, and the outcome without the deadline, of a request that the caller has read.
    pub fn classed(&mut self, row: usize, class: u32, free: u32) {
        let own = &mut self.classed[row];
        (own.class, own.free) = (class, free);
        self.fates[row] = Fate::Placed(free);
    }

    /// Counts the requests that have an outcome, in order. `once` and lines that are too long are
    /// as in `send`.
    ///
    /// Returns how many sent requests have no class: they stay where they are in time.
    pub fn count(
        &mut self,
        outcomes: &mut Outcomes,
        seen: &mut Seen,
        once: bool,
        classes: &mut Classes,
    ) -> u64 {
        let mut in_time = 0;
        for ((row, fate), own) in self.rows.iter().zip(&mut self.fates).zip(&self.classed) {
            let Fate::Placed(outcome) = *fate else { continue };
            let (id, body) = (row.place.id(&self.store), row.place.body(&self.store));
            if own.class == NONE {
                let (length, most) = outcomes.length(outcome, id, body);
                if most.is_some_and(|most| length > most) {
                    *fate = Fate::TooLong(outcome, length);
                    continue;
                }
            }
            let said_before = seen.digest(row.digest, id).is_some();
            let carried = once && said_before;
            if own.class == NONE {
                in_time += u64::from(!carried);
            } else {
                classes.count(own.class, carried);
            }
            outcomes.count(outcome, carried, said_before);
        }
        in_time
    }

    /// Gives the requests that have a class their models, in order.
    ///
    /// Returns whether the requests are the same as those that were counted.
    pub fn deal(&mut self, classes: &mut Classes) -> bool {
        for (fate, own) in self.fates.iter().zip(&mut self.classed) {
            if own.class == NONE || !matches!(fate, Fate::Placed(_)) {
                continue;
            }
            let Some((model, carried)) = classes.next(own.class) else { return false };
            (own.model, own.carried) = (model, carried);
        }
        true
    }

    /// The model that a request was given by `deal`.
    pub fn model(&self, row: usize) -> Option<u32> {
        Some(self.classed[row].model).filter(|model| *model != NONE)
    }

    /// What is to be settled for a group: each model that a request was given, with the place and
    /// the size of the request, if the outcome there is not known; each once.
    pub fn unsettled(&self, group: usize, bids: &Bids, offers: &Offers) -> Vec<(u32, u32, Span)> {
        let mut met = HashSet::new();
        let asked = self.dealt(group, bids).filter(|(_, model, place, _)| {
            !bids.outcomes.contains_key(&(*model, *place)) && met.insert((*model, *place))
        });
        asked.map(|(_, model, place, kind)| (model, place, offers.size(kind, place))).collect()
    }

    /// Gives the requests of a group that were given a model their outcomes on it.
    pub fn settle(&mut self, group: usize, bids: &Bids) {
        let dealt: Vec<_> = self.dealt(group, bids).collect();
        for (row, model, place, _) in dealt {
            self.fates[row] = Fate::Placed(bids.outcomes[&(model, place)]);
        }
    }

    /// Counts, for the requests that are sent, which outcome replaced which (see
    /// [`Classes::moves`]).
    pub fn compare(&self, classes: &mut Classes) {
        for (fate, own) in self.fates.iter().zip(&self.classed) {
            if let (Fate::Placed(outcome), false, true) = (fate, own.carried, own.class != NONE) {
                classes.moved(own.free, *outcome);
            }
        }
    }

    /// Each request of a group that was given a model: row, model, place of the size, kind.
    fn dealt(&self, group: usize, bids: &Bids) -> impl Iterator<Item = (usize, u32, u32, usize)> {
        let group = &self.groups[group];
        group.rows.iter().enumerate().filter_map(move |(at, &row)| {
            let model = self.model(row)?;
            let kind = bids.kinds[&model];
            Some((row, model, group.on(kind, at), kind))
        })
    }
}
