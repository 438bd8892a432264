//! A scan over what is stored, with images of rows in place of what is stored of them.
//!
//! Both come in the order of keys. An image of a row that was not there hides what is stored.
//!
//! *Invariants.* Each key comes once. Reads no further than it is asked.
//!
//! *Source*: ours.

use std::{cmp, collections::btree_map, iter};

use ::sled::{IVec, Iter};

use super::Order;

/// A row, and where it was found.
pub(super) enum Found<'a> {
    Image(Vec<u8>, &'a [u8]),
    Stored(Vec<u8>, IVec),
}

type Stored = Result<(IVec, IVec), ::sled::Error>;
type Image<'a> = (&'a Vec<u8>, &'a Option<Vec<u8>>);

pub(super) fn merged<'a>(
    stored: Iter,
    images: btree_map::Range<'a, Vec<u8>, Option<Vec<u8>>>,
    order: Order,
) -> Box<dyn Iterator<Item = Result<Found<'a>, ::sled::Error>> + 'a> {
    match order {
        Order::Ascending => Box::new(merge(stored, images, |a, b| a.cmp(b))),
        Order::Descending => Box::new(merge(stored.rev(), images.rev(), |a, b| b.cmp(a))),
    }
}

fn merge<'a>(
    stored: impl Iterator<Item = Stored>,
    images: impl Iterator<Item = Image<'a>>,
    compare: fn(&[u8], &[u8]) -> cmp::Ordering,
) -> impl Iterator<Item = Result<Found<'a>, ::sled::Error>> {
    let (mut stored, mut images) = (stored.peekable(), images.peekable());
    iter::from_fn(move || {
        loop {
            let which = match (stored.peek(), images.peek()) {
                (None, None) => return None,
                (None, Some(_)) => cmp::Ordering::Greater,
                (Some(_), None) | (Some(Err(_)), Some(_)) => cmp::Ordering::Less,
                (Some(Ok((key, _))), Some((image, _))) => compare(key, image),
            };
            if which.is_le() {
                let row = stored.next()?;
                if which.is_lt() {
                    return Some(row.map(|(key, row)| Found::Stored(key.to_vec(), row)));
                }
            }
            if let (key, Some(image)) = images.next()? {
                return Some(Ok(Found::Image(key.clone(), image)));
            }
        }
    })
}
