//! Lines of a batch job: JSON or rows of a table in, requests and their sizes out, chunk by chunk.
//!
//! A *plain* request is a chat of roles and texts with a room for its answer, whose JSON says
//! nothing in two ways. Its size, its body as it is sent and its digest are worked out here, for
//! all lines of a chunk at once; whoever has many chunks reads them side by side. Every other line
//! is *doubtful*: nothing is decided about it, its owner reads it by other means and hands in what
//! it found. So this crate refuses nothing and explains nothing; it knows neither models nor
//! prices, files nor clocks.
//!
//! - [`Form`] says under which names a line has its parts.
//! - [`Cells`] are a row of a table, which has in columns what a line of JSON has under names.
//! - [`Lines`] are the lines of one chunk, from the first look to the lines that are sent.
//! - [`Offers`] remembers what the models of a service ask for each size, [`Outcomes`] what can
//!   become of requests, and how many had it.
//! - [`PrefixDigester`] makes the prefix digests of requests, [`PrefixTrees`] finds the prefixes
//!   that they share.
//! - [`Classes`] counts requests of a job with a deadline that ask the same, and gives them out;
//!   [`Bids`] remembers what is asked for each size.
//! - [`Seen`] remembers ids and bodies across chunks, by keyed digests.

mod body;
mod cells;
mod classes;
mod csv;
mod deadline;
mod escape;
mod form;
mod lines;
mod output;
mod plain;
mod prefix_digests;
mod prefix_trees;
mod prices;
mod reader;
mod scan;
mod seen;
mod sizes;
mod stops;
mod store;

pub use cells::{Cells, Content, Message};
pub use classes::{Bid, Classes};
pub use csv::{Heading, Whole, whole};
pub use deadline::Bids;
pub use form::Form;
pub use lines::{Chunk, Fate, Lines};
pub use output::{Address, File, Numbers, Outcomes, Sent, Texts};
pub use prefix_digests::{DigestInput, PrefixDigester};
pub use prefix_trees::{Evicted, Group, PrefixTrees, SharedPrefix};
pub use prices::{MOST_SCALE, Priced, Prices};
pub use seen::{Key, Seen};
pub use sizes::{Kind, Measure, Offer, Offers, Span};
