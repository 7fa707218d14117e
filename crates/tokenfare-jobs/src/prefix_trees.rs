//! Which prefixes the requests of a job share, found in one pass and in bounded memory.
//!
//! There is a tree for each group of requests, with a node for each prefix digest. The tree is
//! compressed: a node that a single request has reached keeps that request's remaining digests, and
//! passes the next one to a child when a second request arrives, so that a request unlike all
//! others costs one node. When memory runs out, the nodes with the lowest counts are evicted
//! together with their descendants, as in lossy counting: every count is a lower bound, and too low
//! by `missed` at most.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

use crate::seen::BuildIdentityHasher;
use crate::span::Span;

/// What a node takes of the capacity, in numbers, besides the digests that it keeps.
const NODE: i64 = 5;

/// The prefixes of a job's requests, counted by tree.
#[derive(Clone, Debug)]
pub struct PrefixTrees {
    /// In numbers, as `NODE`; `free` is below zero until the next eviction.
    capacity: i64,
    free: i64,
    missed: u64,
    trees: HashMap<usize, Tree>,
    /// The remaining digests of all nodes, in one vector; those that no node refers to any more are
    /// dropped at the next eviction. A vector for each node takes as long as everything else.
    rest: Vec<u64>,
    /// The prefixes that several requests have, by numbers that grow.
    shared: HashMap<u32, Shared>,
    next: u32,
    evicted: Vec<Evicted>,
}

#[derive(Clone, Debug)]
struct Tree {
    nodes: HashMap<u64, Node, BuildIdentityHasher>,
    group: Group,
}

/// The requests of one tree, summed up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Group {
    /// The tree's number.
    pub tree: usize,
    /// How many there were.
    pub requests: u64,
    /// The low end of the shortest request and the high end of the longest.
    pub sizes: Span,
    /// How many trees there were before it, for the order of `groups`.
    born: usize,
}

#[derive(Clone, Debug)]
enum Node {
    Single(Single),
    Shared(u32),
}

/// A prefix that a single request has.
#[derive(Clone, Debug)]
struct Single {
    parent: Option<u32>,
    index: usize,
    /// The place of the request's remaining digests, behind this one.
    rest: Range<usize>,
    place: (u64, u64),
    missed: u64,
}

/// A prefix that several requests have.
#[derive(Clone, Debug)]
struct Shared {
    tree: usize,
    parent: Option<u32>,
    index: usize,
    place: (u64, u64),
    missed: u64,
    count: u64,
    ended: u64,
}

/// A prefix that is the longest one which some request shares with an earlier request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SharedPrefix {
    /// Its number.
    pub number: u32,
    /// How many requests have it.
    pub count: u64,
    /// How many of them share no longer prefix with an earlier request.
    pub ended: u64,
    /// The file and the line of the first request that has it.
    pub place: (u64, u64),
}

/// A prefix that was evicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evicted {
    /// Its tree.
    pub tree: usize,
    /// Its number.
    pub number: u32,
    /// As in [`SharedPrefix`].
    pub ended: u64,
}

impl PrefixTrees {
    /// No requests yet. `capacity` is how many numbers may be kept, of some 60 bytes each.
    pub fn new(capacity: usize) -> Self {
        let capacity = i64::try_from(capacity).unwrap_or(i64::MAX);
        let (trees, rest, shared, evicted) = Default::default();
        PrefixTrees { capacity, free: capacity, missed: 0, trees, rest, shared, next: 0, evicted }
    }

    /// Adds the next request: its tree, its prefix digests, its size, its file and line.
    ///
    /// Where its longest shared prefix is reported for the first time, returns the number of that
    /// prefix and the index of its digest, so that the caller can note what the prefix is.
    pub fn add(
        &mut self,
        tree: usize,
        digests: &[u64],
        size: Span,
        place: (u64, u64),
    ) -> Option<(u32, usize)> {
        if self.free < 0 {
            self.evict();
        }
        let born = self.trees.len();
        let Tree { nodes, group } = self.trees.entry(tree).or_insert_with(|| Tree {
            nodes: HashMap::default(),
            group: Group { tree, requests: 0, sizes: Span { low: size.low, high: 0 }, born },
        });
        group.requests += 1;
        group.sizes.low = group.sizes.low.min(size.low);
        group.sizes.high = group.sizes.high.max(size.high);
        let mut last = None;
        for (index, &key) in digests.iter().enumerate() {
            let node = match nodes.entry(key) {
                Entry::Occupied(node) => node.into_mut(),
                Entry::Vacant(free) => {
                    let (start, missed) = (self.rest.len(), self.missed);
                    self.rest.extend_from_slice(&digests[index + 1..]);
                    let rest = start..self.rest.len();
                    self.free -= NODE + rest.len() as i64;
                    free.insert(Node::Single(Single { parent: last, index, rest, place, missed }));
                    break;
                }
            };
            let number = match node {
                Node::Shared(number) => *number,
                Node::Single(single) => {
                    let number = self.next;
                    self.next += 1;
                    let single = single.clone();
                    *node = Node::Shared(number);
                    // The earlier request moves down to a node for its next digest.
                    if let Some(&next) = self.rest[single.rest.clone()].first() {
                        let (parent, index) = (Some(number), single.index + 1);
                        let rest = single.rest.start + 1..single.rest.end;
                        let down = Single { parent, index, rest, ..single };
                        nodes.entry(next).or_insert(Node::Single(down));
                        self.free -= NODE;
                    }
                    let Single { parent, index, place, missed, .. } = single;
                    let shared = Shared { tree, parent, index, place, missed, count: 1, ended: 0 };
                    self.shared.insert(number, shared);
                    number
                }
            };
            last = Some(number);
            if let Some(shared) = self.shared.get_mut(&number) {
                shared.count += 1;
            }
        }
        let number = last?;
        let shared = self.shared.get_mut(&number)?;
        shared.ended += 1;
        (shared.ended == 1).then_some((number, shared.index))
    }

