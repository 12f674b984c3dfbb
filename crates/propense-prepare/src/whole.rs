//! Files that are there whole or not at all.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

/// Writes a file through a draft beside it, `PATH.draft`: a reader never sees half a file, and after a
/// loss of power the old one or the new one is there. What is no plain file, a pipe or `/dev/null`, is
/// written to as it is: a rename would put a file in its place.
///
/// # Errors
///
/// Where the draft cannot be written, or not take the file's place.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
        return fs::OpenOptions::new()
            .write(true)
            .open(path)?
            .write_all(bytes);
    }
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

    #[cfg(unix)]
    #[test]
    fn a_pipe_is_written_to_and_stays_one() {
        use std::os::unix::fs::FileTypeExt;
        let folder = tempfile::tempdir().expect("scratch folder");
        let path = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.expect("mkfifo").success());
        let writer = std::thread::spawn({
            let path = path.clone();
            move || write_whole(&path, b"figures")
        });
        assert_eq!(fs::read(&path).expect("the pipe"), b"figures");
        writer.join().expect("the writer").expect("written");
        let kind = fs::metadata(&path).expect("the pipe").file_type();
        assert!(kind.is_fifo());
    }
}
