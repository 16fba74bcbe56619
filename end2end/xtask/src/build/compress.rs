//! Brotli, Zstandard and gzip, as files at rest and as answers made on the fly.

use std::io::{Cursor, Write};

use anyhow::Result;
use brotli::enc::BrotliEncoderParams;
use flate2::Compression;
use flate2::write::GzEncoder;

/// The quality of files that are compressed once.
pub const BEST: i32 = 11;
/// The quality at which the server compresses a first view while a visitor waits.
pub const ON_THE_FLY: i32 = 7;

pub fn brotli(bytes: &[u8], quality: i32) -> Result<Vec<u8>> {
    let parameters = BrotliEncoderParams { quality, lgwin: 22, size_hint: bytes.len(), ..Default::default() };
    let mut compressed = Vec::new();
    brotli::BrotliCompress(&mut Cursor::new(bytes), &mut compressed, &parameters)?;
    Ok(compressed)
}

pub fn zstd(bytes: &[u8]) -> Result<Vec<u8>> {
    Ok(zstd::encode_all(bytes, *zstd::compression_level_range().end())?)
}

pub fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn what_is_compressed_comes_back_whole_and_is_smaller() {
        let text = "slots and ".repeat(500).into_bytes();
        let mut back = Vec::new();
        let compressed = brotli(&text, BEST).unwrap();
        brotli::BrotliDecompress(&mut Cursor::new(&compressed), &mut back).unwrap();
        assert_eq!(back, text);
        assert!(compressed.len() < text.len() / 10);
        assert_eq!(zstd::decode_all(super::zstd(&text).unwrap().as_slice()).unwrap(), text);
        let (mut back, compressed) = (Vec::new(), gzip(&text).unwrap());
        flate2::read::GzDecoder::new(compressed.as_slice()).read_to_end(&mut back).unwrap();
        assert_eq!(back, text);
    }
}
