//! Images for messages and cards: which are taken, and the keys they get.

use serde_json::json;

use super::form::Form;
use super::{ApiRequest, Given, Platform, Stop};
use crate::record::{Record, Verdict};
use crate::refusal::Refusal;

const IMAGE_BYTES_MAX: usize = 10_000_000;
const SIDE_PIXELS_MAX: u32 = 12_000;
const GIF_SIDE_PIXELS_MAX: u32 = 2_000;

/// The formats the platform takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Gif,
    Png,
    /// JPEG, WEBP, TIFF, BMP, ICO: their size in pixels is not looked at here.
    Other,
}

impl Platform {
    pub(super) fn upload(&mut self, request: &ApiRequest, record: &mut Record) -> Result<Given, Stop> {
        let form = Form::read(request)?;
        if !matches!(form.text("image_type"), Some("message" | "avatar")) {
            return Err(Refusal::new(234_001, "Invalid request param: image_type.").into());
        }
        let Some(image) = form.file("image") else {
            return Err(Refusal::new(234_001, "Invalid request param: image.").into());
        };
        check(image)?;
        self.images += 1;
        let key = format!("img_v3_sim{:08}", self.images);
        self.app(&record.token).map_err(|_| Refusal::bad_request("unknown app"))?.images.insert(key.clone());
        record.verdict = Verdict::Answered;
        Ok(Given::data(&json!({ "image_key": key }), false))
    }
}

fn check(image: &[u8]) -> Result<(), Refusal> {
    if image.is_empty() {
        return Err(Refusal::new(234_010, "File's size can't be 0."));
    }
    if image.len() > IMAGE_BYTES_MAX {
        return Err(Refusal::new(234_006, "The file size exceed the max value."));
    }
    let Some(format) = format(image) else {
        return Err(Refusal::new(234_011, "Can't recognize the image format."));
    };
    let side_max = if format == Format::Gif { GIF_SIDE_PIXELS_MAX } else { SIDE_PIXELS_MAX };
    if sides(image, format).iter().any(|side| *side > side_max) {
        return Err(Refusal::new(234_039, "The image resolution exceeds the limit."));
    }
    Ok(())
}

fn format(image: &[u8]) -> Option<Format> {
    let begins = |magic: &[u8]| image.starts_with(magic);
    if begins(b"GIF87a") || begins(b"GIF89a") {
        return Some(Format::Gif);
    }
    // A signature alone is no picture.
    if begins(b"\x89PNG\r\n\x1a\n") {
        return (image.get(12..16) == Some(b"IHDR")).then_some(Format::Png);
    }
    let is_other = begins(b"\xff\xd8\xff")
        || (begins(b"RIFF") && image.get(8..12) == Some(b"WEBP"))
        || begins(b"II*\0")
        || begins(b"MM\0*")
        || begins(b"BM")
        || begins(b"\0\0\x01\0");
    is_other.then_some(Format::Other)
}

fn sides(image: &[u8], format: Format) -> [u32; 2] {
    let wide = |at: usize| {
        let bytes = image.get(at..at + 4).and_then(|bytes| <[u8; 4]>::try_from(bytes).ok());
        bytes.map_or(0, u32::from_be_bytes)
    };
    let narrow = |at: usize| {
        let bytes = image.get(at..at + 2).and_then(|bytes| <[u8; 2]>::try_from(bytes).ok());
        bytes.map_or(0, |bytes| u16::from_le_bytes(bytes).into())
    };
    match format {
        Format::Png => [wide(16), wide(20)],
        Format::Gif => [narrow(6), narrow(8)],
        Format::Other => [0, 0],
    }
}
