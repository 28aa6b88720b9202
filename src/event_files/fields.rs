//! Reading a message of protocol buffers, field by field.

/// The value of a field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Field<'a> {
    /// An integer, a truth value or the number of a variant.
    Number(u64),
    /// Eight bytes, as a float.
    Double(f64),
    /// Four bytes, as a float.
    Float(f32),
    /// Text, a message, or packed numbers.
    Bytes(&'a [u8]),
}

/// A message that is not in the encoding of protocol buffers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// The fields of a message, in their order, each with its number.
#[derive(Clone, Debug)]
pub(crate) struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    /// Reads a message.
    pub(crate) const fn of(message: &'a [u8]) -> Self {
        Self(message)
    }

    /// Returns the numbers of a packed field of integers.
    ///
    /// # Errors
    /// The bytes are not such a field.
    pub(crate) fn packed(bytes: &'a [u8]) -> Result<Vec<u64>, Malformed> {
        let mut rest = Self(bytes);
        let mut numbers = Vec::new();
        while !rest.0.is_empty() {
            numbers.push(rest.varint()?);
        }
        Ok(numbers)
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        self.take(N)?.try_into().map_err(|_| Malformed)
    }

    fn varint(&mut self) -> Result<u64, Malformed> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let [byte] = self.array()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Malformed)
    }

    fn field(&mut self) -> Result<(u64, Field<'a>), Malformed> {
        let key = self.varint()?;
        let value = match key & 7 {
            0 => Field::Number(self.varint()?),
            1 => Field::Double(f64::from_le_bytes(self.array()?)),
            2 => {
                let length = usize::try_from(self.varint()?).map_err(|_| Malformed)?;
                Field::Bytes(self.take(length)?)
            }
            5 => Field::Float(f32::from_le_bytes(self.array()?)),
            _ => return Err(Malformed),
        };
        Ok((key >> 3, value))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Field<'a>), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Message;
    use super::*;

    #[test]
    fn numbers_of_every_length_are_read_back() {
        for number in [0, 1, 127, 128, 300, 1 << 35, u64::MAX] {
            let message = Message::default().varint(15, number).varint(16, number);
            let read: Vec<_> = Fields::of(message.as_bytes()).collect();
            assert_eq!(read, [Ok((15, Field::Number(number))), Ok((16, Field::Number(number)))]);
        }
    }

    #[test]
    fn a_message_that_is_cut_or_has_an_unknown_encoding_is_malformed_and_ends() {
        let message = Message::default().double(1, 0.5).text(2, "text").float(3, 2.0);
        let whole = message.as_bytes();
        assert!(Fields::of(whole).all(|field| field.is_ok()));
        for length in (1..whole.len()).filter(|length| ![9, 15].contains(length)) {
            let cut: Vec<_> = Fields::of(&whole[..length]).collect();
            assert_eq!(cut.last(), Some(&Err(Malformed)), "{length}");
        }
        assert_eq!(Fields::of(&[0x0b]).next(), Some(Err(Malformed)));
        // A length that no file has, and a number without an end.
        assert_eq!(
            Fields::of(&[0x0a, 0xff, 0xff, 0xff, 0xff, 0x7f]).next(),
            Some(Err(Malformed))
        );
        assert_eq!(Fields::of(&[0xff; 12]).next(), Some(Err(Malformed)));
    }

    #[test]
    fn packed_numbers_are_read_one_by_one() {
        assert_eq!(Fields::packed(&[1, 0xac, 0x02]), Ok(vec![1, 300]));
        assert_eq!(Fields::packed(&[0xac]), Err(Malformed));
    }
}
