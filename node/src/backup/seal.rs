//! A sealed backup: the bytes of a plain one, encrypted with a passphrase in chunks.
//!
//! ```text
//!   concordat sealed backup 1                 ┐
//!   argon2id 65536 3 4                        │ three lines; their bytes are bound to every chunk
//!   <salt: 32 hex> <prefix: 38 hex>           ┘
//!   chunk 0 │ chunk 1 │ … │ last chunk        64 KiB and a tag of 16 each; the last is shorter, or empty
//!
//!   passphrase ──Argon2id, salt──▶ key        nonce of a chunk = prefix 19 │ number u32 │ 1 if it is the last
//! ```
//!
//! XChaCha20-Poly1305 in the STREAM construction: a chunk that was altered, moved, left out or taken from another
//! file does not open, and a file that was cut off has no last chunk.
//!
//! *Bounds.* One chunk is held. What the lines ask of memory and time is checked before either is taken.
//!
//! *Invariants.* Nothing of a chunk is given out before it has opened. The key is wiped and never printed.
//!
//! *Source*: ours; STREAM of Hoang, Reyhanitabar, Rogaway and Vizár (2015), Argon2id as in RFC 9106.

use std::{
    fmt,
    io::{self, BufRead, Read, Write},
};

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{BackupError, Broken};
use crate::{
    clock,
    keys::{Cost, Passphrase},
};

const TITLE: &str = "concordat sealed backup 1";
const CHUNK_BYTES: usize = 64 * 1024;
const TAG_BYTES: usize = 16;
const PREFIX_BYTES: usize = 19;
/// Of the three lines.
const HEAD_BYTES_MAX: u64 = 256;

/// A key that was made of a passphrase; wiped when dropped, never shown.
#[derive(Clone, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct SealKey(Zeroizing<String>);

impl From<String> for SealKey {
    fn from(hex: String) -> Self {
        Self(Zeroizing::new(hex))
    }
}

/// For the control socket, which only the owner of the keys can open.
impl From<SealKey> for String {
    fn from(key: SealKey) -> Self {
        (*key.0).clone()
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SealKey(secret)")
    }
}

/// How a backup is encrypted.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Seal {
    /// The three lines.
    head: String,
    key: SealKey,
}

impl Seal {
    /// A fresh one for this passphrase.
    ///
    /// # Errors
    /// - [`BackupError::Cipher`], [`BackupError::Keys`]: the machine failed.
    pub fn new(passphrase: &Passphrase) -> Result<Self, BackupError> {
        let salt = clock::nonce().map_err(|_| BackupError::Cipher)?;
        let entropy = clock::entropy().map_err(|_| BackupError::Cipher)?;
        let (prefix, _) = entropy.split_at(PREFIX_BYTES);
        let cost = Cost::RECOMMENDED;
        let hex = |bytes: &[u8]| HEXLOWER.encode(bytes);
        let head = format!("{TITLE}\n{}\n{} {}\n", cost.to_line(), hex(&salt), hex(prefix));
        Ok(Self { head, key: key_of(passphrase, cost, &salt)? })
    }

    /// Reads the three lines; `None`: the file is not sealed, and `from` stands where it stood.
    pub(super) fn head_of(from: &mut impl BufRead) -> io::Result<Option<String>> {
        if !from.fill_buf()?.starts_with(TITLE.as_bytes()) {
            return Ok(None);
        }
        let mut head = String::new();
        for _ in 0..3 {
            from.take(HEAD_BYTES_MAX).read_line(&mut head)?;
        }
        Ok(Some(head))
    }

    /// The seal of these lines, opened with a passphrase; `None`: they are something else.
    pub(super) fn open(head: String, passphrase: &Passphrase) -> Result<Option<Self>, BackupError> {
        let Some((cost, salt)) = read_head(&head) else { return Ok(None) };
        Ok(Some(Self { key: key_of(passphrase, cost, &salt)?, head }))
    }

    pub(super) fn head(&self) -> &str {
        &self.head
    }

    fn stream(&self) -> Option<Stream> {
        let key: [u8; 32] = HEXLOWER.decode(self.key.0.as_bytes()).ok()?.try_into().ok()?;
        let key = Zeroizing::new(key);
        let prefix = self.head.trim_end().rsplit(' ').next()?;
        let prefix = HEXLOWER.decode(prefix.as_bytes()).ok()?.try_into().ok()?;
        let cipher = XChaCha20Poly1305::new((&*key).into());
        Some(Stream { cipher, prefix, number: 0, head: self.head.clone() })
    }
}

fn read_head(head: &str) -> Option<(Cost, [u8; 16])> {
    let mut lines = head.strip_prefix(TITLE)?.strip_prefix('\n')?.lines();
    let cost = Cost::of_line(lines.next()?)?;
    let (salt, prefix) = lines.next()?.split_once(' ')?;
    let hex = |text: &str| HEXLOWER.decode(text.as_bytes()).ok();
    let is_prefix = hex(prefix)?.len() == PREFIX_BYTES;
    let salt = hex(salt)?.try_into().ok()?;
    (is_prefix && head.ends_with('\n')).then_some((cost, salt))
}

