//! Frames on a substream.
//!
//! ```text
//!   offset  size  field
//!   0       4     length of the rest, u32 big-endian, 1 ..= frame_bytes_max
//!   4       n     the frame
//!
//!   00 00 00 03 | 61 62 63        the frame "abc"
//! ```
//!
//! *Invariants.* The length is checked before memory is taken, and memory grows with what has
//! really come in. A stream that ends between two frames ended well; within one it did not.
//!
//! *Source*: ours.

use std::io;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Bytes of a frame's length on the wire.
pub(super) const LENGTH_BYTES: usize = 4;
/// What is taken on the word of a peer, before the frame's bytes have come.
const FIRST_BYTES: u32 = 16 * 1024;

/// Why no frame could be read.
#[derive(Debug)]
pub(super) enum FrameError {
    /// Empty, or longer than allowed.
    BadLength(u32),
    /// The stream failed, or ended within a frame.
    Io(io::ErrorKind),
}

impl From<io::Error> for FrameError {
    fn from(error: io::Error) -> Self {
        Self::Io(error.kind())
    }
}

/// Reads one frame; `None` if the stream ended before it began.
pub(super) async fn read(
    stream: &mut (impl AsyncRead + Unpin),
    bytes_max: u32,
) -> Result<Option<Vec<u8>>, FrameError> {
    let Some(length) = read_length(stream).await? else {
        return Ok(None);
    };
    if length == 0 || length > bytes_max {
        return Err(FrameError::BadLength(length));
    }
    let mut frame = Vec::with_capacity(usize::try_from(length.min(FIRST_BYTES)).unwrap_or(0));
    let got = stream.take(u64::from(length)).read_to_end(&mut frame).await?;
    if got as u64 != u64::from(length) {
        return Err(FrameError::Io(io::ErrorKind::UnexpectedEof));
    }
    Ok(Some(frame))
}

async fn read_length(stream: &mut (impl AsyncRead + Unpin)) -> Result<Option<u32>, FrameError> {
    let mut first = [0; 1];
    if stream.read(&mut first).await? == 0 {
        return Ok(None);
    }
    let mut rest = [0; LENGTH_BYTES - 1];
    stream.read_exact(&mut rest).await?;
    let ([a], [b, c, d]) = (first, rest);
    Ok(Some(u32::from_be_bytes([a, b, c, d])))
}

/// Writes one frame, without flushing.
pub(super) async fn write(
    stream: &mut (impl AsyncWrite + Unpin),
    frame: &[u8],
) -> Result<(), io::Error> {
    let length = u32::try_from(frame.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    stream.write_all(&length.to_be_bytes()).await?;
    stream.write_all(frame).await
}

#[cfg(test)]
mod tests {
    use futures::{executor::block_on, io::Cursor};

    use super::*;

    /// What reading gives until the stream ends or fails.
    fn read_all(bytes: &[u8], bytes_max: u32) -> Vec<String> {
        let mut stream = Cursor::new(bytes);
        let mut told = Vec::new();
        loop {
            match block_on(read(&mut stream, bytes_max)) {
                Ok(Some(frame)) => told.push(String::from_utf8(frame).unwrap()),
                Ok(None) => return told,
                Err(error) => {
                    told.push(format!("{error:?}"));
                    return told;
                }
            }
        }
    }

    #[test]
    fn frames_are_read_as_they_were_written() {
        let mut stream = Cursor::new(Vec::new());
        for frame in ["abc", "d", "efgh"] {
            block_on(write(&mut stream, frame.as_bytes())).unwrap();
        }
        let bytes = stream.into_inner();

        assert_eq!(&bytes[..7], [0, 0, 0, 3, b'a', b'b', b'c']);
        assert_eq!(read_all(&bytes, 4), ["abc", "d", "efgh"]);
    }

    #[test]
    fn a_length_of_nothing_or_too_much_is_refused() {
        assert_eq!(read_all(&[0, 0, 0, 0], 4), ["BadLength(0)"]);
        assert_eq!(read_all(&[0, 0, 0, 5, 1, 2, 3, 4, 5], 4), ["BadLength(5)"]);
        assert_eq!(read_all(&[0xff; 8], u32::MAX - 1), ["BadLength(4294967295)"]);
    }

    #[test]
    fn a_stream_that_ends_within_a_frame_failed() {
        assert_eq!(read_all(&[], 4), [""; 0]);
        assert_eq!(read_all(&[0, 0], 4), ["Io(UnexpectedEof)"]);
        assert_eq!(read_all(&[0, 0, 0, 2, b'a'], 4), ["Io(UnexpectedEof)"]);
    }

    #[test]
    fn a_long_frame_comes_back_whole() {
        let frame: Vec<u8> = (0..=250).cycle().take(512 * 1024).collect();
        let mut stream = Cursor::new(Vec::new());
        block_on(write(&mut stream, &frame)).unwrap();
        stream.set_position(0);

        let read = block_on(read(&mut stream, 512 * 1024)).unwrap();

        assert!(read == Some(frame));
    }
}
