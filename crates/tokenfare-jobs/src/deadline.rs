//! Lines of a job with a deadline: what is late is withdrawn, classed, counted, and dealt out.

use std::collections::{HashMap, HashSet};

use crate::classes::{Bid, Classes};
use crate::lines::{Fate, Lines};
use crate::output::Outcomes;
use crate::seen::Seen;
use crate::sizes::{Offers, Span};

const NONE: u32 = u32::MAX;

/// What is known of a request that may be late where it would go without a deadline.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Classed {
    /// The outcome without the deadline.
    free: u32,
    class: u32,
    model: u32,
    carried: bool,
}

impl Default for Classed {
    fn default() -> Self {
        Classed { free: NONE, class: NONE, model: NONE, carried: false }
    }
}

/// What the models of a live service are asked for: the bids of the sizes of its offers.
#[derive(Clone, Debug)]
pub struct Bids {
    service: u32,
    /// By kind, for each size of its offers.
    of: Vec<Vec<u32>>,
    kinds: HashMap<u32, usize>,
    outcomes: HashMap<(u32, u32), u32>,
}

impl Bids {
    /// Nothing asked yet of a service of this number, which has so many kinds; `kinds` is the kind
    /// of each model that may promise a time.
    pub fn new(service: u32, kinds: HashMap<u32, usize>, number: usize) -> Self {
        Bids { service, of: vec![Vec::new(); number], kinds, outcomes: HashMap::new() }
    }

    /// The sizes on a kind whose bid is not known.
    pub fn open<'a>(&self, kind: usize, offers: &'a Offers) -> &'a [Span] {
        offers.sizes_from(kind, self.of[kind].len())
    }

    /// Gives the sizes that are open their bids, as far as some model takes them.
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

    /// Takes the outcome of requests of a size on a model, by the size's place.
    pub fn settle(&mut self, model: u32, place: u32, outcome: u32) {
        self.outcomes.insert((model, place), outcome);
    }
}

impl Lines {
    /// Takes back the outcomes of requests that go to an address that is `late`; they stay known.
    ///
    /// Returns the addresses that requests went to.
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

    /// The outcome that was taken back.
    pub fn free(&self, row: usize) -> Option<u32> {
        Some(self.classed[row].free).filter(|free| *free != NONE)
    }

    /// Whether nobody has said of some request of a group where it would go without a deadline.
    pub fn lacks(&self, group: usize) -> bool {
        self.groups[group].rows.iter().any(|&row| self.classed[row].free == NONE)
    }

    /// Gives each request of a group its class. Those that had no outcome taken back have the one
    /// that they would go to without a deadline.
    ///
    /// Returns the places of requests that no model takes that can promise a time; they stay open.
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

    /// Gives a request that was read elsewhere its class, and its outcome without a deadline.
    pub fn classed(&mut self, row: usize, class: u32, free: u32) {
        let own = &mut self.classed[row];
        (own.class, own.free) = (class, free);
        self.fates[row] = Fate::Placed(free);
    }

    /// Counts the requests that have an outcome, in order; `once` and lines that are too long are
    /// as in `send`.
    ///
    /// Returns how many of them that are sent have no class.
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
    /// Returns whether they are those that were counted.
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

    /// The model that a request was given.
    pub fn model(&self, row: usize) -> Option<u32> {
        Some(self.classed[row].model).filter(|model| *model != NONE)
    }

    /// Models that requests of a group were given, each with the place and the size of the
    /// requests whose outcome there is not known, each once.
    pub fn unsettled(&self, group: usize, bids: &Bids, offers: &Offers) -> Vec<(u32, u32, Span)> {
        let mut met = HashSet::new();
        let asked = self.dealt(group, bids).filter(|(_, model, place, _)| {
            !bids.outcomes.contains_key(&(*model, *place)) && met.insert((*model, *place))
        });
        asked.map(|(_, model, place, kind)| (model, place, offers.size(kind, place))).collect()
    }

    /// Gives the requests of a group that have a model their outcomes on it.
    pub fn settle(&mut self, group: usize, bids: &Bids) {
        let dealt: Vec<_> = self.dealt(group, bids).collect();
        for (row, model, place, _) in dealt {
            self.fates[row] = Fate::Placed(bids.outcomes[&(model, place)]);
        }
    }

    /// Counts what requests that are sent have instead of what they would have without a deadline.
    pub fn compare(&self, classes: &mut Classes) {
        for (fate, own) in self.fates.iter().zip(&self.classed) {
            if let (Fate::Placed(outcome), false, true) = (fate, own.carried, own.class != NONE) {
                classes.moved(own.free, *outcome);
            }
        }
    }

    /// The row, the model, the place of the size and the kind of each request with a model.
    fn dealt(&self, group: usize, bids: &Bids) -> impl Iterator<Item = (usize, u32, u32, usize)> {
        let group = &self.groups[group];
        group.rows.iter().enumerate().filter_map(move |(at, &row)| {
            let model = self.model(row)?;
            let kind = bids.kinds[&model];
            Some((row, model, group.on(kind, at), kind))
        })
    }
}
