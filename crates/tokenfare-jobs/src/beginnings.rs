//! Which requests begin alike, found in one pass and in bounded memory.
//!
//! A tree of beginnings for each group of requests: a node for each rung of a ladder that a request
//! stood on. A node that one request alone has been to keeps that request's other rungs and hands
//! the next one down when a second comes by, so that a request unlike all others costs one node.
//! When there is no room, the nodes that count least go, and those below them. What a node counts
//! was really seen; `missed` bounds what was not.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::seen::Even;
use crate::sizes::Span;

/// A node beside the rungs that it keeps, in their number.
const NODE: i64 = 5;

/// What the requests of a job begin with.
#[derive(Clone, Debug)]
pub struct Beginnings {
    room: i64,
    free: i64,
    missed: u64,
    trees: HashMap<usize, Tree>,
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
    ladder: Arc<[u64]>,
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
        let (trees, met, gone) = Default::default();
        Beginnings { room, free: room, missed: 0, trees, met, next: 0, gone }
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
            let number = match nodes.get_mut(&key) {
                None => {
                    let (ladder, missed): (Arc<[u64]>, u64) = (Arc::from(ladder), self.missed);
                    self.free -= NODE + ladder.len() as i64;
                    nodes
                        .insert(key, Node::Once(Once { above: last, rung, ladder, place, missed }));
                    break;
                }
                Some(Node::Met(number)) => *number,
                Some(node) => {
                    let number = self.next;
                    self.next += 1;
                    let Node::Once(once) = std::mem::replace(node, Node::Met(number)) else {
                        break;
                    };
                    // The first one stands on its next rung.
                    if let Some(&next) = once.ladder.get(once.rung + 1) {
                        let (above, rung) = (Some(number), once.rung + 1);
                        let down = Once { above, rung, ..once.clone() };
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
        most.sort_unstable();
        self.missed = most.get(most.len() / 4).copied().unwrap_or(self.missed);
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
        self.free = self.room;
        for tree in self.trees.values_mut() {
            tree.nodes.retain(|_, node| {
                let kept = match node {
                    Node::Met(number) => !gone.contains(number),
                    Node::Once(once) => {
                        let falls = once.above.is_some_and(|above| gone.contains(&above));
                        !falls && 1 + once.missed > missed
                    }
                };
                let rungs = if let Node::Once(once) = node { once.ladder.len() as i64 } else { 0 };
                self.free -= if kept { NODE + rungs } else { 0 };
                kept
            });
        }
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
