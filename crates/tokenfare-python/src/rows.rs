//! Rows of tables as lines of a job: CSV as bytes, and Arrow record batches.
//!
//! A column may be of strings, plain or dictionary-encoded, or of lists of messages, which are
//! structs of strings. A row with a cell of another type is doubtful, and so is one with text that
//! is not UTF-8, which a file may contain and Arrow does not check.

use std::borrow::Cow;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, GenericListArray, OffsetSizeTrait, StructArray};
use arrow_schema::DataType;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyTuple;
use tokenfare_jobs::{Cells, Content, Heading, Key, Message};

use crate::Tokenizer;
use crate::column::{array, string_bytes};
use crate::guard::guarded;
use crate::jobs::{LineLayout, Lines};

/// Finds the whole rows at the beginning of CSV, at most `most`: the place where they end, the
/// lines that they take, and whether the row behind them has `longest` bytes or more.
#[pyfunction]
#[pyo3(signature = (text, ends, longest, most, /))]
pub(crate) fn csv_rows(text: &[u8], ends: bool, longest: usize, most: usize) -> (usize, u64, bool) {
    let found = tokenfare_jobs::whole(text, ends, longest, most);
    (found.end, found.lines, found.is_long)
}

/// Reads a chunk of whole rows of CSV, whose columns have these names.
#[pyfunction]
#[pyo3(signature = (block, first, names, layout, key, tokenizers, /))]
pub(crate) fn lines_of_csv(
    py: Python<'_>,
    block: PyBackedBytes,
    first: u64,
    names: Vec<String>,
    layout: &Bound<'_, LineLayout>,
    key: [u8; 16],
    tokenizers: Vec<Bound<'_, Tokenizer>>,
) -> PyResult<Lines> {
    let (bytes, layout) = (block.len(), &layout.get().0);
    let heading = Heading::new(&names, layout);
    let cores: Vec<_> = tokenizers.iter().map(|tokenizer| &tokenizer.get().core).collect();
    let read = || {
        let key = Key::new(key);
        tokenfare_jobs::Lines::of_csv(Box::new(block), first, &heading, layout, key, &cores)
    };
    guarded(py, bytes, read).map(Lines)
}

/// Reads the rows of an Arrow record batch; `first` is the number of the first row.
#[pyfunction]
#[pyo3(signature = (batch, first, layout, key, tokenizers, /))]
pub(crate) fn lines_of_table(
    py: Python<'_>,
    batch: &Bound<'_, PyAny>,
    first: u64,
    layout: &Bound<'_, LineLayout>,
    key: [u8; 16],
    tokenizers: Vec<Bound<'_, Tokenizer>>,
) -> PyResult<Lines> {
    let pair = batch.call_method0("__arrow_c_array__")?.cast_into::<PyTuple>()?;
    let table = array(&pair)?;
    let table = table.as_struct_opt().ok_or_else(|| PyTypeError::new_err("this is no table"))?;
    let layout = &layout.get().0;
    let cores: Vec<_> = tokenizers.iter().map(|tokenizer| &tokenizer.get().core).collect();
    let read = || {
        let rows = Table::new(table, layout).rows(first);
        tokenfare_jobs::Lines::of_cells(&rows, layout, Key::new(key), &cores)
    };
    guarded(py, usize::MAX, read).map(Lines)
}

/// The value of a cell.
enum Cell<'a> {
    Nothing,
    Text(&'a str),
    Chat(Vec<Message<'a>>),
    Other,
}

/// A column: gives the cell of a row.
type Column<'a> = Box<dyn Fn(usize) -> Cell<'a> + 'a>;

/// The columns of a table that a request is made of.
struct Table<'a> {
    rows: usize,
    id: Column<'a>,
    method: Column<'a>,
    url: Column<'a>,
    body: Column<'a>,
    messages: Column<'a>,
    prompt: Column<'a>,
}

