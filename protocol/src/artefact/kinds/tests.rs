//! Whether the data of every kind hang together.

use alloc::{collections::BTreeSet, vec::Vec};

use super::*;
use crate::artefact::kind::{
    Count, Effect, Field, Need, ORDER, REMOVED, Scalar, Shape, Transition, Trigger,
};

fn is_name(name: &str) -> bool {
    let plain = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
    !name.is_empty() && name.bytes().all(plain)
}

fn scalar_is_sound(scalar: Scalar) -> bool {
    match scalar {
        Scalar::Text { max } => max > 0,
        Scalar::Int { min, max, .. } => min < max,
        Scalar::Enum(values) => {
            values.len() > 1 && values.iter().collect::<BTreeSet<_>>().len() == values.len()
        }
        Scalar::Money
        | Scalar::Bool
        | Scalar::Decimal
        | Scalar::Date
        | Scalar::DateTime
        | Scalar::Year
        | Scalar::Code(_)
        | Scalar::Url
        | Scalar::Org
        | Scalar::Artefact
        | Scalar::Entry
        | Scalar::Hash => true,
    }
}

fn check_fields(of: &str, fields: &[&Field]) {
    let names: BTreeSet<_> = fields.iter().map(|field| field.name).collect();
    assert_eq!(names.len(), fields.len(), "{of} has two fields of one name");
    for field in fields {
        assert!(is_name(field.name) && !field.label.is_empty(), "{of}.{}", field.name);
        assert!(![ORDER, REMOVED].contains(&field.name), "{of}.{}", field.name);
        match field.shape {
            Shape::Text => {}
            Shape::Scalar(scalar) | Shape::Cosmetic(scalar) | Shape::Set(scalar) => {
                assert!(scalar_is_sound(scalar), "{of}.{}", field.name);
            }
            Shape::List(parts) | Shape::Record(parts) => {
                check_fields(field.name, &parts.iter().collect::<Vec<_>>());
            }
        }
    }
}

#[test]
fn names_are_plain_and_unique_and_bounds_make_sense() {
    for kind in ALL {
        check_fields(kind.name, &kind.all_fields().collect::<Vec<_>>());
        let events: Vec<_> = kind.all_events().chain(kind.remarks).collect();
        let names: BTreeSet<_> = events.iter().map(|event| event.name).collect();
        assert_eq!(names.len(), events.len(), "{}", kind.name);
        for event in events {
            let params: BTreeSet<_> = event.params.iter().map(|param| param.name).collect();
            assert_eq!(params.len(), event.params.len(), "{}", event.name);
            assert!(
                is_name(event.name) && params.iter().all(|name| is_name(name)),
                "{}",
                event.name
            );
            assert!(event.params.iter().all(|param| scalar_is_sound(param.scalar)));
        }
    }
    assert_eq!(find("decision", 1).map(|kind| kind.label), Some("Joint commissioning decision"));
    assert_eq!(find("decision", 2), None);
}

#[test]
fn a_field_that_a_proposal_fixes_has_a_part_that_it_fixes() {
    fn check(field: &Field) {
        if let Shape::List(parts) | Shape::Record(parts) = field.shape {
            let fixed = parts.iter().any(|part| part.decidable);
            assert!(fixed || !field.decidable, "{}", field.name);
            parts.iter().for_each(check);
        }
    }
    ALL.iter().flat_map(|kind| kind.all_fields()).for_each(check);
}

#[test]
fn every_transition_names_states_events_and_fields_that_exist() {
    for kind in ALL {
        let state = |name: &str| assert!(kind.state(name).is_some(), "{}: {name}", kind.name);
        for Transition { by, from, to, needs } in kind.transitions {
            from.iter().for_each(|name| state(name));
            state(to);
            if let Trigger::Event(name) = by {
                let event = kind.event(name).unwrap();
                assert_eq!(event.effect, Effect::Move, "{name}");
            }
            needs.iter().for_each(|need| check_need(kind, need));
        }
        for event in kind.all_events() {
            event.during.iter().for_each(|name| state(name));
            check_effect(kind, event);
        }
        for state in kind.states {
            state.clock.iter().for_each(|clock| assert!(kind.state(clock.becomes).is_some()));
        }
    }
}

fn check_effect(kind: &Kind, event: &crate::artefact::kind::EventKind) {
    let moves = |transition: &&Transition| transition.by == Trigger::Event(event.name);
    let moved = kind.transitions.iter().filter(moves).count();
    assert_eq!(moved, usize::from(event.effect == Effect::Move), "{}", event.name);
    match event.effect {
        Effect::Row { key, .. } => {
            let leading = event.params.get(..key).unwrap();
            assert!(leading.iter().all(|param| param.count == Count::One), "{}", event.name);
        }
        Effect::Hold { state } => assert!(kind.state(state).is_some()),
        Effect::LetGo { instead } => {
            assert_eq!(event.params.first().unwrap().scalar, Scalar::Entry);
            if let Some((value, state)) = instead {
                let Scalar::Enum(values) = event.params.last().unwrap().scalar else {
                    panic!("{} ends with no enumeration", event.name);
                };
                assert!(values.contains(&value) && kind.state(state).is_some());
            }
        }
        Effect::Uphold => assert_eq!(event.params.first().unwrap().scalar, Scalar::Entry),
        Effect::Log | Effect::Move | Effect::Capacity(_) => {}
    }
}

fn at<'a>(kind: &'a Kind, path: &str) -> &'a Field {
    let mut parts = path.split('.');
    let mut field = kind.field(parts.next().unwrap()).unwrap();
    for part in parts {
        let (Shape::Record(fields) | Shape::List(fields)) = field.shape else {
            panic!("{path} goes on below a field without parts");
        };
        field = fields.iter().find(|field| field.name == part).unwrap();
    }
    field
}

fn check_need(kind: &Kind, need: &Need) {
    match need {
        Need::Filled(path) => {
            at(kind, path);
        }
        Need::NotPassed(path) => assert_eq!(at(kind, path).shape, Shape::Scalar(Scalar::Date)),
        Need::Sum { total, list, amount } => {
            assert_eq!(at(kind, total).shape, Shape::Scalar(Scalar::Money));
            let amount = alloc::format!("{list}.{amount}");
            assert_eq!(at(kind, &amount).shape, Shape::Scalar(Scalar::Money));
        }
        Need::Item { list, field, .. } => {
            at(kind, &alloc::format!("{list}.{field}"));
        }
        Need::Above { field, event, .. } => {
            assert_eq!(at(kind, field).shape, Shape::Scalar(Scalar::Money));
            assert!(kind.event(event).is_some());
        }
        Need::EachOf { event, .. } => assert!(kind.event(event).is_some()),
        Need::From { event, value, .. } => {
            let params = kind.event(event).unwrap().params;
            assert_eq!(params[0].scalar, Scalar::Entry);
            let Scalar::Enum(values) = params[1].scalar else { panic!("{event}") };
            assert!(values.contains(value));
        }
        Need::NoConflict | Need::NothingConfirmed => {}
    }
}
