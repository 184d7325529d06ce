//! The buffers between ureq and a channel. Those of ureq take 256 KiB for as long as the connection exists.

use ureq::unversioned::transport::Buffers;

use super::call;

/// The size of an input that has grown, in bytes. It holds the largest head and what was read with it.
const MAX_INPUT: usize = 2 * super::MAX_HEAD;

/// Buffers that grow when a request needs more, and shrink when it is over.
#[derive(Debug)]
pub(super) struct GrowingBuffers {
    /// The sizes between requests, in bytes.
    input_size: usize,
    output_size: usize,
    input: Vec<u8>,
    /// The part of the input that was received and not yet consumed.
    consumed: usize,
    filled: usize,
    output: Vec<u8>,
    /// True if ureq consumed something the last time. Otherwise it needs more input to continue.
    has_progressed: bool,
}

impl GrowingBuffers {
    /// Creates buffers that allocate nothing until they are used.
    pub fn new(input_size: usize, output_size: usize) -> Self {
        Self {
            input_size,
            output_size,
            input: Vec::new(),
            consumed: 0,
            filled: 0,
            output: Vec::new(),
            has_progressed: false,
        }
    }

    /// Returns what the last call of [`Buffers::output`] wrote.
    pub fn written(&self, amount: usize) -> &[u8] {
        &self.output[..amount]
    }

    /// Gives the memory back that only the last request needed.
    pub fn rest(&mut self) {
        shrink(&mut self.input, self.input_size);
        shrink(&mut self.output, self.output_size);
        (self.consumed, self.filled, self.has_progressed) = (0, 0, false);
    }

    fn move_input_to_the_start(&mut self) {
        if self.consumed > 0 {
            self.input.copy_within(self.consumed..self.filled, 0);
            self.filled -= self.consumed;
            self.consumed = 0;
        }
    }
}

fn shrink(buffer: &mut Vec<u8>, size: usize) {
    if buffer.len() > size {
        *buffer = Vec::new();
    }
}

fn grow(buffer: &mut Vec<u8>, size: usize) {
    if buffer.len() < size {
        buffer.resize(size, 0);
    }
}

impl Buffers for GrowingBuffers {
    fn output(&mut self) -> &mut [u8] {
        grow(&mut self.output, self.output_size.max(call::output_size()));
        &mut self.output
    }

    fn input(&self) -> &[u8] {
        &self.input[self.consumed..self.filled]
    }

    fn input_append_buf(&mut self) -> &mut [u8] {
        self.move_input_to_the_start();
        // A full buffer means that more data was there than fitted.
        let doubled = if self.filled == self.input.len() { (2 * self.filled).min(MAX_INPUT) } else { 0 };
        grow(&mut self.input, self.input_size.max(doubled));
        &mut self.input[self.filled..]
    }

    fn input_appended(&mut self, amount: usize) {
        self.filled += amount;
    }

    fn input_consume(&mut self, amount: usize) {
        self.has_progressed = amount > 0;
        self.consumed += amount;
    }

    /// ureq reads a body into the first part only if it must encode it in chunks, which never happens here.
    fn tmp_and_output(&mut self) -> (&mut [u8], &mut [u8]) {
        grow(&mut self.input, self.input_size);
        grow(&mut self.output, self.output_size.max(call::output_size()));
        (&mut self.input[self.filled..], &mut self.output)
    }

    fn can_use_input(&self) -> bool {
        self.has_progressed && self.consumed < self.filled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn append(buffers: &mut GrowingBuffers, data: &[u8]) {
        buffers.input_append_buf()[..data.len()].copy_from_slice(data);
        buffers.input_appended(data.len());
    }

    #[test]
    fn it_keeps_the_input_that_was_not_consumed() {
        let mut buffers = GrowingBuffers::new(4, 2);
        append(&mut buffers, b"abcd");
        assert_eq!(buffers.input(), b"abcd");
        assert!(!buffers.can_use_input(), "nothing was consumed yet");
        buffers.input_consume(1);
        assert!(buffers.can_use_input());
        buffers.input_consume(1);
        assert_eq!(buffers.input(), b"cd");
        append(&mut buffers, b"e");
        append(&mut buffers, b"f");
        assert_eq!(buffers.input(), b"cdef");
        buffers.input_consume(0);
        assert!(!buffers.can_use_input(), "more input is needed");
        buffers.input_consume(4);
        assert!(!buffers.can_use_input(), "nothing is left");
    }

    #[test]
    fn it_grows_for_a_request_and_shrinks_afterwards() {
        let mut buffers = GrowingBuffers::new(4, 2);
        append(&mut buffers, b"abcd");
        assert_eq!(buffers.input_append_buf().len(), 4, "twice as much, of which half is used");
        append(&mut buffers, b"efgh");
        assert_eq!(buffers.input(), b"abcdefgh");
        buffers.input_consume(3);
        buffers.rest();
        assert_eq!((buffers.input(), buffers.can_use_input()), (&b""[..], false));
        assert_eq!(buffers.input_append_buf().len(), 4);
        append(&mut buffers, &b"abcd"[..2]);
        buffers.rest();
        assert_eq!(buffers.input(), b"");
    }
}
