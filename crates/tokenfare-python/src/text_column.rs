//! Finds the column of texts in Arrow data: the data itself, or one column of a table.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, Fields};

/// Which column holds the texts.
pub(crate) struct TextColumn {
    /// Its index in a table; `None` if the data is a single column.
    index: Option<usize>,
    /// How error messages refer to it.
    pub(crate) name: String,
}

impl TextColumn {
    /// For a table of this type, the column with this name or its only one; otherwise the column
    /// itself. The error says that there is no such column, or that it does not hold strings.
    pub(crate) fn of(kind: &DataType, column: Option<&str>) -> Result<Self, String> {
        if let DataType::Struct(fields) = kind {
            let place = TextColumn::in_table(fields, column)?;
            let texts = listed(fields, is_text);
            let way = if texts.is_empty() { CAST.to_owned() } else { format!("there is {texts}") };
            let index = place.index.unwrap_or_default();
            return place.of_text(fields[index].data_type(), &way);
        }
        if let Some(name) = column {
            return Err(format!("this is one column and no table: leave column='{name}' out"));
        }
        TextColumn { index: None, name: "the column".to_owned() }.of_text(kind, CAST)
    }

    fn of_text(self, kind: &DataType, way: &str) -> Result<Self, String> {
        if is_text(kind) {
            return Ok(self);
        }
        Err(format!("{} is of {kind}, and one of strings is expected; {way}", self.name))
    }

    fn in_table(fields: &Fields, column: Option<&str>) -> Result<Self, String> {
        if fields.is_empty() {
            return Err("a table without columns; one of strings is expected".to_owned());
        }
        let all = listed(fields, |_| true);
        let name = match column {
            Some(name) => name,
            None if fields.len() == 1 => fields[0].name(),
            None => {
                return Err(format!(
                    "a table of several columns ({all}); say which one holds the texts: \
                     column='…'"
                ));
            }
        };
        let mut found = (0..fields.len()).filter(|&index| fields[index].name() == name);
        match (found.next(), found.next()) {
            (Some(index), None) => {
                Ok(TextColumn { index: Some(index), name: format!("the column '{name}'") })
            }
            (None, _) => Err(format!("there is no column '{name}'; there is {all}")),
            _ => {
                Err(format!("several columns are called '{name}'; hand over the one that is meant"))
            }
        }
    }

    /// The texts of a chunk, and which rows are null.
    pub(crate) fn within<'a>(&self, chunk: &'a ArrayRef) -> (&'a dyn Array, Option<NullBuffer>) {
        let Some(index) = self.index else { return (chunk, chunk.logical_nulls()) };
        let column = chunk.as_struct().column(index);
        (column, NullBuffer::union(chunk.nulls(), column.logical_nulls().as_ref()))
    }
}

const CAST: &str = "cast it to strings first";

/// The most columns that a message names.
const SHOWN: usize = 20;

fn is_text(kind: &DataType) -> bool {
    match kind {
        DataType::Dictionary(_, values) => is_plain(values),
        other => is_plain(other),
    }
}

fn is_plain(kind: &DataType) -> bool {
    matches!(kind, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

fn listed(fields: &Fields, which: impl Fn(&DataType) -> bool) -> String {
    let named = fields.iter().filter(|field| which(field.data_type()));
    let mut names = named.map(|field| field.name().as_str()).collect::<Vec<_>>();
    if names.len() > SHOWN {
        names.truncate(SHOWN);
        names.push("…");
    }
    names.join(", ")
}
