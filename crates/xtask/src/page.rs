//! The shop page: bundled by Trunk from `index.html` into `dist/`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::run::{command, must, root};

/// The default model as the repository ships it.
pub(crate) const SHIPPED: &str = "models/giftshop.propense";

/// Where `index.html` takes the model from. Not in version control: the demo puts the weights
/// it has just trained there.
const STAGE: &str = "web/stage/giftshop.propense";

/// Makes this bundle the one that the page loads.
pub(crate) fn stage(bundle: &Path) -> Result<()> {
    let stage = root().join(STAGE);
    if let Some(folder) = stage.parent() {
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    fs::copy(bundle, &stage)
        .with_context(|| format!("copying {} to {}", bundle.display(), stage.display()))?;
    Ok(())
}

/// Bundles the page once.
pub(crate) fn build(trunk: &Path) -> Result<()> {
    must(
        command(trunk)
            .args(["build", "--offline"])
            .env_remove("NO_COLOR"),
    )
}
