//! Finds the bytes of a JSON string that need attention, for many bytes at once.

/// The number of bytes that are examined together.
pub(crate) const STEP: usize = 32;

/// A bit for each byte that is a quote, a backslash, or a control character (which no JSON string
/// may have), and one bit behind them all, so that there is always a first.
#[cfg(target_arch = "x86_64")]
pub(crate) fn stops(step: &[u8; STEP]) -> u64 {
    use std::arch::x86_64 as sse2;

    #[target_feature(enable = "sse2")]
    fn stops(step: &[u8; STEP]) -> u64 {
        let half = |at: usize| {
            let bytes = step[at..].first_chunk().copied();
            i64::from_le_bytes(bytes.unwrap_or_default())
        };
        let quote = sse2::_mm_set1_epi8(b'"'.cast_signed());
        let escape = sse2::_mm_set1_epi8(b'\\'.cast_signed());
        let last = sse2::_mm_set1_epi8(0x1f);
        let mut bits = 1 << STEP;
        for at in (0..STEP).step_by(16) {
            let all = sse2::_mm_set_epi64x(half(at + 8), half(at));
            let ends = sse2::_mm_or_si128(
                sse2::_mm_cmpeq_epi8(all, quote),
                sse2::_mm_cmpeq_epi8(all, escape),
            );
            let control = sse2::_mm_cmpeq_epi8(sse2::_mm_min_epu8(all, last), all);
            let found = sse2::_mm_movemask_epi8(sse2::_mm_or_si128(ends, control));
            bits |= u64::from(found.cast_unsigned()) << at;
        }
        bits
    }

    // SAFETY: SSE2 is part of the x86-64 architecture, so every such machine has it.
    unsafe { stops(step) }
}

/// As above, for other architectures.
#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn stops(step: &[u8; STEP]) -> u64 {
    stops_by_byte(step)
}

#[cfg(any(test, not(target_arch = "x86_64")))]
fn stops_by_byte(step: &[u8; STEP]) -> u64 {
    let stop = |byte: u8| byte < b' ' || byte == b'"' || byte == b'\\';
    let bits = step.iter().enumerate().map(|(at, &byte)| u64::from(stop(byte)) << at);
    bits.fold(1 << STEP, |all, bit| all | bit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_stops_at_each_byte_that_it_has_to_at_each_place() {
        for byte in 0..=u8::MAX {
            for at in 0..STEP {
                let mut step = [b'a'; STEP];
                step[at] = byte;
                assert_eq!(stops(&step), stops_by_byte(&step), "{byte} at {at}");
                let is_stop = byte < 0x20 || byte == 0x22 || byte == 0x5c;
                assert_eq!(stops(&step) == 1 << STEP | 1 << at, is_stop, "{byte} at {at}");
            }
        }
        assert_eq!(stops(&[0; STEP]), (1 << (STEP + 1)) - 1);
    }
}
