//! Where a text of JSON does not simply go on, found for many bytes at once.

/// Bytes that are looked at together.
pub(crate) const STEP: usize = 32;

/// The bytes at which a text ends, goes on with an escape, or is none: a bit for each, and one
/// behind them.
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

    // SAFETY: every machine of this kind has SSE2, it is part of the architecture.
    unsafe { stops(step) }
}

/// As above, for machines of other kinds.
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