fn key_of(passphrase: &Passphrase, cost: Cost, salt: &[u8; 16]) -> Result<SealKey, BackupError> {
    let key = cost.key(passphrase, salt)?;
    Ok(SealKey(Zeroizing::new(HEXLOWER.encode(&*key))))
}

/// Seals or opens one chunk after the other.
struct Stream {
    cipher: XChaCha20Poly1305,
    prefix: [u8; PREFIX_BYTES],
    number: u32,
    head: String,
}

impl Stream {
    fn nonce(&mut self, is_last: bool) -> io::Result<XNonce> {
        let mut nonce = [0; 24];
        let parts =
            self.prefix.into_iter().chain(self.number.to_be_bytes()).chain([u8::from(is_last)]);
        nonce.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
        // After 256 TiB.
        self.number = self.number.checked_add(1).ok_or(Broken::Seal)?;
        Ok(nonce.into())
    }

    fn seal(&mut self, chunk: &[u8], is_last: bool) -> io::Result<Vec<u8>> {
        let nonce = self.nonce(is_last)?;
        let payload = Payload { msg: chunk, aad: self.head.as_bytes() };
        self.cipher.encrypt(&nonce, payload).map_err(|_| Broken::Seal.into())
    }

    fn open(&mut self, chunk: &[u8], is_last: bool) -> io::Result<Vec<u8>> {
        let nonce = self.nonce(is_last)?;
        let payload = Payload { msg: chunk, aad: self.head.as_bytes() };
        self.cipher.decrypt(&nonce, payload).map_err(|_| Broken::Seal.into())
    }
}

/// Seals what is written to it.
pub(super) struct Sealing<W> {
    to: W,
    stream: Stream,
    chunk: Vec<u8>,
}

impl<W: Write> Sealing<W> {
    pub(super) fn new(seal: &Seal, mut to: W) -> io::Result<Self> {
        to.write_all(seal.head.as_bytes())?;
        let stream = seal.stream().ok_or(Broken::Seal)?;
        Ok(Self { to, stream, chunk: Vec::with_capacity(CHUNK_BYTES) })
    }

    /// Writes the last chunk.
    pub(super) fn finish(mut self) -> io::Result<W> {
        let sealed = self.stream.seal(&self.chunk, true)?;
        self.to.write_all(&sealed)?;
        Ok(self.to)
    }
}

impl<W: Write> Write for Sealing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let free = CHUNK_BYTES.saturating_sub(self.chunk.len());
        let taken = bytes.get(..free.min(bytes.len())).unwrap_or_default();
        self.chunk.extend_from_slice(taken);
        if self.chunk.len() == CHUNK_BYTES {
            let sealed = self.stream.seal(&self.chunk, false)?;
            self.to.write_all(&sealed)?;
            self.chunk.clear();
        }
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Opens what is read from it, which stands behind the three lines.
pub(super) struct Opening<R> {
    from: R,
    stream: Stream,
    chunk: Vec<u8>,
    at: usize,
    is_over: bool,
}

impl<R: BufRead> Opening<R> {
    pub(super) fn new(seal: &Seal, from: R) -> io::Result<Self> {
        let stream = seal.stream().ok_or(Broken::Seal)?;
        Ok(Self { from, stream, chunk: Vec::new(), at: 0, is_over: false })
    }

    fn next_chunk(&mut self) -> io::Result<()> {
        let mut sealed = Vec::with_capacity(CHUNK_BYTES + TAG_BYTES);
        (&mut self.from).take((CHUNK_BYTES + TAG_BYTES) as u64).read_to_end(&mut sealed)?;
        let is_last = self.from.fill_buf()?.is_empty();
        if sealed.len() < TAG_BYTES {
            return Err(Broken::End.into());
        }
        let number = self.stream.number;
        self.chunk = match self.stream.open(&sealed, is_last) {
            Ok(chunk) => chunk,
            Err(error) if is_last => {
                // The last one that is there may be whole, and not the last one that was written.
                self.stream.number = number;
                return Err(if self.stream.open(&sealed, false).is_ok() {
                    Broken::End.into()
                } else {
                    error
                });
            }
            Err(error) => return Err(error),
        };
        (self.at, self.is_over) = (0, is_last);
        Ok(())
    }
}

impl<R: BufRead> Read for Opening<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while self.at == self.chunk.len() {
            if self.is_over {
                return Ok(0);
            }
            self.next_chunk()?;
        }
        let mut left = self.chunk.get(self.at..).unwrap_or_default();
        let read = left.read(to)?;
        self.at += read;
        Ok(read)
    }
}
