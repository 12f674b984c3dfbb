//! `propense sign`, and the check of a signature.

use std::path::Path;

use anyhow::{Context, anyhow, bail};
use ed25519_dalek::pkcs8::{DecodePrivateKey, DecodePublicKey};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use propense_model::Bundle;
use serde_json::json;

use super::Outcome;
use crate::args::SignArgs;
use crate::output::{Output, Table, write_file};

pub(crate) fn run(args: &SignArgs) -> Outcome {
    let place = || args.key.display().to_string();
    let pem = std::fs::read_to_string(&args.key).with_context(place)?;
    let key = SigningKey::from_pkcs8_pem(&pem).map_err(|error| {
        anyhow!(
            "{}: no Ed25519 private key in PKCS#8, PEM ({error}). Make one with `openssl genpkey \
             -algorithm ed25519`",
            place()
        )
    })?;
    let bytes = std::fs::read(&args.file).with_context(|| args.file.display().to_string())?;
    let signed = Bundle::sign(&bytes, |message| key.sign(message).to_bytes())
        .with_context(|| args.file.display().to_string())?;
    let version = Bundle::from_bytes(&signed)
        .context("the signed bundle")?
        .manifest
        .version();
    let out = args.out.as_ref().unwrap_or(&args.file);
    write_file(out, &signed)?;

    let public = base64(key.verifying_key().as_bytes());
    let mut table = Table::new();
    table.block(format!("signed {}", out.display()));
    table.row(["bundle", &version]);
    table.row(["public key", &public]);
    let value = json!({ "file": out, "version": version, "public_key": public });
    Output::new(&args.json).finish(&table, &value)?;
    Ok(())
}

/// Checks that this bundle was signed with the private half of the key in the file `public`.
pub(crate) fn check(bytes: &[u8], public: &Path) -> anyhow::Result<()> {
    let place = || public.display().to_string();
    let text = std::fs::read_to_string(public).with_context(place)?;
    let key = VerifyingKey::from_public_key_pem(&text).map_err(|error| {
        anyhow!(
            "{}: no Ed25519 public key in PEM ({error}). Write it with `openssl pkey -in KEY -pubout`",
            place()
        )
    })?;
    let Some(signed) = Bundle::signature(bytes)? else {
        bail!("the bundle is not signed. Sign it with `propense sign`");
    };
    key.verify_strict(&signed.message, &Signature::from_bytes(&signed.signature))
        .map_err(|_| {
            anyhow!(
                "the bundle's signature is not of the key in {}. Use a bundle from whom you trust",
                place()
            )
        })
}

/// Base64, as a page's `publicKey` has it.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let number = (0..3).fold(0, |number, at| {
            number << 8 | usize::from(group.get(at).copied().unwrap_or(0))
        });
        for digit in 0..4 {
            let value = number >> (18 - 6 * digit) & 63;
            let known = digit <= group.len();
            text.push(if known {
                char::from(DIGITS[value])
            } else {
                '='
            });
        }
    }
    text
}
