//! Which requests begin alike, found in one pass and in bounded memory.
//!
//! A tree of beginnings for each group of requests: a node for each rung of a ladder that a request
//! stood on. A node that one request alone has been to keeps that request's other rungs and hands
//! the next one down when a second comes by, so that a request unlike all others costs one node.
//! When there is no room, the nodes that count least go, and those below them. What a node counts
//! was really seen; `missed` bounds what was not.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

use crate::seen::Even;
use crate::sizes::Span;

/// A node beside the rungs that it keeps, by the numbers that it is.
const NODE: i64 = 5;

/// What the requests of a job begin with.
#[derive(Clone, Debug)]
pub struct Beginnings {
    room: i64,
    free: i64,
    missed: u64,
    trees: HashMap<usize, Tree>,
    /// The rungs that nodes keep, one behind the other; some that none keeps, until there is no
    /// room. A ladder by itself for each node takes as long as all else.
    rungs: Vec<u64>,
    /// Beginnings that several requests had, by numbers that grow.
    met: HashMap<u32, Met>,
    next: u32,
    gone: Vec<Gone>,
}

#[derive(Clone, Debug)]
struct Tree {
    nodes: HashMap<u64, Node, Even>,
    group: Group,
}

/// The requests of one tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Group {
    /// The tree's number.
    pub tree: usize,
    /// How many there were.
    pub requests: u64,
    /// The shortest, at least, and the longest, at most.
    pub sizes: Span,
    /// How many trees there were before it.
    born: usize,
}

#[derive(Clone, Debug)]
enum Node {
    Once(Once),
    Met(u32),
}

/// A beginning that one request has had.
#[derive(Clone, Debug)]
struct Once {
    above: Option<u32>,
    rung: usize,
    /// Where the rest of its ladder is, behind its own rung.
    rest: Range<usize>,
    place: (u64, u64),
    missed: u64,
}

/// A beginning that several requests had.
#[derive(Clone, Debug)]
struct Met {
    tree: usize,
    above: Option<u32>,
    rung: usize,
    place: (u64, u64),
    missed: u64,
    count: u64,
    ended: u64,
}

/// A beginning with which some request ended being like one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beginning {
    /// Its number.
    pub number: u32,
    /// How many requests had it.
    pub count: u64,
    /// How many of them were like one before no further.
    pub ended: u64,
    /// The file and the line of the first.
    pub place: (u64, u64),
}

/// A beginning that had to go; `ended` requests had been like one before it no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone {
    /// The tree that it was in.
    pub tree: usize,
    /// Its number.
    pub number: u32,
    /// How many requests ended here.
    pub ended: u64,
}

impl Beginnings {
    /// Nothing seen yet; `room` numbers may be kept, some 60 bytes each.
    pub fn new(room: usize) -> Self {
        let room = i64::try_from(room).unwrap_or(i64::MAX);
        let (trees, rungs, met, gone) = Default::default();
        Beginnings { room, free: room, missed: 0, trees, rungs, met, next: 0, gone }
    }

