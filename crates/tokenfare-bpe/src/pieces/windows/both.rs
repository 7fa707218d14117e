//! Finding pieces in two texts at a time.
//!
//! Where a window begins is known only when the one before it has been read, some fifty cycles
//! after that one began. A window of another text does not have to wait for it: text seen before is
//! counted 2 to 4 % faster.

use super::cased::Cased;
use super::plain::Plain;
use super::window::{Rules, Window};
use super::words::Words;
use super::{Given, Pieces, list};
#[cfg(target_arch = "x86_64")]
use crate::machine::{has_avx2, has_avx512};
use crate::merging::joints::Joints;
use crate::pieces::masks::{self, Masks, READ, WINDOW};
use crate::pieces::splitting::{Pattern, Splitting};

impl Pieces {
    /// The same as [`Self::find`] in two texts at a time, until one of them stops; returns which
    /// one.
    ///
    /// Calling `find` on that one says why it stopped.
    pub(crate) fn find_both(
        both: &mut [Self; 2],
        splitting: &Splitting,
        texts: [&[u8]; 2],
        joints: Option<&Joints>,
        normal: bool,
    ) -> usize {
        let given = Given { splitting, joints, normal };
        match splitting.pattern {
            Pattern::Qwen => Self::find_both_by::<Words<false, 1>>(both, texts, given),
            Pattern::QwenMarks => Self::find_both_by::<Words<true, 1>>(both, texts, given),
            Pattern::Cl100k | Pattern::Llama3 => {
                Self::find_both_by::<Words<false, 3>>(both, texts, given)
            }
            Pattern::O200k => Self::find_both_by::<Cased>(both, texts, given),
            Pattern::Gpt2 => Self::find_both_by::<Plain>(both, texts, given),
        }
    }

    fn find_both_by<R: Rules>(both: &mut [Self; 2], texts: [&[u8]; 2], given: Given<'_>) -> usize {
        #[cfg(target_arch = "x86_64")]
        if has_avx512() {
            // SAFETY: the CPU has the features that the function was compiled for; it asks for
            // nothing else.
            return unsafe { Self::find_both_with_avx512::<R>(both, texts, given) };
        }
        #[cfg(target_arch = "x86_64")]
        if has_avx2() {
            // SAFETY: the CPU has the features that the function was compiled for; it asks for
            // nothing else.
            return unsafe { Self::find_both_with_avx2::<R>(both, texts, given) };
        }
        Self::find_both_with::<R>(both, texts, given, masks::words::masks, list)
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt,avx512f,avx512bw,avx512vl,avx512vbmi2")]
    fn find_both_with_avx512<R: Rules>(
        both: &mut [Self; 2],
        texts: [&[u8]; 2],
        given: Given<'_>,
    ) -> usize {
        Self::find_both_with::<R>(
            both,
            texts,
            given,
            |bytes| masks::avx512::masks(bytes),
            |room, base, bits| masks::avx512::list(room, base, bits),
        )
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    fn find_both_with_avx2<R: Rules>(
        both: &mut [Self; 2],
        texts: [&[u8]; 2],
        given: Given<'_>,
    ) -> usize {
        Self::find_both_with::<R>(both, texts, given, |bytes| masks::avx2::masks(bytes), list)
    }

    #[inline(always)]
    pub(super) fn find_both_with<R: Rules>(
        [first, second]: &mut [Self; 2],
        texts: [&[u8]; 2],
        given: Given<'_>,
        masks: impl Fn(&[u8; READ]) -> Masks,
        list: impl Fn(&mut [u32; WINDOW], u32, u64),
    ) -> usize {
        loop {
            // Neither of these two windows waits for the other.
            let Some(one) = first.window::<R>(texts[0], given, &masks) else { return 0 };
            let Some(two) = second.window::<R>(texts[1], given, &masks) else { return 1 };
            if !first.take(&one, texts[0], given, &list) {
                return 0;
            }
            if !second.take(&two, texts[1], given, &list) {
                return 1;
            }
        }
    }

    /// The next window, if there is room for its pieces and it has no character that NFC may
    /// change.
    #[inline(always)]
    fn window<R: Rules>(
        &self,
        text: &[u8],
        given: Given<'_>,
        masks: impl Fn(&[u8; READ]) -> Masks,
    ) -> Option<Window> {
        let bytes = self.ahead(text).filter(|_| !self.is_full())?;
        Window::new::<R, false>(bytes, masks(bytes), given.joints, given.normal)
    }

    /// Adds the pieces of a window, or those that the scanner reads; `false` if something stopped
    /// it.
    #[inline(always)]
    fn take(
        &mut self,
        window: &Window,
        text: &[u8],
        given: Given<'_>,
        list: impl Fn(&mut [u32; WINDOW], u32, u64),
    ) -> bool {
        if window.certain > 0 {
            self.add::<false>(window, list);
            return true;
        }
        self.read::<false>(text, given).is_ok()
    }
}
