//! Files that are there whole or not at all.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

/// Writes a file through a draft beside it, `PATH.draft`: a reader never sees half a file, and after a
/// loss of power the old one or the new one is there.
///
/// # Errors
///
/// Where the draft cannot be written, or not take the file's place.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut draft = path.as_os_str().to_owned();
    draft.push(".draft");
    let mut file = fs::File::create(&draft)?;
    file.write_all(bytes)?;
    // Without this a power cut after the rename could leave an empty file under the good name.
    file.sync_all()?;
    fs::rename(&draft, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_and_its_draft_goes() {
        let folder = tempfile::tempdir().expect("scratch folder");
        let path = folder.path().join("a.json");
        for text in ["a longer first text", "second"] {
            write_whole(&path, text.as_bytes()).expect("written");
            assert_eq!(fs::read_to_string(&path).expect("the file"), text);
        }
        assert_eq!(fs::read_dir(folder.path()).expect("folder").count(), 1);
        write_whole(&folder.path().join("no/folder"), b"").expect_err("no folder");
    }
}
