//! Files that are whole or not there: written beside their place, synchronised, then renamed.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use propense_model::Bundle;
use sha2::{Digest, Sha256};

use crate::ServeError;

/// The bundles' folder.
#[derive(Debug)]
pub(crate) struct Files {
    bundles: PathBuf,
    /// Held as long as the service runs; the system lets go of it however the process ends.
    _lock: File,
}

fn failed(path: &Path) -> impl FnOnce(std::io::Error) -> ServeError + '_ {
    move |source| ServeError::File {
        path: path.to_owned(),
        source,
    }
}

impl Files {
    /// Makes the folder where it is missing, and takes it for this process alone.
    pub(crate) fn open(dir: &Path) -> Result<Self, ServeError> {
        let bundles = dir.join("bundles");
        std::fs::create_dir_all(&bundles).map_err(failed(&bundles))?;
        let path = dir.join("lock");
        let mut options = OpenOptions::new();
        let lock = options.create(true).truncate(false).write(true).open(&path);
        let lock = lock.map_err(failed(&path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                bundles,
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => Err(ServeError::Taken(dir.to_owned())),
            Err(TryLockError::Error(error)) => Err(failed(&path)(error)),
        }
    }

    /// Where the bundle with this checksum lies. Only hexadecimal digits make a name, so that no
    /// request can point outside the folder.
    pub(crate) fn path(&self, sha256: &str) -> Option<PathBuf> {
        let digits = sha256.len() == 64
            && sha256
                .bytes()
                .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        digits.then(|| self.bundles.join(format!("{sha256}.propense")))
    }

    /// The bundle's bytes, where they are those that the name promises.
    pub(crate) fn read(&self, sha256: &str) -> Result<Vec<u8>, ServeError> {
        let unknown = || ServeError::UnknownBundle(sha256.to_owned());
        let path = self.path(sha256).ok_or_else(unknown)?;
        let bytes = std::fs::read(&path).map_err(failed(&path))?;
        if hex(&bytes) == sha256 {
            return Ok(bytes);
        }
        let damaged = std::io::Error::other("the file is not what was published; publish it again");
        Err(failed(&path)(damaged))
    }

    /// The bundle itself.
    pub(crate) fn bundle(&self, sha256: &str) -> Result<Bundle, ServeError> {
        Ok(Bundle::from_bytes(&self.read(sha256)?)?)
    }

    /// Keeps a bundle. When this returns, the file outlives a loss of power.
    pub(crate) fn keep(&self, sha256: &str, bytes: &[u8]) -> Result<(), ServeError> {
        let unknown = || ServeError::UnknownBundle(sha256.to_owned());
        let path = self.path(sha256).ok_or_else(unknown)?;
        if self.read(sha256).is_ok() {
            return Ok(());
        }
        let draft = path.with_extension("draft");
        let write = || -> std::io::Result<()> {
            let mut file = File::create(&draft)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            std::fs::rename(&draft, &path)?;
            // The name is part of the folder.
            File::open(&self.bundles)?.sync_all()
        };
        write().map_err(failed(&path))
    }
}

/// The SHA-256 in lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A checksum in hexadecimal as HTML's `integrity` writes it: `sha256-` and base64.
pub(crate) fn integrity(sha256: &str) -> String {
    let byte = |place: usize| {
        sha256
            .get(place..place + 2)
            .map(|two| u8::from_str_radix(two, 16))
    };
    let bytes: Vec<u8> = (0..sha256.len())
        .step_by(2)
        .filter_map(|place| byte(place)?.ok())
        .collect();
    format!("sha256-{}", STANDARD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integrity_is_what_html_writes() {
        // printf '' | openssl dgst -sha256 -binary | base64; the same of 'abc'.
        let check = |bytes: &[u8], expected: &str| assert_eq!(integrity(&hex(bytes)), expected);
        check(b"", "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
        check(
            b"abc",
            "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=",
        );
    }

    #[test]
    fn a_folder_is_taken_once_and_names_stay_inside() {
        let dir = tempfile::tempdir().expect("a folder");
        let files = Files::open(dir.path()).expect("free");
        assert!(matches!(Files::open(dir.path()), Err(ServeError::Taken(_))));
        for name in ["", "../../etc/passwd", &"A".repeat(64), &"a".repeat(63)] {
            assert_eq!(files.path(name), None, "{name}");
        }
        let sum = hex(b"bytes");
        files.keep(&sum, b"bytes").expect("kept");
        assert_eq!(files.read(&sum).expect("read"), b"bytes");
        std::fs::write(files.path(&sum).expect("a name"), b"other").expect("written");
        files.read(&sum).expect_err("damaged");
        files.keep(&sum, b"bytes").expect("mended");
        assert_eq!(files.read(&sum).expect("read"), b"bytes");
    }
}
