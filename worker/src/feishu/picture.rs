//! What of pictures Feishu takes for cards (reference "Feishu", 4.9). Pure.

use bytes::Bytes;

/// How large a picture may be, in bytes.
pub(crate) const PICTURE_BYTES_MAX: usize = 10_000_000;
/// How long one of its sides may be, in pixels.
const SIDE_PIXELS_MAX: u32 = 12_000;
/// The same of a GIF.
const GIF_SIDE_PIXELS_MAX: u32 = 2_000;

/// The formats of Feishu's that senders of alerts make pictures in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PictureFormat {
    Png,
    Jpeg,
    Gif,
    Webp,
}

impl PictureFormat {
    /// As a media type and the end of a file's name have it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpeg",
            Self::Gif => "gif",
            Self::Webp => "webp",
        }
    }

    /// By how it begins, whatever anybody says of it.
    fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Self::Png),
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Self::Gif),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Self::Webp),
            _ => None,
        }
    }
}

/// A picture that Feishu takes, as far as can be seen from here.
#[derive(Clone, Debug)]
pub(crate) struct Picture {
    pub(crate) format: PictureFormat,
    pub(crate) bytes: Bytes,
}

/// Why it takes none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoPicture {
    /// More bytes than it takes.
    TooLarge,
    /// More pixels than it takes.
    TooWide,
    /// Nothing, a page, or a picture in another format.
    OtherFormat,
}

impl Picture {
    /// Looks at what was fetched. Where the size in pixels is not at the beginning Feishu looks at it.
    pub(crate) fn of(bytes: Vec<u8>) -> Result<Self, NoPicture> {
        if bytes.len() > PICTURE_BYTES_MAX {
            return Err(NoPicture::TooLarge);
        }
        let format = PictureFormat::of(&bytes).ok_or(NoPicture::OtherFormat)?;
        let (sides, side_max) = match format {
            PictureFormat::Png => (png_sides(&bytes), SIDE_PIXELS_MAX),
            PictureFormat::Gif => (gif_sides(&bytes), GIF_SIDE_PIXELS_MAX),
            PictureFormat::Jpeg | PictureFormat::Webp => (None, SIDE_PIXELS_MAX),
        };
        if sides.is_some_and(|sides| sides.iter().any(|side| *side > side_max)) {
            return Err(NoPicture::TooWide);
        }
        Ok(Self { format, bytes: bytes.into() })
    }
}

/// Width and height, which the first chunk has (PNG, 11.2.2).
fn png_sides(bytes: &[u8]) -> Option<[u32; 2]> {
    let side = |at: usize| bytes.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes);
    Some([side(16)?, side(20)?])
}

/// Width and height of the screen (`GIF89a`, 18).
fn gif_sides(bytes: &[u8]) -> Option<[u32; 2]> {
    let side = |at: usize| bytes.get(at..at + 2)?.try_into().ok().map(u16::from_le_bytes).map(u32::from);
    Some([side(6)?, side(8)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let sides = [width.to_be_bytes(), height.to_be_bytes()].concat();
        [&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..], &sides, b"\x08\x06\0\0\0"].concat()
    }

    fn gif(width: u16) -> Vec<u8> {
        [&b"GIF89a"[..], &width.to_le_bytes(), &[1, 0]].concat()
    }

    #[test]
    fn a_picture_is_known_by_its_bytes_and_no_larger_than_feishu_takes() {
        let of = |bytes| Picture::of(bytes).map(|picture| picture.format);
        assert_eq!(of(png(1_000, 500)), Ok(PictureFormat::Png));
        assert_eq!(of(png(12_000, 12_001)), Err(NoPicture::TooWide));
        assert_eq!(of(gif(2_000)), Ok(PictureFormat::Gif));
        assert_eq!(of(gif(2_001)), Err(NoPicture::TooWide));
        assert_eq!(of(b"\xff\xd8\xff\xe0rest".to_vec()), Ok(PictureFormat::Jpeg));
        assert_eq!(of(b"RIFF\0\0\0\0WEBPVP8 ".to_vec()), Ok(PictureFormat::Webp));
        for odd in [&b""[..], b"<html>", b"\x89PNG", b"RIFF\0\0\0\0WAVE", b"<svg xmlns"] {
            assert_eq!(of(odd.to_vec()), Err(NoPicture::OtherFormat), "{odd:?}");
        }
        let mut large = png(1, 1);
        large.resize(PICTURE_BYTES_MAX, 0);
        assert_eq!(of(large.clone()), Ok(PictureFormat::Png));
        large.push(0);
        assert_eq!(of(large), Err(NoPicture::TooLarge));
    }
}
