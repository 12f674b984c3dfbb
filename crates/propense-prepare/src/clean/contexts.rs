//! Contexts that move within their events.

use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch, StringArray};
use arrow::error::ArrowError;

use super::Verdicts;
use crate::table::{Column, text_at};

impl Verdicts {
    /// Moves contexts as [`Verdicts::contexts`] says, in the batch that was judged, before lines
    /// are taken out of it.
    ///
    /// # Errors
    /// Those of Arrow.
    pub fn move_contexts(&self, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        let Ok(position) = batch.schema_ref().index_of(Column::Context.name()) else {
            return Ok(batch.clone());
        };
        let contexts = batch
            .columns()
            .get(position)
            .and_then(|array| array.as_string_opt::<i32>())
            .filter(|_| !self.contexts.is_empty());
        let Some(contexts) = contexts else {
            return Ok(batch.clone());
        };
        let mut moved: Vec<Option<&str>> = contexts.iter().collect();
        for (to, from) in &self.contexts {
            if let Some(place) = moved.get_mut(*to) {
                *place = text_at(Some(contexts), *from);
            }
        }
        let moved = StringArray::from(moved);
        let (schema, mut columns, _) = batch.clone().into_parts();
        if let Some(place) = columns.get_mut(position) {
            *place = Arc::new(moved);
        }
        RecordBatch::try_new(schema, columns)
    }
}
