//! Tables beside the events: the item catalogue and the users' attributes.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::PrepareError;
use crate::attributes::{AttributeCounts, UserAttributes};
use crate::catalogue::{Catalogue, CatalogueBuilder, CatalogueColumns, CatalogueCounts};
use crate::decode::{self, Content, Text};
use crate::quarantine::Quarantine;

/// Which files to read beside the events.
#[derive(Debug, Clone, Default)]
pub struct SideTables {
    /// Files of the item catalogue.
    pub catalogue: Vec<PathBuf>,
    /// The names of its columns, where they are not found by themselves.
    pub catalogue_columns: CatalogueColumns,
    /// Files of user attributes.
    pub users: Vec<PathBuf>,
    /// The column that names the user, where it is not found by itself.
    pub user_column: Option<String>,
}

/// What reading them gave.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SideAccount {
    /// The files; in `quarantine.csv` their sources go on counting after the inputs'.
    pub paths: Vec<PathBuf>,
    /// Rows set aside.
    pub rejected: u64,
    /// The catalogue.
    pub catalogue: CatalogueCounts,
    /// The attributes.
    pub attributes: AttributeCounts,
}

/// The tables in memory.
#[derive(Default)]
pub(crate) struct Sides {
    pub(crate) catalogue: Option<Catalogue>,
    pub(crate) attributes: UserAttributes,
    pub(crate) account: SideAccount,
    /// Lines of `quarantine.csv`.
    pub(crate) quarantine: Vec<u8>,
}

impl Sides {
    /// Reads the tables. Their rows have the sources from `first_source` on.
    pub(crate) fn read(
        tables: &SideTables,
        encoding: Option<&str>,
        first_source: usize,
    ) -> Result<Self, PrepareError> {
        let mut sides = Self::default();
        let mut quarantine = Quarantine::default();
        let mut failed = None;
        let mut builder = CatalogueBuilder::default();
        let all = tables.catalogue.iter().chain(&tables.users);
        for (number, path) in all.enumerate() {
            let source = u16::try_from(first_source + number).unwrap_or(u16::MAX);
            let mut problem = |problem| {
                if let Err(error) = quarantine.problem(source, &problem) {
                    failed.get_or_insert(error);
                }
            };
            let text = open(path, encoding)?;
            let read = if number < tables.catalogue.len() {
                builder.read(text, &tables.catalogue_columns, &mut problem)
            } else {
                let column = tables.user_column.as_deref();
                sides.attributes.read(text, column, &mut problem)
            };
            read.map_err(|error| PrepareError::Unreadable {
                path: path.clone(),
                reason: error.to_string(),
            })?;
            sides.account.paths.push(path.clone());
        }
        if let Some(error) = failed {
            return Err(PrepareError::engine("quarantine.csv")(error));
        }
        if !tables.catalogue.is_empty() {
            let catalogue = builder.finish();
            sides.account.catalogue = catalogue.counts().clone();
            sides.catalogue = Some(catalogue);
        }
        sides.account.attributes = sides.attributes.counts();
        (sides.quarantine, sides.account.rejected) = quarantine
            .finish()
            .map_err(PrepareError::engine("quarantine.csv"))?;
        Ok(sides)
    }
}

fn open(path: &Path, encoding: Option<&str>) -> Result<Text, PrepareError> {
    match decode::open(path, encoding, true)?.content {
        Content::Text(text) => Ok(text),
        Content::Table(_) => Err(PrepareError::Unreadable {
            path: path.to_owned(),
            reason: "an event table is no catalogue and no table of users: give it as an input"
                .to_owned(),
        }),
    }
}