    /// Takes the next request: its tree, its ladder, its size, its file and line.
    ///
    /// Returns the number and the rung of a beginning that it is the first to end with; what that
    /// rung is worth is for the caller to remember.
    pub fn climb(
        &mut self,
        tree: usize,
        ladder: &[u64],
        size: Span,
        place: (u64, u64),
    ) -> Option<(u32, usize)> {
        if self.free < 0 {
            self.make_room();
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
        for (rung, &key) in ladder.iter().enumerate() {
            let node = match nodes.entry(key) {
                Entry::Occupied(node) => node.into_mut(),
                Entry::Vacant(free) => {
                    let (start, missed) = (self.rungs.len(), self.missed);
                    self.rungs.extend_from_slice(&ladder[rung + 1..]);
                    let rest = start..self.rungs.len();
                    self.free -= NODE + rest.len() as i64;
                    free.insert(Node::Once(Once { above: last, rung, rest, place, missed }));
                    break;
                }
            };
            let number = match node {
                Node::Met(number) => *number,
                Node::Once(once) => {
                    let number = self.next;
                    self.next += 1;
                    let once = once.clone();
                    *node = Node::Met(number);
                    // The first one stands on its next rung.
                    if let Some(&next) = self.rungs[once.rest.clone()].first() {
                        let (above, rung) = (Some(number), once.rung + 1);
                        let rest = once.rest.start + 1..once.rest.end;
                        let down = Once { above, rung, rest, ..once };
                        nodes.entry(next).or_insert(Node::Once(down));
                        self.free -= NODE;
                    }
                    let Once { above, rung, place, missed, .. } = once;
                    let met = Met { tree, above, rung, place, missed, count: 1, ended: 0 };
                    self.met.insert(number, met);
                    number
                }
            };
            last = Some(number);
            if let Some(met) = self.met.get_mut(&number) {
                met.count += 1;
            }
        }
        let number = last?;
        let met = self.met.get_mut(&number)?;
        met.ended += 1;
        (met.ended == 1).then_some((number, met.rung))
    }

    /// The requests of each tree, in the order of their first ones.
    pub fn groups(&self) -> Vec<Group> {
        let mut groups: Vec<Group> = self.trees.values().map(|tree| tree.group).collect();
        groups.sort_by_key(|group| group.born);
        groups
    }

    /// The beginnings in a tree with which requests ended, in the order in which they were met.
    pub fn of(&self, tree: usize) -> Vec<Beginning> {
        let all = self.met.iter().filter(|(_, met)| met.tree == tree && met.ended > 0);
        let beginning = |(&number, met): (&u32, &Met)| {
            let Met { count, ended, place, .. } = *met;
            Beginning { number, count, ended, place }
        };
        let mut all: Vec<Beginning> = all.map(beginning).collect();
        all.sort_by_key(|beginning| beginning.number);
        all
    }

    /// How many requests at most had a beginning that is not there.
    pub fn missed(&self) -> u64 {
        self.missed
    }

    /// How many nodes there are.
    pub fn nodes(&self) -> usize {
        self.trees.values().map(|tree| tree.nodes.len()).sum()
    }

    /// What had to go since this was asked last, of the beginnings with which requests ended.
    pub fn take_gone(&mut self) -> Vec<Gone> {
        std::mem::take(&mut self.gone)
    }

    /// Lets a quarter of the nodes go, or more: those that were counted least.
    ///
    /// With a node go those below it, which nobody had more often. So of a beginning without a node
    /// there were `missed` requests at most.
    fn make_room(&mut self) {
        let nodes = self.trees.values().flat_map(|tree| tree.nodes.values());
        let mut most: Vec<u64> = nodes.map(|node| self.at_most(node)).collect();
        let quarter = most.len() / 4;
        if quarter < most.len() {
            self.missed = *most.select_nth_unstable(quarter).1;
        }
        // What is above has the smaller number.
        let mut numbers: Vec<u32> = self.met.keys().copied().collect();
        numbers.sort_unstable();
        let mut gone: HashSet<u32> = HashSet::new();
        for number in numbers {
            let met = &self.met[&number];
            let falls = met.above.is_some_and(|above| gone.contains(&above));
            if falls || met.count + met.missed <= self.missed {
                gone.insert(number);
                if met.ended > 0 {
                    self.gone.push(Gone { tree: met.tree, number, ended: met.ended });
                }
            }
        }
        let missed = self.missed;
        let all_rungs = std::mem::take(&mut self.rungs);
        let mut number = 0;
        for tree in self.trees.values_mut() {
            tree.nodes.retain(|_, node| {
                let kept = match node {
                    Node::Met(number) => !gone.contains(number),
                    Node::Once(once) => {
                        let falls = once.above.is_some_and(|above| gone.contains(&above));
                        let kept = !falls && 1 + once.missed > missed;
                        if kept {
                            let start = self.rungs.len();
                            self.rungs.extend_from_slice(&all_rungs[once.rest.clone()]);
                            once.rest = start..self.rungs.len();
                        }
                        kept
                    }
                };
                number += i64::from(kept);
                kept
            });
        }
        self.free = self.room - NODE * number - self.rungs.len() as i64;
        self.met.retain(|number, _| !gone.contains(number));
    }

    /// How many requests can have had this beginning.
    fn at_most(&self, node: &Node) -> u64 {
        match node {
            Node::Once(once) => 1 + once.missed,
            Node::Met(number) => self.met[number].count + self.met[number].missed,
        }
    }
}
