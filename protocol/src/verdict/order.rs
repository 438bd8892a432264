//! Which of two elements stands first in a list, without laying out the list.
//!
//! Each element was inserted after another, so a list is a tree with the head at its root; its order
//! is the tree walked from the root, of several children the one with the greatest id first. Spans
//! are stretches of that tree in which each element is the child of the one before:
//!
//! ```text
//! head ── a b c d e            span of 5
//!             └── x y          span of 2, hangs from c
//! ```
//!
//! Two elements are compared where their ways to the head meet. `jump`s (`operation.rs`) make the
//! way logarithmic in the number of spans on it, so the worst case needs no rule of its own: 256
//! marks over chains of 2,000,000 spans, the deepest a document may have, take 3 to 7 ms
//! (`integration-tests/benches/verdict.rs`).
//!
//! *Invariants.* No recursion. Each step goes nearer to the head.
//!
//! *Source*: the order is Automerge's (RGA, Roh et al. 2011).

use super::{
    known::Known,
    operation::{Deed, Insertion, OpId},
};

/// Where one element's way leaves the stretch that both ways share.
#[derive(Debug, Clone, Copy)]
struct Side {
    /// The first element of the span.
    span: OpId,
    /// The place in the span at which the way leaves it.
    at: u32,
    /// The first element of the span that it comes from; none if the element itself is at `at`.
    from: Option<OpId>,
}

impl Known<'_> {
    /// Where an insertion after `after` stands in its tree.
    pub(super) fn insertion(&self, after: OpId) -> Option<Insertion> {
        let first = Insertion::after(after);
        if after == OpId::HEAD {
            return Some(first);
        }
        let above = self.side(after)?.span;
        let place = self.place(above)?;
        let near = self.height(place.jump);
        let far = if near == 0 { 0 } else { self.height(self.place(place.jump)?.jump) };
        // As for changes: two jumps of equal length in a row become one.
        let is_pair = near > 0 && place.height - near == near - far;
        let jump = if is_pair { self.place(place.jump)?.jump } else { above };
        Some(Insertion { height: place.height.saturating_add(1), jump, ..first })
    }

    /// Whether `x` stands before `y`: two different elements of one list.
    pub(super) fn stands_before(&self, x: OpId, y: OpId) -> Option<bool> {
        let (x, y) = self.meeting(self.side(x)?, self.side(y)?)?;
        if x.at > y.at {
            return self.is_ahead(y, x).map(|is| !is);
        }
        self.is_ahead(x, y)
    }

    /// Whether the element of `x` stands before that of `y`, whose way leaves no earlier.
    fn is_ahead(&self, x: Side, y: Side) -> Option<bool> {
        // What hangs from an element stands behind it.
        let Some(child_x) = x.from else { return Some(true) };
        let child_y = if x.at < y.at { Some(y.span.on(x.at.saturating_add(1))) } else { y.from };
        let Some(child_y) = child_y else { return Some(false) };
        Some(self.compare(child_x, child_y).is_gt())
    }

    /// Where the ways of two elements to the head meet.
    fn meeting(&self, x: Side, y: Side) -> Option<(Side, Side)> {
        let level = self.place(x.span)?.height.min(self.place(y.span)?.height);
        let (mut x, mut y) = (self.down_to(x, level)?, self.down_to(y, level)?);
        while x.span != y.span {
            let (place_x, place_y) = (self.place(x.span)?, self.place(y.span)?);
            let (above_x, above_y) = (self.above(x.span, place_x)?, self.above(y.span, place_y)?);
            let can_jump = above_x.span != above_y.span && place_x.jump != place_y.jump;
            (x, y) = (above_x, above_y);
            if can_jump {
                // Where the ways leave these spans does not matter: they meet further up.
                (x.span, y.span) = (place_x.jump, place_y.jump);
            }
        }
        Some((x, y))
    }

    /// The way of an element where it is in a span of this height.
    fn down_to(&self, side: Side, level: u32) -> Option<Side> {
        let mut span = side.span;
        let mut place = self.place(span)?;
        if place.height <= level {
            return Some(side);
        }
        // Down to the span that hangs from one of the height asked for.
        while place.height > level.saturating_add(1) {
            let jumps = self.height(place.jump) > level;
            span = if jumps { place.jump } else { self.side(place.after)?.span };
            place = self.place(span)?;
        }
        self.above(span, place)
    }

    /// The way of what is in a span, in the span from which it hangs.
    fn above(&self, span: OpId, place: Insertion) -> Option<Side> {
        if place.after == OpId::HEAD {
            return Some(Side { span: OpId::HEAD, at: 0, from: Some(span) });
        }
        Some(Side { from: Some(span), ..self.side(place.after)? })
    }

    /// An element's way where it begins.
    fn side(&self, element: OpId) -> Option<Side> {
        let offset = self.find(element)?.offset;
        Some(Side { span: element.back(offset), at: offset, from: None })
    }

    fn place(&self, span: OpId) -> Option<Insertion> {
        match self.find(span)?.span.deed {
            Deed::Insert(place) => Some(place),
            Deed::Put(_) | Deed::Update(_) | Deed::Delete | Deed::Increment => None,
        }
    }

    /// Spans from the head; 0 for the head itself.
    fn height(&self, span: OpId) -> u32 {
        if span == OpId::HEAD { 0 } else { self.place(span).map_or(0, |place| place.height) }
    }
}