impl<'a> Table<'a> {
    fn new(table: &'a StructArray, layout: &tokenfare_jobs::LineLayout) -> Self {
        let named = |name: &str| -> Column<'a> {
            table.column_by_name(name).map_or_else(|| Box::new(|_| Cell::Nothing), column_of)
        };
        Table {
            rows: table.len(),
            id: named(&layout.custom_id),
            method: named("method"),
            url: named("url"),
            body: named("body"),
            messages: named(&layout.messages),
            prompt: named(&layout.prompt),
        }
    }

    fn rows(&self, first: u64) -> Vec<Cells<'a>> {
        (0..self.rows).map(|row| self.row(row, first + row as u64)).collect()
    }

    fn row(&self, row: usize, number: u64) -> Cells<'a> {
        let (id, content) = match (text((self.id)(row)), self.content(row)) {
            (Some(id), Some(content)) => (id, content),
            _ => (None, Content::Doubtful),
        };
        Cells { number, line: 0..0, id, content }
    }

    fn content(&self, row: usize) -> Option<Content<'a>> {
        if let Some(body) = text((self.body)(row))? {
            let (method, url) = (text((self.method)(row))?, text((self.url)(row))?);
            return Some(Content::Body { body, method, url });
        }
        match (self.messages)(row) {
            Cell::Nothing => text((self.prompt)(row))?.map(Content::Prompt),
            Cell::Chat(chat) => Some(Content::Chat(chat)),
            messages => text(messages)?.map(Content::Messages),
        }
    }
}

/// The text of a cell; `Some(None)` for an empty one, `None` for one of another type.
#[expect(clippy::option_option, reason = "an empty cell differs from one of another type")]
fn text(cell: Cell<'_>) -> Option<Option<Cow<'_, str>>> {
    match cell {
        Cell::Nothing => Some(None),
        Cell::Text(text) => Some(Some(Cow::Borrowed(text))),
        Cell::Chat(_) | Cell::Other => None,
    }
}

fn column_of(array: &ArrayRef) -> Column<'_> {
    match array.data_type() {
        DataType::Null => Box::new(|_| Cell::Nothing),
        DataType::Utf8 => texts(array, string_bytes::<i32>(array)),
        DataType::LargeUtf8 => texts(array, string_bytes::<i64>(array)),
        DataType::Utf8View => {
            let views = array.as_string_view();
            texts(array, move |at| views.value(at).as_bytes())
        }
        DataType::Dictionary(..) => dictionary_column(array),
        DataType::List(_) => chats(array.as_list::<i32>()),
        DataType::LargeList(_) => chats(array.as_list::<i64>()),
        _ => present(array, |_| Cell::Other),
    }
}

/// A column whose null cells are empty, and the others what `cell` says.
fn present<'a>(array: &'a dyn Array, cell: impl Fn(usize) -> Cell<'a> + 'a) -> Column<'a> {
    Box::new(move |at| if array.is_null(at) { Cell::Nothing } else { cell(at) })
}

fn texts<'a>(array: &'a dyn Array, bytes: impl Fn(usize) -> &'a [u8] + 'a) -> Column<'a> {
    let text = move |at| simdutf8::basic::from_utf8(bytes(at)).map_or(Cell::Other, Cell::Text);
    present(array, text)
}

/// A dictionary-encoded column.
fn dictionary_column(array: &dyn Array) -> Column<'_> {
    let dictionary = array.as_any_dictionary();
    if dictionary.values().is_empty() {
        return Box::new(|_| Cell::Nothing);
    }
    let (keys, values) = (dictionary.normalized_keys(), column_of(dictionary.values()));
    present(array, move |at| values(keys[at]))
}

/// Lists of messages that have a role and a content, both strings, and nothing else.
fn chats<O: OffsetSizeTrait>(lists: &GenericListArray<O>) -> Column<'_> {
    let message = lists.values().as_struct_opt().and_then(message_of);
    let Some(message) = message else { return present(lists, |_| Cell::Other) };
    let offsets = lists.value_offsets();
    present(lists, move |at| {
        let chat = offsets[at].as_usize()..offsets[at + 1].as_usize();
        chat.map(&message).collect::<Option<Vec<_>>>().map_or(Cell::Other, Cell::Chat)
    })
}

/// Reads structs as messages; `None` if their type cannot be one. A null field counts as absent.
fn message_of<'a>(messages: &'a StructArray) -> Option<impl Fn(usize) -> Option<Message<'a>> + 'a> {
    let names = messages.column_names();
    let mut found = [None; 2];
    let mut others = Vec::new();
    for (at, name) in names.into_iter().enumerate() {
        match (name, &mut found) {
            ("role", [place @ None, _]) | ("content", [_, place @ None]) => *place = Some(at),
            ("role" | "content", _) => return None, // twice
            _ => others.push(column_of(messages.column(at))),
        }
    }
    let (role, content) = (found[0]?, found[1]?);
    let (roles, contents) = (column_of(messages.column(role)), column_of(messages.column(content)));
    Some(move |at| {
        let alone = others.iter().all(|other| matches!(other(at), Cell::Nothing));
        match (roles(at), contents(at)) {
            (Cell::Text(role_is), Cell::Text(says)) if alone && !messages.is_null(at) => {
                Some(Message { role: role_is, content: says, role_first: role < content })
            }
            _ => None,
        }
    })
}