    /// The sums of each tree, in the order of the trees' first requests.
    pub fn groups(&self) -> Vec<Group> {
        let mut groups: Vec<Group> = self.trees.values().map(|tree| tree.group).collect();
        groups.sort_by_key(|group| group.born);
        groups
    }

    /// The prefixes of a tree with which requests ended (see [`SharedPrefix`]), in the order in
    /// which they were found.
    pub fn of(&self, tree: usize) -> Vec<SharedPrefix> {
        let all = self.shared.iter().filter(|(_, shared)| shared.tree == tree && shared.ended > 0);
        let prefix = |(&number, shared): (&u32, &Shared)| {
            let Shared { count, ended, place, .. } = *shared;
            SharedPrefix { number, count, ended, place }
        };
        let mut all: Vec<SharedPrefix> = all.map(prefix).collect();
        all.sort_by_key(|prefix| prefix.number);
        all
    }

    /// The most requests that a prefix without a node can have, and the most by which a count is
    /// too low; 0 before the first eviction.
    pub fn missed(&self) -> u64 {
        self.missed
    }

    /// How many nodes there are.
    pub fn nodes(&self) -> usize {
        self.trees.values().map(|tree| tree.nodes.len()).sum()
    }

    /// The prefixes evicted since the last call, of those with which requests ended.
    pub fn take_evicted(&mut self) -> Vec<Evicted> {
        std::mem::take(&mut self.evicted)
    }

    /// Evicts a quarter of the nodes or more: those with the lowest counts.
    ///
    /// A node's descendants, whose counts are no higher, go with it. So a prefix without a node has
    /// `missed` requests at most.
    fn evict(&mut self) {
        let nodes = self.trees.values().flat_map(|tree| tree.nodes.values());
        let mut most: Vec<u64> = nodes.map(|node| self.at_most(node)).collect();
        let quarter = most.len() / 4;
        if quarter < most.len() {
            self.missed = *most.select_nth_unstable(quarter).1;
        }
        // A parent has a smaller number than its children.
        let mut numbers: Vec<u32> = self.shared.keys().copied().collect();
        numbers.sort_unstable();
        let mut evicted: HashSet<u32> = HashSet::new();
        for number in numbers {
            let shared = &self.shared[&number];
            let orphaned = shared.parent.is_some_and(|parent| evicted.contains(&parent));
            if orphaned || shared.count + shared.missed <= self.missed {
                evicted.insert(number);
                if shared.ended > 0 {
                    self.evicted.push(Evicted { tree: shared.tree, number, ended: shared.ended });
                }
            }
        }
        let missed = self.missed;
        let all_rest = std::mem::take(&mut self.rest);
        let mut nodes = 0;
        for tree in self.trees.values_mut() {
            tree.nodes.retain(|_, node| {
                let kept = match node {
                    Node::Shared(number) => !evicted.contains(number),
                    Node::Single(single) => {
                        let orphaned =
                            single.parent.is_some_and(|parent| evicted.contains(&parent));
                        let kept = !orphaned && 1 + single.missed > missed;
                        if kept {
                            let start = self.rest.len();
                            self.rest.extend_from_slice(&all_rest[single.rest.clone()]);
                            single.rest = start..self.rest.len();
                        }
                        kept
                    }
                };
                nodes += i64::from(kept);
                kept
            });
        }
        self.free = self.capacity - NODE * nodes - self.rest.len() as i64;
        self.shared.retain(|number, _| !evicted.contains(number));
    }

    /// The most requests that can have this prefix.
    fn at_most(&self, node: &Node) -> u64 {
        match node {
            Node::Single(single) => 1 + single.missed,
            Node::Shared(number) => self.shared[number].count + self.shared[number].missed,
        }
    }
}
