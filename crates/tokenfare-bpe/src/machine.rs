//! What the CPU supports; detected once and remembered by the standard library.

/// Whether functions compiled for `avx2,bmi1,bmi2,lzcnt,popcnt` may be called.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(crate) fn has_avx2() -> bool {
    #[cfg(test)]
    if tests::allowed() < tests::Vectors::Avx2 {
        return false;
    }
    is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("lzcnt")
        && is_x86_feature_detected!("popcnt")
}

/// Whether functions compiled for those features and for
/// `avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi2` may be called.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(crate) fn has_avx512() -> bool {
    #[cfg(test)]
    if tests::allowed() < tests::Vectors::Avx512 {
        return false;
    }
    has_avx2()
        && is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512vbmi2")
}

#[cfg(test)]
#[cfg(target_arch = "x86_64")]
pub(crate) mod tests;
