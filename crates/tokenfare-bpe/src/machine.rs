//! What the machine can do, asked once and remembered by the standard library.

/// Whether functions compiled for `avx2,bmi1,bmi2,lzcnt,popcnt` may be called.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(crate) fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("lzcnt")
        && is_x86_feature_detected!("popcnt")
}
