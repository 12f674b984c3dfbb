//! Who vouches for a bundle.

use std::path::{Path, PathBuf};

use propense_model::Bundle;

use super::{propense, words};

/// Keys of these tests alone.
const KEY: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJKKIWPN7gv4xqVjg3CKBC2CEuVLVriWRUejbUcP2c5J
-----END PRIVATE KEY-----
";
const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAAjIbhnJAW8sm1qoPf8XLnwkEieD/ckXfJDOkb+c4p4I=
-----END PUBLIC KEY-----
";
const OTHER_KEY: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIPMIFS+mKhmwnDtSTar4qtQO/jRNqNNlpN+sU1Wj0HLx
-----END PRIVATE KEY-----
";

fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/giftshop.propense")
}

#[test]
fn a_signed_bundle_is_told_from_others() {
    let folder = tempfile::tempdir().expect("scratch folder");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("file");
        path
    };
    let (key, public) = (file("shop.key", KEY), file("shop.pub", PUBLIC));
    let other = file("other.key", OTHER_KEY);
    let bundle = folder.path().join("m.propense");
    let sign = |from: &Path, key: &Path| {
        let told = propense(words(
            "sign {} --key {} --out {} --json -",
            &[from, key, &bundle],
        ));
        told.code(0).stdout
    };
    let check = || propense(words("inspect {} --public-key {}", &[&bundle, &public]));

    let told = sign(&shipped(), &key);
    assert!(
        told.contains("AjIbhnJAW8sm1qoPf8XLnwkEieD/ckXfJDOkb+c4p4I="),
        "{told}"
    );
    check().code(0);
    let before = Bundle::from_bytes(&std::fs::read(shipped()).expect("shipped")).expect("sound");
    let once = std::fs::read(&bundle).expect("signed");
    let after = Bundle::from_bytes(&once).expect("sound");
    assert_eq!(after.weights, before.weights);
    assert_eq!(before.manifest.signature, None);
    // Ed25519 draws nothing: signing what is signed gives the same bytes.
    sign(&bundle.clone(), &key);
    assert_eq!(std::fs::read(&bundle).expect("signed"), once);
    // The same content, written anew, is not signed.
    let rewritten = after
        .to_bytes(propense_model::Precision::Int5)
        .expect("sound");
    assert_eq!(Bundle::signature(&rewritten), Ok(None));

    sign(&shipped(), &other);
    check().code(1).says("signature is not of the key");
    std::fs::copy(shipped(), &bundle).expect("copy");
    check().code(1).says("is not signed");

    let strange = propense(words("sign {} --key {}", &[&bundle, &public]));
    strange.code(1).says("no Ed25519 private key");
    let strange = propense(words("inspect {} --public-key {}", &[&bundle, &key]));
    strange.code(1).says("no Ed25519 public key");
    propense(words("sign {} --key {}", &[&key, &key]))
        .code(1)
        .says("not a Propense bundle");
}
