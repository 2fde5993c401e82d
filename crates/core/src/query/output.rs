//! Writing an answer into the caller's bytes.

use crate::error::{Error, Result};

/// The output buffer of a query, written field by field.
///
/// Structures grow from release to release, and the OS gives the buffer that its own version of
/// a structure needs. A field that does not fit is left out; a large structure never exists
/// anywhere but in the buffer.
pub(super) struct Output<'a> {
    bytes: &'a mut [u8],
}

impl<'a> Output<'a> {
    /// Clears a buffer of at least `minimum` bytes.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for a shorter one, which stays as it is.
    pub(super) fn cleared(bytes: &'a mut [u8], minimum: usize) -> Result<Self> {
        let output = Self::kept(bytes, minimum)?;
        output.bytes.fill(0);
        Ok(output)
    }

    /// A buffer of at least `minimum` bytes, whose other contents are the caller's.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for a shorter one.
    pub(super) fn kept(bytes: &'a mut [u8], minimum: usize) -> Result<Self> {
        if bytes.len() < minimum {
            return Err(Error::InvalidParameter);
        }
        Ok(Self { bytes })
    }

    fn put(&mut self, offset: usize, value: &[u8]) {
        let slot = offset
            .checked_add(value.len())
            .and_then(|end| self.bytes.get_mut(offset..end));
        if let Some(slot) = slot {
            slot.copy_from_slice(value);
        }
    }

    pub(super) fn u8(&mut self, offset: usize, value: u8) {
        self.put(offset, &[value]);
    }

    pub(super) fn u16(&mut self, offset: usize, value: u16) {
        self.put(offset, &value.to_le_bytes());
    }

    pub(super) fn u32(&mut self, offset: usize, value: u32) {
        self.put(offset, &value.to_le_bytes());
    }

    pub(super) fn i32(&mut self, offset: usize, value: i32) {
        self.put(offset, &value.to_le_bytes());
    }

    pub(super) fn u64(&mut self, offset: usize, value: u64) {
        self.put(offset, &value.to_le_bytes());
    }

    /// As many UTF-16 units of `text` as `units` has room for, with a terminator.
    pub(super) fn text(&mut self, offset: usize, text: &str, units: usize) {
        let places = (offset..).step_by(2).take(units.saturating_sub(1));
        for (place, unit) in places.zip(text.encode_utf16()) {
            self.u16(place, unit);
        }
    }

    /// As many bytes of an ASCII `text` as `room` has space for, with a terminator.
    pub(super) fn ascii(&mut self, offset: usize, text: &str, room: usize) {
        for (place, byte) in (offset..).take(room.saturating_sub(1)).zip(text.bytes()) {
            self.u8(place, byte);
        }
    }
}

/// The `u16` at an offset of an input.
///
/// # Errors
/// [`Error::InvalidParameter`] past the end.
pub(super) fn read_u16(bytes: &[u8], offset: usize) -> Result<u16> {
    read(bytes, offset).map(u16::from_le_bytes)
}

/// The `u32` at an offset of an input.
///
/// # Errors
/// [`Error::InvalidParameter`] past the end.
pub(super) fn read_u32(bytes: &[u8], offset: usize) -> Result<u32> {
    read(bytes, offset).map(u32::from_le_bytes)
}

/// The `u64` at an offset of an input.
///
/// # Errors
/// [`Error::InvalidParameter`] past the end.
pub(super) fn read_u64(bytes: &[u8], offset: usize) -> Result<u64> {
    read(bytes, offset).map(u64::from_le_bytes)
}

fn read<const N: usize>(bytes: &[u8], offset: usize) -> Result<[u8; N]> {
    bytes
        .get(offset..)
        .and_then(|rest| rest.first_chunk())
        .copied()
        .ok_or(Error::InvalidParameter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_beyond_the_end_are_left_out() {
        let mut bytes = [0xAA; 8];
        let mut output = Output::cleared(&mut bytes, 8).unwrap();
        output.u32(0, 0x0403_0201);
        output.u64(4, u64::MAX);
        output.u32(usize::MAX, 7);
        output.u16(6, 0x0807);
        output.u8(8, 9);
        assert_eq!(bytes, [1, 2, 3, 4, 0, 0, 7, 8]);
    }

    #[test]
    fn a_short_buffer_is_refused_untouched() {
        let mut bytes = [0xAA; 3];
        assert!(Output::cleared(&mut bytes, 4).is_err());
        assert_eq!(bytes, [0xAA; 3]);
    }

    #[test]
    fn text_leaves_room_for_its_terminator() {
        let mut bytes = [0xAA; 6];
        let mut output = Output::cleared(&mut bytes, 6).unwrap();
        output.text(0, "abcdef", 3);
        assert_eq!(bytes, [b'a', 0, b'b', 0, 0, 0]);
    }

    #[test]
    fn ascii_leaves_room_for_its_terminator() {
        for (room, expected) in [(0, *b"\0\0\0\0"), (1, *b"\0\0\0\0"), (3, *b"ab\0\0")] {
            let mut bytes = [0xAA; 4];
            let mut output = Output::cleared(&mut bytes, 4).unwrap();
            output.ascii(0, "abcdef", room);
            assert_eq!(bytes, expected, "{room}");
        }
    }

    #[test]
    fn inputs_are_read_inside_their_bounds() {
        let bytes = [1, 2, 3, 4, 5, 6, 7, 8];
        assert_eq!(read_u16(&bytes, 6), Ok(0x0807));
        assert_eq!(read_u64(&bytes, 0), Ok(0x0807_0605_0403_0201));
        for offset in [5, 8, 9, usize::MAX] {
            assert_eq!(read_u32(&bytes, offset), Err(Error::InvalidParameter));
        }
    }
}
