//! Classes of requests: counted in one pass over a job, given out in the next.
#![allow(clippy::unwrap_used)] // a test's way to fail

use tokenfare_jobs::{Bid, Classes, Span};

fn all(classes: &Classes) -> Vec<(Vec<u32>, u64)> {
    let mut found: Vec<_> = classes.iter().map(|(bids, n)| (bids.to_vec(), n)).collect();
    found.sort();
    found
}

#[test]
fn a_bid_is_a_size_that_a_kind_of_models_of_a_service_is_asked_for() {
    let mut classes = Classes::default();
    let bid = |service, kind, low, high| Bid { service, kind, size: Span { low, high } };
    let all = [bid(0, 0, 5, 9), bid(0, 0, 6, 9), bid(0, 1, 5, 9), bid(1, 0, 5, 9)];
    assert_eq!(all.map(|each| classes.bid(each)), [0, 1, 2, 3]);
    assert_eq!(classes.bid(all[2]), 2);
    assert_eq!(classes.bids(), all);
}

#[test]
fn a_class_is_a_set_of_bids_in_whatever_order_they_are_said() {
    let mut classes = Classes::default();
    let number = classes.number(&mut [2, 1]);
    assert_eq!(classes.number(&mut [1, 2]), number);
    assert_ne!(classes.number(&mut [1]), number);
    assert_eq!(classes.len(), 2);
}

#[test]
fn classes_that_are_not_told_apart_are_counted_together() {
    let mut classes = Classes::default();
    for (bids, requests) in [([0, 3], 2), ([1, 3], 3), ([2, 3], 5)] {
        let number = classes.number(&mut { bids });
        (0..requests).for_each(|_| classes.count(number, false));
    }
    classes.coarsen(vec![0, 0, 2, 3]);
    assert_eq!(all(&classes), [(vec![0, 3], 2 + 3), (vec![2, 3], 5)]);
    let number = classes.number(&mut [3, 1]);
    assert!((number as usize) < classes.len(), "what is met again is known by what stands for it");
    classes.count(classes.len() as u32 - 1, false);
    classes.coarsen(vec![0, 0, 0, 3]);
    assert_eq!(all(&classes), [(vec![0, 3], 2 + 3 + 5 + 1)]);
}

#[test]
fn requests_are_given_out_in_order_and_to_nobody_more_than_was_counted() {
    let mut classes = Classes::default();
    let (one, two) = (classes.number(&mut [1]), classes.number(&mut [2]));
    let job = [(one, false), (two, false), (one, true), (one, false), (two, false)];
    job.iter().for_each(|&(class, carried)| classes.count(class, carried));
    assert_eq!(all(&classes), [(vec![1], 2), (vec![2], 2)]);
    classes.give_out([(one, 30, 1), (one, 10, 1), (two, 20, 2)], &[30, 20]);
    let given: Vec<_> = job.iter().map(|&(class, _)| classes.next(class)).collect();
    let models = [(30, false), (20, false), (30, true), (10, false), (20, false)];
    assert_eq!(given, models.map(Some));
    assert!(classes.all_given());
    assert_eq!(classes.next(one), None, "one more than was counted");
}

#[test]
fn another_job_than_was_counted_is_noticed() {
    let counted = || {
        let mut classes = Classes::default();
        let (one, two) = (classes.number(&mut [1]), classes.number(&mut [2]));
        [one, two, two].into_iter().for_each(|class| classes.count(class, false));
        classes.give_out([(one, 10, 1), (two, 20, 2)], &[10, 20]);
        (classes, one, two)
    };
    let (mut classes, one, _) = counted();
    assert_eq!(classes.next(one), Some((10, false)));
    assert_eq!(classes.next(one), None, "a request of one class instead of another");
    let (mut classes, one, two) = counted();
    assert_eq!([classes.next(two), classes.next(one)], [Some((20, false)), Some((10, false))]);
    assert!(!classes.all_given(), "one less than was counted");
    let (mut classes, ..) = counted();
    let new = classes.number(&mut [3]);
    assert_eq!(classes.next(new), None, "a class that was not counted");
}

#[test]
fn more_than_a_word_of_requests_keep_who_is_carried() {
    let mut classes = Classes::default();
    let class = classes.number(&mut [1]);
    let carried = |i: u64| i.is_multiple_of(3);
    (0..200).for_each(|i| classes.count(class, carried(i)));
    let sent = (0..200).filter(|i| !carried(*i)).count() as u64;
    assert_eq!(all(&classes), [(vec![1], sent)]);
    classes.give_out([(0, 5, sent)], &[6]);
    for i in 0..200 {
        let model = if carried(i) { 6 } else { 5 };
        assert_eq!(classes.next(class), Some((model, carried(i))));
    }
    assert!(classes.all_given());
}
