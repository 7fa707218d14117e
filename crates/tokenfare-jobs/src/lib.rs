//! Lines of a batch job: JSON or rows of a table in, requests and their sizes out, chunk by chunk.
//!
//! A *plain* request is a chat of roles and texts whose JSON every reader understands in the same
//! way. For plain requests this crate computes the size, the body to send and a digest of the body,
//! for a whole chunk of lines in one call; several chunks can be read in parallel. Every other line
//! is *doubtful*: nothing is decided about it here, and the caller reads it by other means and
//! hands the result in ([`Lines::give`]). So this crate refuses nothing and explains nothing. It
//! has no files and no clock, and knows models only by their numbers.
//!
//! - [`LineLayout`] says under which names a line has its parts.
//! - [`Cells`] are a row of a table: its columns stand for the names of a JSON line.
//! - [`Lines`] are the lines of one chunk, from reading them to the lines that are sent.
//! - [`Offers`] remembers the lowest price of each kind of models for each size, [`Outcomes`] what
//!   was decided for requests, and how many requests that was.
//! - [`PrefixDigester`] makes the prefix digests of requests, [`PrefixTrees`] finds the prefixes
//!   that they share.
//! - [`Classes`] counts the requests of a job with a deadline by class, and distributes them over
//!   models; [`Bids`] numbers the sizes that classes are made of.
//! - [`Seen`] remembers ids and bodies across chunks, by keyed digests.
//!
//! # Words
//!
//! - *room*: the tokens that are kept for the answer.
//! - *service*: the models of the batch service, or those that are called live, for one room.
//! - *kind*: the models of a service that count plain requests alike, by its index in the service.
//! - *size*: a request's input tokens on a kind, as a [`Span`] of the least and the most.
//! - *offer*: the lowest price of a kind's models for a size.
//! - *outcome*: what is decided for requests of one size, by its number: the model, the service.
//! - *address*: the model and the service that lines go to, by its number.
//! - *carried*: not sent, because an identical earlier request is; its answer serves both.
//! - *bid*: a size on a kind of live models, in a job with a deadline. A request's bids are its
//!   class.

mod body;
mod cells;
mod classed;
mod classes;
mod csv;
mod deadline;
mod escape;
mod layout;
mod lines;
mod outcomes;
mod output;
mod plain;
mod prefix_digests;
mod prefix_trees;
mod prices;
mod reader;
mod scan;
mod seen;
mod sink;
mod sizes;
mod span;
mod stops;
mod store;
mod values;

pub use cells::{Cells, Content, Message};
pub use classes::{Bid, Classes};
pub use csv::{Heading, Whole, whole};
pub use deadline::Bids;
pub use layout::LineLayout;
pub use lines::{Chunk, Fate, Lines};
pub use outcomes::{Address, Numbers, Outcomes};
pub use output::{File, Sent, Texts};
pub use prefix_digests::{DigestInput, PrefixDigester};
pub use prefix_trees::{Evicted, Group, PrefixTrees, SharedPrefix};
pub use prices::{MOST_SCALE, Priced, Prices};
pub use scan::line_breaks;
pub use seen::{Key, Seen};
pub use sizes::{Kind, Measure, Offer, Offers};
pub use span::Span;
