//! Tables of known size on the heap.

/// A table on the heap, of `N` places that all hold `empty`.
pub(crate) fn table<T: Copy, const N: usize>(empty: T) -> Box<[T; N]> {
    let all = vec![empty; N].into_boxed_slice();
    all.try_into().unwrap_or_else(|_| unreachable!("made with N of them"))
}
