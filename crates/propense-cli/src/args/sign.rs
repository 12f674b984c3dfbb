//! `sign`, and whose signature `inspect` asks for.

use std::path::PathBuf;

use clap::Args;

use super::JsonArgs;

/// Sign a bundle, so that a page can tell that it is the shop's own
#[derive(Debug, Args)]
#[command(after_help = "Example:
  openssl genpkey -algorithm ed25519 -out shop.key
  propense sign giftshop.propense --key shop.key
  propense inspect giftshop.propense --public-key shop.pub

The bundle is signed in place, or into --out; the weights stay as they are. The public key that is
printed goes into the page: delivery(url, { publicKey }). `openssl pkey -in shop.key -pubout` writes
it as a file. Keep the private key where bundles are made, not where they are served.")]
pub(crate) struct SignArgs {
    /// The bundle
    #[arg(value_name = "FILE.propense")]
    pub(crate) file: PathBuf,
    /// The private key: Ed25519 in PKCS#8, PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// Write the signed bundle here, and leave the given one as it is
    #[arg(long, value_name = "FILE.propense")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
}
