//! Where results are to go, looked at before any work: an hour of training is lost where its last step
//! finds a folder in the place of a file, and data are lost where a result is written over them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::outcome::{Failure, Outcome};

/// Refuses two results in one file, a result in the place of something that is read, a folder in the place
/// of a result, and a place where nothing can be written. Nothing is left behind.
pub(crate) fn check<'a>(
    results: impl IntoIterator<Item = (&'static str, Option<&'a PathBuf>)>,
    read: impl IntoIterator<Item = &'a PathBuf>,
) -> Outcome {
    let read: Vec<PathBuf> = read.into_iter().map(|path| plain(path)).collect();
    let mut taken: Vec<(&str, PathBuf)> = Vec::new();
    for (option, path) in results {
        // `-` is standard output.
        let Some(path) = path.filter(|path| path.as_os_str() != "-") else {
            continue;
        };
        let wrong = |why: String| {
            Err(Failure::Usage(format!(
                "{option} {}: {why}",
                path.display()
            )))
        };
        let place = plain(path);
        if read.contains(&place) {
            return wrong("is one of the files that are read; name another".to_owned());
        }
        if let Some((other, _)) = taken.iter().find(|(_, known)| *known == place) {
            return wrong(format!("{other} writes there already; name another file"));
        }
        if path.is_dir() {
            return wrong("is a folder; name a file".to_owned());
        }
        // What is no plain file, /dev/null say, is written to as it is.
        if !path.exists()
            && let Err(error) = writable(path)
        {
            return wrong(format!(
                "nothing can be written there ({error}); name a file in a folder that is yours"
            ));
        }
        taken.push((option, place));
    }
    Ok(())
}

/// The path without links and dots, as far as it is there.
fn plain(path: &Path) -> PathBuf {
    match (path.canonicalize(), path.parent(), path.file_name()) {
        (Ok(plain), ..) => plain,
        (Err(_), Some(folder), Some(name)) => {
            let folder = match folder.as_os_str().is_empty() {
                true => Path::new("."),
                false => folder,
            };
            plain(folder).join(name)
        }
        _ => path.to_owned(),
    }
}

/// Writes and removes a file in the nearest folder that is there.
fn writable(path: &Path) -> io::Result<()> {
    let mut folders = path.ancestors().skip(1).map(|folder| {
        if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        }
    });
    let folder = folders.find(|folder| folder.exists());
    let folder = folder.unwrap_or(Path::new("."));
    let probe = folder.join(format!(".propense-{}", std::process::id()));
    fs::File::create_new(&probe)?;
    fs::remove_file(&probe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_new_place_of_its_own_will_do() {
        let folder = tempfile::tempdir().expect("scratch folder");
        let at = |name: &str| folder.path().join(name);
        fs::write(at("data.csv"), "a\n1\n").expect("written");
        let (data, dash, deep) = (at("data.csv"), PathBuf::from("-"), at("new/deep/out.json"));
        let check = |results: &[(&'static str, &PathBuf)]| {
            let results = results.iter().map(|(name, path)| (*name, Some(*path)));
            super::check(results, [&data])
        };
        let said = |results: &[(&'static str, &PathBuf)]| match check(results) {
            Err(Failure::Usage(message)) => message,
            other => panic!("{other:?}"),
        };
        check(&[("--json", &dash), ("--report", &dash), ("--out", &deep)]).expect("sound");
        let (dotted, inside) = (at("./new/../data.csv"), at("data.csv/out.json"));
        fs::create_dir(at("new")).expect("a folder");
        assert!(said(&[("--out", &dotted)]).contains("that are read"));
        assert!(said(&[("--out", &at("new"))]).contains("is a folder"));
        assert!(said(&[("--json", &deep), ("--report", &deep)]).contains("--json writes there"));
        assert!(said(&[("--out", &inside)]).contains("nothing can be written"));
        // Nothing is left behind.
        let mut names: Vec<_> = fs::read_dir(folder.path())
            .expect("the folder")
            .map(|entry| entry.expect("an entry").file_name())
            .collect();
        names.sort();
        assert_eq!(names, ["data.csv", "new"]);
    }
}
